package retrain

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// quietPast are contexts of a quiet host.
func quietPast(n int) *mat.Dense {
	m := mat.NewDense(n, 2*feature.ContextWidth, nil)
	random := rand.New(rand.NewPCG(9, 9))
	for i := range n {
		m.SetRow(i, context(random, 20))
	}
	return m
}

// A model is as good as itself, and another one of the same stream may serve.
func TestEqualModelPasses(t *testing.T) {
	a, b := fitted(t, 600, 0, 1), fitted(t, 600, 0, 2)
	c := Compare(a.Detector, a.Detector, quietPast(300))
	require.Equal(t, 1.0, c.Agreement)
	require.Zero(t, c.ScoreShift)
	require.Equal(t, c.Rate, c.RateBefore)
	require.Equal(t, c.Recall, c.RecallBefore)
	require.Greater(t, c.Recall, 0.95, "planted anomalies are found")
	require.Empty(t, c.Refusal())
	require.Empty(t, Compare(b.Detector, a.Detector, quietPast(300)).Refusal())
}

// A model that was fitted on 30 % anomalies finds fewer planted ones, and a
// nervous one flags too much: neither may serve.
func TestWorseModelsAreRefused(t *testing.T) {
	good := fitted(t, 600, 0, 1)
	poisoned := Compare(fitted(t, 600, 0.3, 2).Detector, good.Detector, quietPast(300))
	require.Less(t, poisoned.Recall, poisoned.RecallBefore-maxRecallLoss)
	require.Contains(t, poisoned.Refusal(), "of planted anomalies")
	require.Contains(t, Compare(nervous(good).Detector, good.Detector, quietPast(300)).Refusal(), "it flags")
	require.Empty(t, Compare(good.Detector, nervous(good).Detector, quietPast(300)).Refusal(), "to flag less and find as much is an improvement")
}

func TestRefusalTable(t *testing.T) {
	fine := Comparison{Rate: 0.01, RateBefore: 0.01, Agreement: 0.99, Recall: 0.9, RecallBefore: 0.9}
	for _, c := range []struct {
		name    string
		change  func(*Comparison)
		refused string
	}{
		{"the same", func(*Comparison) {}, ""},
		{"5 % may always be flagged", func(c *Comparison) { c.Rate, c.RateBefore = 0.05, 0 }, ""},
		{"three times as much is the most", func(c *Comparison) { c.Rate, c.RateBefore = 0.3, 0.1 }, ""},
		{"more than three times", func(c *Comparison) { c.Rate, c.RateBefore = 0.31, 0.1 }, "31.0 % of the recent past, the serving model 10.0 %"},
		{"disagreement by flagging more", func(c *Comparison) { c.Agreement, c.Rate = 0.89, 0.02 }, "agrees with the serving model on 89 %"},
		{"disagreement by flagging less", func(c *Comparison) { c.Agreement, c.Rate = 0.89, 0 }, ""},
		{"a little less recall", func(c *Comparison) { c.Recall = 0.81 }, ""},
		{"much less recall", func(c *Comparison) { c.Recall = 0.79 }, "finds 79 % of planted anomalies, the serving model 90 %"},
	} {
		got := fine
		c.change(&got)
		if c.refused == "" {
			require.Empty(t, got.Refusal(), c.name)
		} else {
			require.Contains(t, got.Refusal(), c.refused, c.name)
		}
	}
}

// A planted anomaly moves one feature out of its range, up and down in turn, and
// leaves the others alone.
func TestPlant(t *testing.T) {
	m := fitted(t, 600, 0, 1).Detector
	original := quietPast(1).RawRowView(0)
	planted := make([]float64, len(original))
	for i := range 4 {
		plant(planted, original, m, i)
		f := i % 2
		x, band := planted[f*feature.ContextWidth+feature.Value], m.Range[f]
		if i < 2 {
			require.InDelta(t, plantedSize, (x-band.High)/band.Unit, 1e-9)
		} else {
			require.InDelta(t, plantedSize, (band.Low-x)/band.Unit, 1e-9)
		}
		other := (1 - f) * feature.ContextWidth
		require.Equal(t, original[other:other+feature.ContextWidth], planted[other:other+feature.ContextWidth])
	}
}
