package feature

import (
	"math"
	"path"

	"telegraf-anomaly/internal/lp"
)

// selects reports whether series p feeds feature f, judging by its tags.
func (f *Feature) selects(p *lp.Point) bool {
	for tag, want := range f.Tags {
		if string(p.Tag(tag)) != want {
			return false
		}
	}
	for tag, patterns := range f.Include {
		if !matchAny(patterns, p.Tag(tag)) {
			return false
		}
	}
	for tag, patterns := range f.Exclude {
		if matchAny(patterns, p.Tag(tag)) {
			return false
		}
	}
	return true
}

func matchAny(patterns []string, value []byte) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, string(value)); ok { // patterns were checked by Normalize
			return true
		}
	}
	return false
}

// valid applies the linear transform and the valid range. A value that misses
// the range by rounding only (a thousandth of it, or of 1) is clamped; any other
// counts as missing.
func (f *Feature) valid(raw float64) (v float64, ok bool) {
	return f.bounded(float64(f.Scale*raw) + f.Offset)
}

// biggest is the largest number that can be anything's measure: squares of what is
// below, and a forest's float32, stay finite.
const biggest = 1e30

// bounded is valid without the transform.
func (f *Feature) bounded(v float64) (_ float64, ok bool) {
	tolerance := 1e-3
	if f.Min != nil && f.Max != nil {
		tolerance *= *f.Max - *f.Min
	}
	if f.Min != nil && v < *f.Min {
		return *f.Min, v >= *f.Min-tolerance
	}
	if f.Max != nil && v > *f.Max {
		return *f.Max, v <= *f.Max+tolerance
	}
	return v, math.Abs(v) <= biggest // which NaN is not
}
