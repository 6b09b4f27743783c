package trainer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/period"
)

// A Source is a record with what people know about it.
type Source struct {
	*history.Record
	Labels  []Incident // of line protocol; a CSV carries its own
	Exclude period.Set // known to be bad: no vector of theirs is looked at
}

// A Sample is a vector of a record, valid only during the call it is given to.
type Sample struct {
	*feature.Vector
	Incident *Incident // nil if the moment is not part of one
}

// Counts of what a record lost on its way to vectors, by reason.
type Counts map[string]int

func (c Counts) add(reason string, n int) {
	if n > 0 {
		c[reason] += n
	}
}

// String lists them by reason, "nothing" if there are none.
func (c Counts) String() string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%d %s", c[reason], reason))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// Settle fills in the schema's interval from the record.
func Settle(r *history.Record, s *feature.Schema) (err error) {
	if s.Interval == 0 {
		if s.Interval, err = r.Interval(); err != nil {
			return err
		}
	}
	if s.Interval == 0 { // a table without time: rows are what they are
		if s.Window > 0 {
			return fmt.Errorf("trainer: the file has no time column, so there is no past to look at; use --window 0")
		}
		s.Interval = time.Second
	}
	return nil
}

// Walk turns a record into vectors, the one road that there is, and gives them
// to take in the record's order. The schema's interval must be settled.
func Walk(ctx context.Context, src *Source, s *feature.Schema, take func(Sample)) (Counts, error) {
	w := &walker{source: src, schema: s, take: take, dropped: Counts{}, labels: newIndex(src.Labels)}
	if err := w.open(); err != nil {
		return nil, err
	}
	if err := src.Read(&interruptible{Sink: w, ctx: ctx}); err != nil {
		return nil, err
	}
	if w.joiner != nil {
		w.joiner.Flush()
	}
	w.dropped.add("unreadable", src.Report.Bad)
	w.dropped.add("late", int(w.counts().Late))
	w.dropped.add("duplicate", int(w.counts().Duplicate))
	w.dropped.add("values out of range", int(w.counts().Invalid))
	return w.dropped, nil
}

// walker is a history.Sink that makes vectors.
type walker struct {
	source   *Source
	schema   *feature.Schema
	joiner   *feature.Joiner[struct{}] // for points
	sequence *feature.Sequence         // for rows
	row      int64
	labels   index
	take     func(Sample)
	dropped  Counts
}

func (w *walker) open() (err error) {
	if w.source.CSV {
		w.sequence, err = feature.NewSequence(w.schema, "")
		return err
	}
	w.joiner, err = feature.NewJoiner(w.schema, 0, feature.DefaultLimits, func(v *feature.Vector, _ []feature.Item[struct{}]) {
		w.give(v, w.labels.at(v.Time, v.Group.Key))
	})
	return err
}

func (w *walker) counts() feature.Counts {
	if w.joiner != nil {
		return w.joiner.Counts
	}
	return w.sequence.Counts
}

func (w *walker) give(v *feature.Vector, incident *Incident) {
	if w.source.Exclude.Contains(v.Group.Key, time.Unix(0, v.Time)) {
		w.dropped.add("excluded", 1)
		return
	}
	w.take(Sample{v, incident})
}

// Point implements history.Sink.
func (w *walker) Point(p *lp.Point) error {
	w.joiner.Add(p, struct{}{}, time.Time{})
	return nil
}

// Row implements history.Sink.
func (w *walker) Row(r history.Row) error {
	v := w.sequence.Add(rowTime(r, w.row, w.schema), r.Values)
	w.row++
	if v == nil {
		return nil
	}
	var incident *Incident
	if r.Label {
		incident = w.labels.row(r)
	}
	w.give(v, incident)
	return nil
}

// rowTime stands in for the time that a table need not have.
func rowTime(r history.Row, number int64, s *feature.Schema) int64 {
	if r.Time.IsZero() {
		return number * int64(s.Interval)
	}
	return r.Time.UnixNano()
}

// interruptible ends the reading of a record when its context ends.
type interruptible struct {
	history.Sink
	ctx context.Context
	n   int
}

func (i *interruptible) Point(p *lp.Point) error {
	if err := i.check(); err != nil {
		return err
	}
	return i.Sink.Point(p)
}

func (i *interruptible) Row(r history.Row) error {
	if err := i.check(); err != nil {
		return err
	}
	return i.Sink.Row(r)
}

func (i *interruptible) check() error {
	if i.n++; i.n%1024 == 0 {
		return i.ctx.Err()
	}
	return nil
}
