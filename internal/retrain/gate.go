package retrain

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// Limits of the promotion gate.
const (
	maxRateGrowth = 3    // the fresh model may flag this many times as much of the recent past
	maxRate       = 0.05 // or this share of it, whichever is more
	minAgreement  = 0.9  // share of recent vectors on which both say the same
	maxRecallLoss = 0.1  // share of planted anomalies that it may find less
	plantedSize   = 6    // deviations
)

// A Comparison holds a fresh model against the serving one, on recent contexts.
type Comparison struct {
	Rate, RateBefore     float64 // share flagged
	ScoreShift           float64 // median change of the score
	Agreement            float64
	Recall, RecallBefore float64 // share of planted anomalies that are flagged
}

// Compare scores recent contexts, and the same with an anomaly planted into
// one feature each, with both models.
func Compare(fresh, serving *detect.Model, recent *mat.Dense) Comparison {
	a, b := detect.NewScorer(fresh), detect.NewScorer(serving)
	n, width := recent.Dims()
	var c Comparison
	shifts := make([]float64, n)
	planted := make([]float64, width)
	for i := range n {
		x, y := a.Score(recent.RawRowView(i)), b.Score(recent.RawRowView(i))
		c.Rate += toFloat(x.Anomaly)
		c.RateBefore += toFloat(y.Anomaly)
		c.Agreement += toFloat(x.Anomaly == y.Anomaly)
		shifts[i] = x.Score - y.Score

		plant(planted, recent.RawRowView(i), serving, i)
		c.Recall += toFloat(a.Score(planted).Anomaly)
		c.RecallBefore += toFloat(b.Score(planted).Anomaly)
	}
	for _, share := range []*float64{&c.Rate, &c.RateBefore, &c.Agreement, &c.Recall, &c.RecallBefore} {
		*share /= float64(n)
	}
	slices.Sort(shifts)
	c.ScoreShift = shifts[n/2]
	return c
}

// plant shifts the value and the level of feature i (modulo their number) out of
// the serving model's range.
func plant(dst, context []float64, m *detect.Model, i int) {
	copy(dst, context)
	f := i % len(m.Features)
	band := m.Range[f]
	target := band.High + plantedSize*band.Unit
	if i/len(m.Features)%2 == 1 {
		target = band.Low - plantedSize*band.Unit
	}
	c := dst[f*feature.ContextWidth:]
	c[feature.Level] += (target - c[feature.Value]) / 2
	c[feature.Deviation] += math.Abs(target-c[feature.Value]) / 4
	c[feature.Value] = target
}

// Refusal says why the fresh model must not serve, "" if it may.
func (c Comparison) Refusal() string {
	switch {
	case c.Rate > max(maxRate, maxRateGrowth*c.RateBefore):
		return fmt.Sprintf("it flags %.1f %% of the recent past, the serving model %.1f %%", 100*c.Rate, 100*c.RateBefore)
	case c.Agreement < minAgreement && c.Rate > c.RateBefore: // to flag less and find as much is an improvement
		return fmt.Sprintf("it agrees with the serving model on %.0f %% of the recent past only", 100*c.Agreement)
	case c.Recall < c.RecallBefore-maxRecallLoss:
		return fmt.Sprintf("it finds %.0f %% of planted anomalies, the serving model %.0f %%", 100*c.Recall, 100*c.RecallBefore)
	}
	return ""
}

func toFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
