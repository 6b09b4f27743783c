package engine

import (
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// A Learner fits models of what a group has shown so far.
type Learner interface {
	// Fit starts a fit. done is called once, from any goroutine.
	Fit(group string, contexts *mat.Dense, s feature.Schema, o detect.Options, done func(*model.Bundle, error))
	// Load returns the model that an earlier run left for the group, or nil.
	Load(group string, s feature.Schema) *model.Bundle
}

// unit is one model and what learning it needs. It serves one group, or all.
type unit struct {
	bundle  *model.Bundle
	scorer  *detect.Scorer
	rows    []float64
	count   int
	pending chan fitted // a fit is under way
}

type fitted struct {
	bundle *model.Bundle
	err    error
}

func newUnit(b *model.Bundle) *unit {
	u := &unit{}
	u.serve(b)
	return u
}

func (u *unit) serve(b *model.Bundle) {
	if b != nil {
		u.bundle, u.scorer, u.rows = b, detect.NewScorer(b.Detector), nil
	}
}

func (u *unit) progress(want int) float64 { return min(1, float64(u.count)/float64(want)) }

// host is what the engine remembers of a group.
type host struct{ unit *unit }

func (e *Engine[T]) host(g *feature.Group) *host {
	h, ok := g.State.(*host)
	if !ok {
		h = &host{unit: e.shared}
		if h.unit == nil {
			h.unit = newUnit(nil)
			if e.config.Learner != nil {
				h.unit.serve(e.config.Learner.Load(g.Key, e.config.Schema))
			}
		}
		g.State = h
	}
	return h
}

// learn collects complete, warm vectors of a group until they suffice for a fit.
func (e *Engine[T]) learn(h *host, v *feature.Vector) Status {
	u := h.unit
	if u.pending != nil {
		e.collect(u)
	}
	switch {
	case e.config.Learner == nil:
		return StatusNoModel
	case !v.Complete():
		return StatusMissing
	case !v.Settled:
		return StatusLearning
	}
	if u.count < 4*e.config.MinSamples {
		u.rows = append(u.rows, v.Context...)
		u.count++
	}
	if u.count >= e.config.MinSamples && u.pending == nil && u.bundle == nil {
		e.fit(u, v)
	}
	return StatusLearning
}

func (e *Engine[T]) fit(u *unit, v *feature.Vector) {
	pending := make(chan fitted, 1)
	u.pending = pending
	contexts := mat.NewDense(u.count, len(v.Context), append([]float64(nil), u.rows...))
	e.config.Learner.Fit(v.Group.Key, contexts, e.config.Schema, e.config.Detect, func(b *model.Bundle, err error) {
		pending <- fitted{b, err}
	})
	e.collect(u)
}

// collect takes a finished fit into service.
func (e *Engine[T]) collect(u *unit) {
	select {
	case f := <-u.pending:
		u.pending = nil
		if f.err != nil {
			e.Counts.FitErrors++
			u.rows, u.count = u.rows[:0], 0 // start over: what it saw made no model
			return
		}
		e.Counts.Fits++
		u.serve(f.bundle)
	default:
	}
}
