package detect

import (
	"fmt"
	"time"
)

// Options say how a Model is fitted. The zero value of a number asks for its
// default but for the weights and Contamination, where 0 means off.
type Options struct {
	Trees      int    `json:"trees"`       // default 100
	SampleSize int    `json:"sample_size"` // default 256
	Seed       uint64 `json:"seed"`
	Workers    int    `json:"-"` // goroutines; the result does not depend on it

	// Standardize puts the forest's columns on one scale, see Model.Standard. Splits
	// do not depend on a unit, so that only who reads the trees sees a difference.
	Standardize bool `json:"standardize,omitempty"`

	// Weights are in bits of score. The terms that they weigh grow with the
	// logarithm of a distance.
	RangeWeight    float64 `json:"range_weight"`    // values outside the training range
	ResidualWeight float64 `json:"residual_weight"` // far from the usual company of the other features
	RelationWeight float64 `json:"relation_weight"` // a level that the other features contradict
	JumpWeight     float64 `json:"jump_weight"`     // values that leave their levels at once
	FlatWeight     float64 `json:"flat_weight"`     // a value that stands still

	// Contamination sets the threshold to the (1-Contamination) quantile of the
	// training scores. AlarmsPerWeek, where it is above 0, sets it on the last part
	// of the rows, Interval apart, which are held out for that: see Model.Expected.
	Contamination float64       `json:"contamination"`
	AlarmsPerWeek float64       `json:"alarms_per_week,omitempty"`
	Interval      time.Duration `json:"-"`
}

// DefaultOptions are the shipped defaults. docs/BENCHMARKS.md shows what each
// ingredient brings.
func DefaultOptions() Options {
	return Options{
		Trees: 100, SampleSize: 256, Contamination: 0.0025,
		RangeWeight: 0.2, ResidualWeight: 0.1, RelationWeight: 0.3, JumpWeight: 0.15, FlatWeight: 0.35,
	}
}

// Classic turns everything off that a plain isolation forest does not have.
func (o Options) Classic() Options {
	o.RangeWeight, o.ResidualWeight, o.RelationWeight, o.JumpWeight, o.FlatWeight = 0, 0, 0, 0, 0
	return o
}

// Check reports the first option that is out of range.
func (o *Options) Check() error {
	for _, w := range []struct {
		name  string
		value float64
	}{
		{"range_weight", o.RangeWeight}, {"residual_weight", o.ResidualWeight},
		{"relation_weight", o.RelationWeight}, {"jump_weight", o.JumpWeight}, {"flat_weight", o.FlatWeight},
	} {
		if !(w.value >= 0 && w.value <= 10) {
			return fmt.Errorf("%s = %v must be between 0 and 10 bits", w.name, w.value)
		}
	}
	if !(o.Contamination >= 0 && o.Contamination <= 0.5) {
		return fmt.Errorf("contamination = %v must be above 0 and at most 0.5", o.Contamination)
	}
	if !(o.AlarmsPerWeek >= 0 && o.AlarmsPerWeek <= 1e6) {
		return fmt.Errorf("alarms_per_week = %v must be between 0 and 1e6", o.AlarmsPerWeek)
	}
	if o.Contamination == 0 && o.AlarmsPerWeek == 0 {
		return fmt.Errorf("one of contamination and alarms_per_week must be above 0")
	}
	return nil
}
