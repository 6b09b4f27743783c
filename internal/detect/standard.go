package detect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A Standard puts columns on one scale: mean 0, standard deviation 1.
type Standard struct {
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"` // standard deviations; 0: the column does not vary, and becomes 0
}

func fitStandard(rows *mat.Dense) (s Standard) {
	_, columns := rows.Dims()
	for c := range columns {
		mean, scale := meanDeviation(mat.Col(nil, c, rows))
		if !(scale > tiny*math.Max(1, math.Abs(mean))) {
			scale = 0
		}
		s.Mean, s.Scale = append(s.Mean, mean), append(s.Scale, scale)
	}
	return s
}

// varying counts the columns that do.
func (s *Standard) varying() (n int) {
	for _, scale := range s.Scale {
		if scale > 0 {
			n++
		}
	}
	return n
}

func (s *Standard) apply(row []float64) {
	for c, x := range row {
		if row[c] = 0; s.Scale[c] > 0 {
			row[c] = clamp((x-s.Mean[c])/s.Scale[c], maxScore)
		}
	}
}

func (s *Standard) applyAll(rows *mat.Dense) {
	n, _ := rows.Dims()
	for i := range n {
		s.apply(rows.RawRowView(i))
	}
}

// validate checks a standard that came from outside.
func (s *Standard) validate(what string, columns int) error {
	if len(s.Mean) != columns || len(s.Scale) != columns {
		return fmt.Errorf("detect: %s has %d means and %d scales for %d columns", what, len(s.Mean), len(s.Scale), columns)
	}
	for c, scale := range s.Scale {
		if scale != 0 && notAbove(scale) {
			return fmt.Errorf("detect: %s has the scale %v in column %d, want 0 or a number above", what, scale, c)
		}
	}
	return nil
}
