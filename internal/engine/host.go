package engine

import (
	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/retrain"
)

// host is what the engine remembers of a group.
type host struct {
	unit     *retrain.Unit
	baseline baseline
	budget   budget
	budgeted *retrain.Serving // the model that budget was begun for
	alarm    alarm
}

func (e *Engine[T]) host(g *feature.Group) *host {
	h, ok := g.State.(*host)
	if !ok {
		h = &host{unit: e.unitOf(g.Key)}
		g.State = h
	}
	return h
}

// unitOf returns the unit that judges a group.
func (e *Engine[T]) unitOf(group string) *retrain.Unit {
	if e.shared != nil {
		return e.shared
	}
	u := e.units[group]
	if u == nil && e.config.Learner == nil {
		return noUnit
	}
	if u == nil {
		u = e.newUnit(group, groupSample)
		e.units[group] = u
	}
	return u
}

// noUnit judges nothing: there is no model, and learning is off.
var noUnit = retrain.NewFixed(nil)

// Sizes of the samples that models are fitted on.
const (
	groupSample  = 2048
	sharedSample = 16384
)

// sharedUnit is the name of the unit of scope "shared".
const sharedUnit = "all groups"

func (e *Engine[T]) newUnit(name string, sample int) *retrain.Unit {
	u := retrain.NewUnit(name, &e.policy, e.config.Learner, sample, e.config.Detect.Seed^uint64(len(e.units)+1))
	if b := e.config.Learner.Load(name, e.config.Schema); b != nil {
		u.Serve(b)
	} else if e.config.Model != nil {
		u.Serve(e.config.Model)
	}
	if e.config.Reference != nil {
		u.Stand(e.config.Reference)
	}
	return u
}

// context is what the host's model sees: the vector's own numbers, or, where one
// model serves many hosts, these in the host's deviations. ok is false while the
// host's baseline is not known.
func (e *Engine[T]) context(h *host, v *feature.Vector) (context []float64, ok bool) {
	if !e.config.Shared {
		return v.Context, true
	}
	if v.Settled {
		h.baseline.learn(v.Context, e.horizon)
	}
	if !h.baseline.ready() {
		return nil, false
	}
	e.normalized = append(e.normalized[:0], v.Context...)
	h.baseline.normalize(e.normalized, v.Context)
	return e.normalized, true
}

// follow replaces the model's threshold by the host's own, where alarms are
// budgeted.
func (e *Engine[T]) follow(h *host, v *feature.Vector) {
	if e.config.AlarmsPerWeek <= 0 {
		return
	}
	if h.budgeted != h.unit.Champion {
		h.budgeted = h.unit.Champion
		h.budget.begin(h.budgeted.Bundle)
	}
	h.budget.pass(v.Time, h.unit.Regime())
	// Scores near 1 lie too close together to reckon with; their bits do not.
	bits := h.budget.threshold(e.config.AlarmsPerWeek, h.unit.Youth())
	e.verdict.Threshold = detect.ToScore(bits)
	e.verdict.Anomaly = forest.Anomalous(e.verdict.Score, e.verdict.Threshold)
}
