package engine

import (
	"math"

	"telegraf-anomaly/internal/feature"
)

// baselineMin is how many vectors tell where a host's features lie, so that a
// model of all hosts can judge it.
const baselineMin = 30

// A baseline is where each feature of one host usually lies. It makes hosts of
// different size comparable, so that one model can serve them all. Its memory
// fades over the horizon: a lasting change becomes usual.
type baseline struct {
	Seen      int
	Mean      []float64
	Deviation []float64
}

// learn moves the baseline by one context. Values beyond four deviations count
// as four: an incident moves it little.
func (b *baseline) learn(context []float64, horizon int) {
	if b.Mean == nil {
		n := len(context) / feature.ContextWidth
		b.Mean, b.Deviation = make([]float64, n), make([]float64, n)
	}
	b.Seen++
	rate := 1 / float64(min(b.Seen, horizon))
	for f := range b.Mean {
		d := context[f*feature.ContextWidth+feature.Value] - b.Mean[f]
		if limit := 4 * b.scale(f); b.Seen > baselineMin && math.Abs(d) > limit {
			d = math.Copysign(limit, d)
		}
		b.Mean[f] += rate * d
		variance := (1 - rate) * (b.Deviation[f]*b.Deviation[f] + rate*d*d)
		b.Deviation[f] = math.Sqrt(variance)
	}
}

func (b *baseline) ready() bool { return b.Seen >= baselineMin }

// scale is never 0: a feature that hardly moves is measured by its size.
func (b *baseline) scale(f int) float64 {
	return math.Max(b.Deviation[f], math.Max(0.01*math.Abs(b.Mean[f]), 1e-9))
}

// normalize writes context in deviations from the usual to dst.
func (b *baseline) normalize(dst, context []float64) {
	for f := range b.Mean {
		from, to := context[f*feature.ContextWidth:], dst[f*feature.ContextWidth:]
		scale := b.scale(f)
		to[feature.Value] = (from[feature.Value] - b.Mean[f]) / scale
		to[feature.Level] = (from[feature.Level] - b.Mean[f]) / scale
		to[feature.Deviation] = from[feature.Deviation] / scale
		to[feature.Run] = from[feature.Run]
	}
}
