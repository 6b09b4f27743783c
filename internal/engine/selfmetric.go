package engine

import (
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

// SelfMetric appends what an operator wants to know about the engine.
func (e *Engine[T]) SelfMetric(dst []lp.Value) []lp.Value {
	c := &e.Counts
	dst = append(dst,
		lp.Int("vectors", int64(c.Vectors)), lp.Int("scored", int64(c.Scored)), lp.Int("anomalies", int64(c.Anomalies)),
		lp.Int("learning", int64(c.Learning)), lp.Int("missing", int64(c.Missing)), lp.Int("warming", int64(c.Warming)),
		lp.Int("already_annotated", int64(c.Annotated)), lp.Int("errors_score", int64(c.Panics)),
		lp.Int("errors_fit", int64(c.FitErrors)), lp.Int("promotions", int64(c.Promotions)), lp.Int("reasons_shortened", int64(c.Shortened)),
		lp.Float("latency_p50_ms", milliseconds(e.delays.quantile(0.5))),
		lp.Float("latency_p99_ms", milliseconds(e.delays.quantile(0.99))))
	if j := e.joiner; j != nil {
		dst = append(dst,
			lp.Int("hosts", int64(j.Groups())), lp.Int("late", int64(j.Counts.Late)), lp.Int("duplicate", int64(j.Counts.Duplicate)),
			lp.Int("invalid", int64(j.Counts.Invalid)), lp.Int("evicted", int64(j.Counts.Evicted)), lp.Int("refused", int64(j.Counts.Refused)), lp.Int("resynced", int64(j.Counts.Resynced)))
	}
	if e.shared != nil && e.shared.Champion != nil {
		dst = append(dst, lp.Float("disagreement", e.shared.Disagreement()), lp.String(FieldModel, e.shared.Champion.Bundle.ID()))
	}
	if to := e.oldest(); !to.IsZero() {
		dst = append(dst, lp.Float("model_age_s", e.now.Sub(to).Seconds()))
	}
	return dst
}

// oldest is when the training data of the oldest model end that judges a group.
func (e *Engine[T]) oldest() (to time.Time) {
	if e.joiner == nil {
		return to
	}
	e.joiner.Each(func(g *feature.Group) {
		h, ok := g.State.(*host)
		if !ok || h.unit.Champion == nil {
			return
		}
		if t := h.unit.Champion.Bundle.Provenance.To; to.IsZero() || t.Before(to) {
			to = t
		}
	})
	return to
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// State sums up what the engine is doing: "ok", "learning" or "degraded".
func (e *Engine[T]) State() string {
	switch c := &e.Counts; {
	case c.Panics > 0:
		return "degraded"
	case c.Scored == 0 && c.Learning > 0:
		return "learning"
	}
	return "ok"
}
