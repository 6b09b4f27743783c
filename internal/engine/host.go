package engine

import (
	"maps"

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
	if e.units[group] == nil {
		e.units[group] = e.newUnit(group, groupSample)
		if len(e.units) > 2*e.joiner.Groups()+unitSlack {
			e.forget()
		}
	}
	return e.units[group]
}

// unitSlack keeps a few groups that come and go from a search through all units.
const unitSlack = 64

// forget drops the units of groups that the joiner has forgotten. Their models
// stay in the store.
func (e *Engine[T]) forget() {
	known := map[string]bool{}
	e.joiner.Each(func(g *feature.Group) { known[g.Key] = true })
	maps.DeleteFunc(e.units, func(name string, _ *retrain.Unit) bool { return !known[name] })
}

// Sizes of the samples that models are fitted on.
const (
	groupSample  = 2048
	sharedSample = 16384
)

// sharedUnit is the name of the unit of scope "shared".
const sharedUnit = "all groups"

func (e *Engine[T]) newUnit(name string, sample int) *retrain.Unit {
	u := retrain.NewUnit(name, &e.policy, e.config.Learner, sample, e.config.Detect.Seed^uint64(len(e.units)+1))
	u.Mixed, u.Given = e.config.Shared, e.config.Model
	if b := e.config.Learner.Load(name, e.config.Schema); b != nil {
		u.Serve(b, false)
	} else if e.config.Model != nil {
		u.Serve(e.config.Model, true)
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
	if v.Settled && !e.quiet(v) {
		e.yardstick.learn(&h.baseline, v.Time, v.Context)
	}
	if !h.baseline.ready() {
		return nil, false
	}
	e.normalized = append(e.normalized[:0], v.Context...)
	e.normalize(&h.baseline, e.normalized, v.Context)
	return e.normalized, true
}

// youth is that of the unit, or of the host if that came later.
func (e *Engine[T]) youth(h *host, t int64) float64 {
	if e.config.Shared {
		return max(h.unit.Youth(t), e.policy.Youth(h.baseline.Born, t))
	}
	return h.unit.Youth(t)
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
	bits := h.budget.threshold(e.config.AlarmsPerWeek, e.youth(h, v.Time))
	e.verdict.Threshold = detect.ToScore(bits)
	e.verdict.Anomaly = forest.Anomalous(e.verdict.Score, e.verdict.Threshold)
}
