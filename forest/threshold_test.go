package forest_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
)

// The wanted values are numpy.percentile(scores, 100*(1-contamination)).
func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		name          string
		scores        []float64
		contamination float64
		want          float64
	}{
		{"one score", []float64{0.4}, 0.1, 0.4},
		{"on an order statistic", []float64{1, 2, 3, 4, 5}, 0.25, 4},
		{"between two", []float64{1, 2, 3, 4}, 0.1, 3.7},
		{"median", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"unsorted with ties", []float64{5, 1, 5, 1, 5}, 0.4, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := forest.Threshold(c.scores, c.contamination)
			require.NoError(t, err)
			require.InDelta(t, c.want, got, 1e-15)
		})
	}
}

func TestThresholdRefuses(t *testing.T) {
	for _, contamination := range []float64{0, -0.1, 0.51, 1, math.NaN()} {
		_, err := forest.Threshold([]float64{1, 2}, contamination)
		require.ErrorContains(t, err, "contamination")
	}
	_, err := forest.Threshold(nil, 0.1)
	require.ErrorContains(t, err, "no scores")
	_, err = forest.Threshold([]float64{1, math.NaN()}, 0.1)
	require.ErrorContains(t, err, "score 1 is NaN")
}

// The threshold lies within the scores, at most the asked share is above it, and the caller's slice stays as it was.
func TestThresholdProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 50).Draw(t, "scores")
		contamination := rapid.Float64Range(0.001, 0.5).Draw(t, "contamination")
		before := slices.Clone(scores)
		threshold, err := forest.Threshold(scores, contamination)
		require.NoError(t, err)
		require.Equal(t, before, scores)
		require.GreaterOrEqual(t, threshold, slices.Min(scores))
		require.LessOrEqual(t, threshold, slices.Max(scores))
		above := 0
		for _, s := range scores {
			if forest.Anomalous(s, threshold) {
				above++
			}
		}
		require.LessOrEqual(t, float64(above), math.Ceil(contamination*float64(len(scores))))
	})
}

func TestAnomalousTakesTiesAsNormal(t *testing.T) {
	require.False(t, forest.Anomalous(0.5, 0.5))
	require.False(t, forest.Anomalous(0.5000000000000007, 0.5))
	require.False(t, forest.Anomalous(0.5+1e-9, 0.5))
	require.True(t, forest.Anomalous(0.5+1.1e-9, 0.5))
	require.False(t, forest.Anomalous(math.NaN(), 0.5))
}
