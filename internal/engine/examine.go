package engine

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// examine scores a vector, or says why not. Whatever goes wrong in there must
// not cost a line.
func (e *Engine[T]) examine(h *host, v *feature.Vector) (s Status) {
	defer func() {
		if r := recover(); r != nil {
			e.Counts.Panics++
			e.Counts.LastPanic = fmt.Sprintf("%v at %s", r, caller())
			e.served, e.compared, e.why = nil, false, ""
			s = StatusError
		}
	}()
	e.served, e.compared, e.why = nil, false, ""
	u := h.unit
	u.Poll(v.Time)
	if u.Champion != nil {
		complete(v, u.Champion.Bundle)
	}
	if !v.Complete() {
		return StatusMissing
	}
	context, ok := e.context(h, v)
	if !ok {
		return StatusLearning
	}
	if u.Champion == nil {
		if u.Fixed() {
			return StatusNoModel
		}
		if v.Settled {
			e.observe(h, v, context, nil)
		}
		return StatusLearning
	}
	return e.score(h, v, context)
}

// score judges a complete vector by the unit's champion.
func (e *Engine[T]) score(h *host, v *feature.Vector, context []float64) Status {
	u := h.unit
	e.served = u.Champion
	if err := e.served.Scorer.Explain(&e.verdict, context); err != nil {
		panic(err)
	}
	e.follow(h, v)
	if !v.Settled {
		e.verdict.Anomaly = false
		h.alarm.rest()
		return StatusWarming
	}
	e.other, e.compared = u.Compare(v.Time, context, &e.verdict)
	plain := e.verdict
	e.alarm(h, v, context)
	if e.verdict.Anomaly && h.alarm.Start == v.Time {
		h.budget.alarmed(e.youth(h, v.Time))
	}
	if e.verdict.Anomaly {
		e.why = e.reason(h, v)
	}
	e.observe(h, v, context, &plain) // last: it may put another model into service
	return StatusOK
}

// alarm turns the verdict into whether the host is in alarm.
func (e *Engine[T]) alarm(h *host, v *feature.Vector, context []float64) {
	if e.quiet(v) {
		h.alarm.rest()
		e.verdict.Anomaly = false
		return
	}
	above := e.verdict.Anomaly && e.speaks(h, v, context)
	e.verdict.Anomaly = h.alarm.update(e.config.Alarm, v.Time, above, v.Group.Key, e.config.Schema.Interval)
}

// observe lets the unit learn from a vector, unless it lies in a maintenance
// window.
func (e *Engine[T]) observe(h *host, v *feature.Vector, context []float64, plain *detect.Verdict) {
	if e.quiet(v) {
		h.unit.Pass(v.Time, plain)
	} else {
		h.unit.Observe(v.Time, context, e.weight(&h.baseline), plain)
	}
}

// quiet reports whether the vector lies in a maintenance window.
func (e *Engine[T]) quiet(v *feature.Vector) bool {
	return e.config.Quiet != nil && e.config.Quiet(v.Group.Key, time.Unix(0, v.Time))
}

// complete puts the training set's medians in for missing features, under policy
// Median.
func complete(v *feature.Vector, b *model.Bundle) {
	if b.Schema.Missing != feature.Median {
		return
	}
	for f, missing := range v.Missing {
		if missing {
			v.Fill(f, b.Detector.Median[f])
		}
	}
}

// speaks reports whether the vector would still be above the threshold if it were
// not for features that may not raise an alarm now: those that strayed in a
// direction nobody minds, or too little to matter. It must be so without their
// push, and, since features that keep them company share the blame, also if their
// value, or all of their past too, were in the middle of what is usual.
func (e *Engine[T]) speaks(h *host, v *feature.Vector, context []float64) bool {
	muted, now, always := 0.0, slices.Clone(context), slices.Clone(context)
	for f := range e.config.Schema.Features {
		if push := e.verdict.Shap[f]; push > 0 && e.muted(h, v, f) {
			muted += push
			from, to := f*feature.ContextWidth, (f+1)*feature.ContextWidth
			copy(now[from:to], e.suppose(h, v, f, middle(e.usual(h, f)))[from:to])
			e.settle(h, always, f)
		}
	}
	return muted == 0 || forest.Anomalous(e.verdict.Without(muted), e.verdict.Threshold) && e.above(h, now) && e.above(h, always)
}

// suppose is the context that the model would see if feature f had the value x.
func (e *Engine[T]) suppose(h *host, v *feature.Vector, f int, x float64) []float64 {
	e.supposed = append(e.supposed[:0], v.Context...)
	v.Suppose(e.supposed, f, x)
	if e.config.Shared {
		e.normalize(&h.baseline, e.supposed, e.supposed)
	}
	return e.supposed
}

// settle makes value and past of feature f usual in a context, and returns that.
func (e *Engine[T]) settle(h *host, context []float64, f int) []float64 {
	usual := h.unit.Champion.Bundle.Detector.Usual.Middle
	parts := len(usual) / len(e.config.Schema.Features)
	copy(context[f*feature.ContextWidth:], usual[f*parts:(f+1)*parts])
	return context
}

// above reports whether a supposed context would be an anomaly.
func (e *Engine[T]) above(h *host, context []float64) bool {
	return forest.Anomalous(h.unit.Champion.Scorer.Score(context).Score, e.verdict.Threshold)
}

// muted reports whether the feature may not raise an alarm now.
func (e *Engine[T]) muted(h *host, v *feature.Vector, f int) bool {
	watch, band := &e.config.Schema.Features[f].Watch, e.usual(h, f)
	return !watch.Free() && !watch.Minds(v.Values[f], middle(band))
}

// caller names the place of a panic, the first function outside the runtime.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
	}
}
