package trainer

import (
	"errors"
	"fmt"
	"time"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/sim"
)

var emptyProvenance model.Provenance

// ErrNoIncident says that there is nothing to measure a detector by.
var ErrNoIncident = errors.New("trainer: no labels, and no incident could be planted")

// perKind is how many incidents of each kind are planted into a group.
const perKind = 3

// validation is the table up to the test part, with planted incidents after the
// training part if it has none of its own.
func validation(t *Table, split Split, seed uint64) (v *Table, planted bool, err error) {
	v = &Table{Schema: t.Schema}
	for _, s := range t.Series {
		v.Series = append(v.Series, s.Clone(split.Test))
	}
	if v.Labelled(split.Validation) {
		return v, false, nil
	}
	var failure error
	n := 0
	for i, s := range v.Series {
		if err := s.Plant(seed+uint64(i), &t.Schema, split.Validation); err != nil {
			failure = err
			continue
		}
		n += len(s.Events)
	}
	if n == 0 {
		return nil, true, fmt.Errorf("%w: %w", ErrNoIncident, failure)
	}
	return v, true, nil
}

// Plant puts incidents into the rows since from, in place.
func (s *Series) Plant(seed uint64, schema *feature.Schema, from time.Time) error {
	first := s.at(from)
	var columns []sim.Column
	for _, f := range schema.Features {
		c := sim.Column{Name: f.Name}
		if f.Min != nil && f.Max != nil {
			c.Min, c.Max = *f.Min, *f.Max
		}
		columns = append(columns, c)
	}
	events, err := sim.Plant(seed, s.Rows[first:], columns, schema.Interval, perKind)
	if err != nil {
		return err
	}
	s.Events = nil
	for _, e := range events {
		s.Events = append(s.Events, eval.Event{Start: e.Start + first, End: e.End + first, Kind: e.Kind, Cause: e.Cause})
	}
	return nil
}
