package eval

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// Event is one incident: the rows from Start up to, not including, End, the
// features that operators named as its cause, and its kind; the last two may be
// unknown.
type Event struct {
	Start, End int
	Cause      []string
	Kind       string
}

// Events finds the incidents in row labels, in the order of their starts. With
// ids (nil if there are none) incidents that touch stay apart: a new one begins
// where the id changes, and an outer one goes on where its id comes back after
// an inner one. cause and kind (nil if unknown) are taken from an incident's
// first row.
func Events(label []bool, id []int, cause [][]string, kind []string) []Event {
	var events []Event
	run := 0 // the first incident of the current run of labels
	for i, labelled := range label {
		if !labelled {
			run = len(events)
			continue
		}
		known := slices.IndexFunc(events[run:], func(e Event) bool { return at(id, e.Start) == at(id, i) })
		if known >= 0 {
			events[run+known].End = i + 1
			continue
		}
		events = append(events, Event{Start: i, End: i + 1, Cause: at(cause, i), Kind: at(kind, i)})
	}
	return events
}

// EventRecall is the share of incidents with at least one flagged row, in
// [0,1], NaN without incidents.
func EventRecall(flag []bool, events []Event) float64 {
	found := 0
	for _, e := range events {
		if e.firstFlag(flag) >= 0 {
			found++
		}
	}
	return ratio(found, len(events))
}

// RecallByKind is the event recall of each kind of incident.
func RecallByKind(flag []bool, events []Event) map[string]float64 {
	kinds := map[string][]Event{}
	for _, e := range events {
		kinds[e.Kind] = append(kinds[e.Kind], e)
	}
	recall := make(map[string]float64, len(kinds))
	for kind, of := range kinds {
		recall[kind] = EventRecall(flag, of)
	}
	return recall
}

// DetectionDelay is the median number of minutes from an incident's start to
// its first flagged row, over the incidents that are found; NaN if none is. A
// detector that finds only the easy ones looks quick: read it beside the
// recall.
func DetectionDelay(flag []bool, events []Event, interval time.Duration) float64 {
	var delays []float64
	for _, e := range events {
		if first := e.firstFlag(flag); first >= 0 {
			delays = append(delays, float64(first-e.Start)*interval.Minutes())
		}
	}
	return median(delays)
}

// MergeGap is how many quiet rows may lie between two flags of one alarm: five
// minutes' worth and at least two rows, since people take flags that close for
// one alarm (five at one minute, two at five).
func MergeGap(interval time.Duration) int {
	return max(2, int(5*time.Minute/interval))
}

// FalseAlarms counts the alarms that touch no incident. An alarm runs from its
// first flag to its last with at most gap quiet rows between two flags.
func FalseAlarms(flag []bool, events []Event, gap int) int {
	inside := Rows(events, len(flag))
	alarms, touched, quiet, open := 0, false, 0, false
	for i, flagged := range flag {
		switch {
		case flagged && (!open || quiet > gap):
			alarms += count(open && !touched)
			open, touched, quiet = true, inside[i], 0
		case flagged:
			touched = touched || slices.Contains(inside[i-quiet:i+1], true)
			quiet = 0
		default:
			quiet++
		}
	}
	return alarms + count(open && !touched)
}

// FalseAlarmsPerDay is the number of false alarms, merged by MergeGap, over the
// days that the rows span.
func FalseAlarmsPerDay(flag []bool, events []Event, interval time.Duration) float64 {
	return float64(FalseAlarms(flag, events, MergeGap(interval))) / days(len(flag), interval)
}

// Rows marks the rows of n that belong to an incident.
func Rows(events []Event, n int) []bool {
	inside := make([]bool, n)
	for _, e := range events {
		for i := e.Start; i < e.End; i++ {
			inside[i] = true
		}
	}
	return inside
}

func (e Event) firstFlag(flag []bool) int {
	if i := slices.Index(flag[e.Start:e.End], true); i >= 0 {
		return e.Start + i
	}
	return -1
}

func days(rows int, interval time.Duration) float64 {
	return float64(rows) * interval.Hours() / 24
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	n := len(values)
	return stat.Mean(values[(n-1)/2:n/2+1], nil)
}

func at[T any](column []T, i int) (none T) {
	if column == nil {
		return none
	}
	return column[i]
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
