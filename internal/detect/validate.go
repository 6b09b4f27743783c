package detect

import (
	"fmt"
	"math"
	"slices"
)

// Validate checks a model that came from outside: sizes that belong together,
// and numbers that can be computed with.
func (m *Model) Validate(names []string) error {
	n := len(m.Features)
	switch {
	case !slices.Equal(m.Features, names):
		return fmt.Errorf("detect: the model is for features %q, want %q", m.Features, names)
	case m.Columns != rawColumns && m.Columns != pastColumns && m.Columns != fullColumns:
		return fmt.Errorf("detect: unknown columns %q", m.Columns)
	case (m.Columns == fullColumns) != (m.Residual != nil):
		return fmt.Errorf("detect: columns %q and the residual contradict each other", m.Columns)
	case m.Forest.Columns() != n*m.Columns.perFeature():
		return fmt.Errorf("detect: the forest has %d columns, want %d", m.Forest.Columns(), n*m.Columns.perFeature())
	case len(m.Range) != n || len(m.Median) != n || len(m.Still) != n:
		return fmt.Errorf("detect: range, median and still must have %d entries", n)
	case !(m.Threshold > 0 && m.Threshold <= 1):
		return fmt.Errorf("detect: threshold %v is not in (0, 1]", m.Threshold)
	}
	if err := m.Options.Check(); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	if err := checkBands("range", m.Range); err != nil {
		return err
	}
	return m.validateJoint(n)
}

func (m *Model) validateJoint(n int) error {
	if r := m.Residual; r != nil {
		p := n * parts
		if len(r.Mean) != p || len(r.Scale) != p || len(r.Components) > p || slices.ContainsFunc(r.Components, func(c []float64) bool { return len(c) != p }) {
			return fmt.Errorf("detect: the residual's parts do not have %d columns", p)
		}
		if len(r.Variance) != len(r.Components) || !(r.Noise > 0) || slices.ContainsFunc(r.Variance, func(v float64) bool { return !(v > 0) }) {
			return fmt.Errorf("detect: the residual needs a variance above 0 for each component, and for the rest")
		}
	}
	if r := m.Relation; r != nil {
		if len(r.Mean) != n || len(r.Scale) != n || len(r.Q) != n || len(r.Band) != n || slices.ContainsFunc(r.Q, func(q []float64) bool { return len(q) != n }) {
			return fmt.Errorf("detect: the relation's parts do not have %d features", n)
		}
		return checkBands("relation", r.Band)
	}
	return nil
}

// checkBands needs no check for NaN: JSON cannot hold one.
func checkBands(what string, bands []Band) error {
	for f, b := range bands {
		if b.Low > b.High || !(b.Unit > 0) || math.IsInf(1/b.Unit, 0) {
			return fmt.Errorf("detect: %s band %d [%v, %v] in units of %v makes no sense", what, f, b.Low, b.High, b.Unit)
		}
	}
	return nil
}
