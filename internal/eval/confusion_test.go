package eval_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

func TestConfusionByHand(t *testing.T) {
	nan := math.NaN()
	cases := map[string]struct {
		flag, label           string
		precision, recall, f1 float64
	}{
		"perfect":          {"0110", "0110", 1, 1, 1},
		"half and half":    {"1100", "0110", .5, .5, .5},
		"everything":       {"1111", "0001", .25, 1, .4},
		"nothing flagged":  {"0000", "0011", nan, 0, 0},
		"nothing to find":  {"0100", "0000", 0, nan, nan},
		"silence, rightly": {"0000", "0000", nan, nan, nan},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := eval.Confuse(bits(c.flag), bits(c.label))
			equal(t, c.precision, got.Precision())
			equal(t, c.recall, got.Recall())
			equal(t, c.f1, got.F1())
		})
	}
}

func TestEveryRowIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		c := eval.Confuse(eval.Flags(score, 0), label)
		require.Equal(t, len(label), c.TP+c.FP+c.FN+c.TN)
	})
}

func TestAScoreAtTheThresholdIsNotFlagged(t *testing.T) {
	require.Equal(t, bits("0010"), eval.Flags([]float64{.5, .6, .7, math.NaN()}, .6))
}

// equal compares figures, undefined ones included.
func equal(t require.TestingT, want, got float64) {
	if math.IsNaN(want) {
		require.True(t, math.IsNaN(got), "want NaN, got %v", got)
		return
	}
	require.InDelta(t, want, got, tolerance)
}
