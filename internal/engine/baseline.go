package engine

import (
	"math"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// baselineMin is how many vectors tell where a host's features lie, so that a
// model of all hosts can judge it.
const baselineMin = 30

// A baseline is where each feature of one host usually lies and how far it strays.
// It makes hosts of different size comparable, so that one model can serve them
// all. Rates are taken by their logarithm: they multiply rather than add, and with
// a deviation as large as the mean no drop would ever be far from it.
type baseline struct {
	Born      int64 // time of the first context
	Seen      int
	Size      []float64 // mean; rates below a tenth of it are as good as 0
	Mean      []float64 // on the scale of the model
	Deviation []float64
}

// A yardstick is what the baselines of all hosts have in common.
type yardstick struct {
	rates     []bool // features that are rates
	day, week int    // in vectors
}

func newYardstick(s *feature.Schema, day int) yardstick {
	y := yardstick{day: max(baselineMin, day), week: 7 * max(baselineMin, day)}
	for _, f := range s.Features {
		y.rates = append(y.rates, f.Kind == feature.Counter && f.Scale > 0 && f.Offset == 0)
	}
	return y
}

// learn moves the baseline by one context. The mean forgets within a day, so that
// a lasting change becomes usual, the deviation within a week: an incident of
// hours must not make itself small. Values beyond four deviations count as four.
func (y *yardstick) learn(b *baseline, t int64, context []float64) {
	if b.Seen == 0 {
		n := len(y.rates)
		all := make([]float64, 3*n) // one piece of memory: there are many hosts
		b.Born, b.Size, b.Mean, b.Deviation = t, all[:n], all[n:2*n], all[2*n:]
	}
	b.Seen++
	short, long := 1/float64(min(b.Seen, y.day)), 1/float64(min(b.Seen, y.week))
	for f := range b.Mean {
		x := context[f*feature.ContextWidth+feature.Value]
		b.Size[f] += long * (x - b.Size[f])
		d := y.curve(b, f).At(x) - b.Mean[f]
		if limit := 4 * b.scale(f); b.Seen > baselineMin && math.Abs(d) > limit {
			d = math.Copysign(limit, d)
		}
		b.Mean[f] += short * d
		b.Deviation[f] = math.Sqrt((1 - long) * (b.Deviation[f]*b.Deviation[f] + long*d*d))
	}
}

func (b *baseline) ready() bool { return b.Seen >= baselineMin }

// youngWeight is that of a host's first day: its deviation still lacks what the
// hours bring, and its numbers are too large. They serve where there are no others.
const youngWeight = 1e-3

// weight is how much a host's numbers tell about those of all hosts.
func (y *yardstick) weight(b *baseline) float64 {
	if b.Seen < y.day {
		return youngWeight
	}
	return 1
}

// scale is never 0: a feature that hardly moves is measured by its size.
func (b *baseline) scale(f int) float64 {
	return math.Max(b.Deviation[f], math.Max(0.01*math.Abs(b.Mean[f]), 1e-9))
}

// curve is the scale on which the model of all hosts sees a feature of this one.
func (y *yardstick) curve(b *baseline, f int) detect.Curve {
	if y.rates[f] {
		return detect.Log(b.Size[f])
	}
	return detect.Curve{}
}

// normalize writes context in deviations from the usual to dst, which may be the
// same.
func (y *yardstick) normalize(b *baseline, dst, context []float64) {
	for f := range b.Mean {
		from, to := context[f*feature.ContextWidth:], dst[f*feature.ContextWidth:]
		curve, scale := y.curve(b, f), b.scale(f)
		slope := curve.Slope(from[feature.Level]) // before to, which may be from, is written
		to[feature.Value] = (curve.At(from[feature.Value]) - b.Mean[f]) / scale
		to[feature.Level] = (curve.At(from[feature.Level]) - b.Mean[f]) / scale
		to[feature.Deviation] = from[feature.Deviation] * slope / scale
		to[feature.Run] = from[feature.Run]
	}
}

// value is the way back: what lies so many deviations from the usual.
func (y *yardstick) value(b *baseline, f int, deviations float64) float64 {
	return y.curve(b, f).Back(b.Mean[f] + deviations*b.scale(f))
}
