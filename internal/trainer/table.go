package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
)

// MaxNumbers is how many numbers a Table holds at most, 256 MB of them.
const MaxNumbers = 32 << 20

// ErrLarge says that a record does not fit into a Table.
var ErrLarge = errors.New("trainer: record is too large to be looked at as a whole")

// A Table is a record's values in the features' units, for what has to look at
// them more than once: planting incidents, spoiling them, judging. The windows
// over them are made anew by every Judge, out of the same code as always.
type Table struct {
	Schema  feature.Schema
	Series  []*Series
	Dropped Counts
}

// Series are the values of one group, in the order of time.
type Series struct {
	Group  string
	Tags   []string
	Times  []int64
	Rows   [][]float64 // one value per feature, NaN where none came
	Calm   []bool      // no gap or reset shortly before, see feature.Vector.Settled
	Events []eval.Event
	number int // of the incident that the newest row belongs to
}

// ReadTable keeps the vectors of a record from a moment on. Of a record beyond
// MaxNumbers it keeps the first groups only as long as they fit; one single
// group that does not fit is ErrLarge.
func ReadTable(ctx context.Context, src *Source, s feature.Schema, from time.Time) (*Table, error) {
	t := &Table{Schema: s}
	groups := map[string]*Series{}
	numbers, start := 0, int64(math.MinInt64)
	if !from.IsZero() {
		start = from.UnixNano()
	}
	left := Counts{}
	dropped, err := Walk(ctx, src, &s, func(v Sample) {
		if v.Time < start {
			return
		}
		g := groups[v.Group.Key]
		if g == nil {
			g = &Series{Group: v.Group.Key, Tags: slices.Clone(v.Group.Tags)}
			groups[v.Group.Key] = g
			t.Series = append(t.Series, g)
		}
		if numbers += len(v.Values) + 4; numbers > MaxNumbers { // 4: the slice and the time
			left.add("beyond the memory of a table", 1)
			return
		}
		g.add(v)
	})
	if err != nil {
		return nil, err
	}
	if numbers > MaxNumbers && len(t.Series) == 1 {
		return nil, fmt.Errorf("%w: %d vectors of %d features; give a part of it", ErrLarge, numbers/(len(s.Features)+4), len(s.Features))
	}
	for reason, n := range left {
		dropped.add(reason, n)
	}
	t.Dropped = dropped
	if t.Len() == 0 {
		return nil, fmt.Errorf("trainer: the record has no vector since %s (left out: %v)", from.Format(time.RFC3339), dropped)
	}
	return t, nil
}

func (s *Series) add(v Sample) {
	row := slices.Clone(v.Values)
	for f, carried := range v.Carried {
		if carried {
			row[f] = math.NaN() // will be carried again
		}
	}
	s.label(v.Incident)
	s.Times, s.Rows, s.Calm = append(s.Times, v.Time), append(s.Rows, row), append(s.Calm, v.Settled)
}

// label extends the incident of the row before, or begins another.
func (s *Series) label(in *Incident) {
	i := len(s.Rows)
	last := len(s.Events) - 1
	switch {
	case in == nil:
	case last >= 0 && s.Events[last].End == i && s.number == in.Number:
		s.Events[last].End = i + 1
	default:
		s.Events = append(s.Events, eval.Event{Start: i, End: i + 1, Kind: in.Kind, Cause: in.Cause})
		s.number = in.Number
	}
}

// Len is the number of rows of all groups.
func (t *Table) Len() (n int) {
	for _, s := range t.Series {
		n += len(s.Rows)
	}
	return n
}

// Labelled reports whether any row from a moment on belongs to an incident.
func (t *Table) Labelled(from time.Time) bool {
	return slices.ContainsFunc(t.Series, func(s *Series) bool {
		return len(s.Events) > 0 && s.Times[s.Events[len(s.Events)-1].End-1] >= from.UnixNano()
	})
}

// Range is the time of the first and the last row.
func (t *Table) Range() (from, to time.Time) {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, s := range t.Series {
		if len(s.Times) > 0 {
			first, last = min(first, s.Times[0]), max(last, s.Times[len(s.Times)-1])
		}
	}
	return time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
}

// Clone copies what may be changed: the rows and the incidents, up to a moment.
func (s *Series) Clone(until time.Time) *Series {
	n := len(s.Rows)
	if !until.IsZero() {
		n = s.at(until)
	}
	c := *s
	c.Times, c.Calm, c.Events, c.Rows = s.Times[:n], s.Calm[:n], clip(s.Events, 0, n), make([][]float64, n)
	for i := range c.Rows {
		c.Rows[i] = slices.Clone(s.Rows[i])
	}
	return &c
}

// clip returns the parts of events within the rows from..to, counted from from.
func clip(events []eval.Event, from, to int) (inside []eval.Event) {
	for _, e := range events {
		e.Start, e.End = max(e.Start, from)-from, min(e.End, to)-from
		if e.Start < e.End {
			inside = append(inside, e)
		}
	}
	return inside
}

// at is the first row at or after a moment.
func (s *Series) at(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	i, _ := slices.BinarySearch(s.Times, t.UnixNano())
	return i
}
