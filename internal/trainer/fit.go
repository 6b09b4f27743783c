package trainer

import (
	"context"
	"math"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
)

// Fit makes a model of a training set, with the threshold that o.Contamination
// gives. p adds to the provenance what only the caller knows.
func Fit(s *Set, o detect.Options, p model.Provenance) (*model.Bundle, error) {
	return FitAt(s, o, 0, p)
}

// FitAt is Fit with a threshold from elsewhere, unless that is 0.
func FitAt(s *Set, o detect.Options, threshold float64, p model.Provenance) (*model.Bundle, error) {
	o.Interval = s.Schema.Interval
	d, err := detect.Fit(s.Contexts, s.Schema.Names(), s.Schema.Windowed(), o)
	if err != nil {
		return nil, err
	}
	if threshold > 0 {
		d.Threshold = threshold
	}
	p.DataDigest, p.Dropped, p.Groups, p.From, p.To = s.Digest, s.Dropped, s.Groups, s.From, s.To
	return model.New(s.Schema, d, s.Contexts, p)
}

// A Split cuts a record in the order of time: before Validation is the training
// part, from Test on the test part. Nothing is shuffled: rows next to each other
// are alike, and a model that has seen the one has seen the other.
type Split struct{ Validation, Test time.Time }

// maxHeldOut is how many vectors are held out at most: more would cost memory and
// say nothing new.
const maxHeldOut = 1_000_000

// SplitAt cuts 70, 15 and 15 % of the time in which rows vectors lie. Where 30 %
// would be more than a million vectors, less is held out.
func SplitAt(from, to time.Time, rows int) Split {
	share := math.Min(.3, maxHeldOut/float64(max(1, rows)))
	heldOut := time.Duration(share * float64(to.Sub(from)))
	return Split{Validation: to.Add(-heldOut), Test: to.Add(-heldOut / 2)}
}

// HeldOut is what a model does on the end of the record, having been fitted on
// its beginning with the same options.
type HeldOut struct {
	From      time.Time
	Labelled  bool
	Threshold float64 // the lowest that keeps to AlarmsPerWeek on these rows; 0 if that is not asked for
	Measurement
}

// Rehearse fits on the part before Validation and judges what follows from on.
func Rehearse(ctx context.Context, s *Set, t *Table, o detect.Options, split Split, from time.Time) (*HeldOut, error) {
	part, err := s.Before(split.Validation)
	if err != nil {
		return nil, err
	}
	b, err := Fit(part, o, model.Provenance{})
	if err != nil {
		return nil, err
	}
	j, err := JudgeTable(ctx, t, b, from, max(1, o.Workers))
	if err != nil {
		return nil, err
	}
	h := &HeldOut{From: from, Labelled: t.Labelled(from)}
	if o.AlarmsPerWeek > 0 {
		h.Threshold = j.budget(o.AlarmsPerWeek)
	}
	h.Measurement = Measure(j, s.Schema.Names())
	return h, nil
}
