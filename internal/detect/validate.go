package detect

import (
	"errors"
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
	if err := checkCurves(m.Curves, n); err != nil {
		return err
	}
	return m.validateJoint(n)
}

func (m *Model) validateJoint(n int) error {
	if len(m.Usual.Middle) != n*parts || len(m.Usual.Unit) != n*parts || slices.ContainsFunc(m.Usual.Unit, notAbove) {
		return fmt.Errorf("detect: usual must have %d middles, and as many units above 0", n*parts)
	}
	if j := m.Usual.Jump; j != nil && (len(j) != n || slices.ContainsFunc(j, notAbove)) {
		return fmt.Errorf("detect: usual must have %d units of jumps above 0, or none", n)
	}
	var faults []error
	if m.Residual != nil {
		faults = append(faults, m.Residual.validate(n*parts))
	}
	if m.Relation != nil {
		faults = append(faults, m.Relation.validate(n))
	}
	if m.Jump != nil {
		faults = append(faults, m.Jump.validate(n))
	}
	if m.Standard != nil {
		faults = append(faults, m.Standard.validate("the standard", m.Forest.Columns()))
	}
	return errors.Join(faults...)
}

func (r *Relation) validate(n int) error {
	if len(r.Q) != n || len(r.Band) != n || slices.ContainsFunc(r.Q, func(q []float64) bool { return len(q) != n }) {
		return fmt.Errorf("detect: the relation's parts do not have %d features", n)
	}
	return errors.Join(r.Standard.validate("the relation", n), checkBands("relation", r.Band))
}

func (j *Jump) validate(n int) error {
	if len(j.Q) != n || slices.ContainsFunc(j.Q, func(q []float64) bool { return len(q) != n }) {
		return fmt.Errorf("detect: the jump's parts do not have %d features", n)
	}
	if notAbove(j.Calm) {
		return fmt.Errorf("detect: the jump's calm distance %v must be above 0", j.Calm)
	}
	return j.Standard.validate("the jump", n)
}

func (r *Residual) validate(columns int) error {
	switch {
	case len(r.Components) > columns,
		slices.ContainsFunc(r.Components, func(c []float64) bool { return len(c) != columns }):
		return fmt.Errorf("detect: the residual's parts do not have %d columns", columns)
	case len(r.Variance) != len(r.Components) || slices.ContainsFunc(r.Variance, notAbove):
		return fmt.Errorf("detect: the residual must have a variance above 0 for each of %d components", len(r.Components))
	case notAbove(r.Noise) || r.Typical < 0:
		return fmt.Errorf("detect: the residual's noise %v must be above 0 and its typical distance %v not below", r.Noise, r.Typical)
	}
	return r.Standard.validate("the residual", columns)
}

func checkCurves(curves []Curve, n int) error {
	if len(curves) != 0 && len(curves) != n {
		return fmt.Errorf("detect: %d curves for %d features", len(curves), n)
	}
	for f, c := range curves {
		if c.Knee == 0 {
			continue
		}
		if notAbove(c.Knee) {
			return fmt.Errorf("detect: curve %d has its knee at %v, want a number above 0", f, c.Knee)
		}
		if err := checkBands("curve", []Band{c.Range}); err != nil {
			return err
		}
	}
	return nil
}

// notAbove reports a number that nothing can be divided by.
func notAbove(x float64) bool { return !(x > 0) || math.IsInf(1/x, 0) }

// checkBands needs no check for NaN: JSON cannot hold one.
func checkBands(what string, bands []Band) error {
	for f, b := range bands {
		if b.Low > b.High || notAbove(b.Unit) {
			return fmt.Errorf("detect: %s band %d [%v, %v] in units of %v makes no sense", what, f, b.Low, b.High, b.Unit)
		}
	}
	return nil
}
