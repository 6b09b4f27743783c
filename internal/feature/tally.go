package feature

import "math"

// tally combines the series of one feature.
type tally struct {
	n        int
	sum, max float64
	lost     bool // a series that should have reported did not
}

func (t *tally) add(x float64, got yield) {
	switch {
	case got >= lost:
		t.lost = true
	case got == value:
		t.sum += x
		if t.n == 0 || x > t.max {
			t.max = x
		}
		t.n++
	}
}

// value is not ok when no series reported, or when one that should have did not.
func (t *tally) value(combine string) (float64, bool) {
	if t.n == 0 || t.lost {
		return math.NaN(), false
	}
	switch combine {
	case Max:
		return t.max, true
	case Mean:
		return t.sum / float64(t.n), true
	}
	return t.sum, true
}
