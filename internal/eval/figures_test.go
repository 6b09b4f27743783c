package eval_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

func TestMeasureIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		flag := eval.Flags(score, 2)
		events := eval.Events(label, nil, nil, nil)
		best, _ := eval.BestF1(score, label)
		got := eval.Measure(score, flag, events, time.Minute)
		require.Equal(t, eval.AveragePrecision(score, label), got.AveragePrecision)
		require.Equal(t, eval.ROCAUC(score, label), got.ROCAUC)
		require.Equal(t, best, got.BestF1)
		require.LessOrEqual(t, got.F1, got.BestF1)
		require.Equal(t, eval.EventRecall(flag, events), got.EventRecall)
		require.Equal(t, eval.FalseAlarmsPerDay(flag, events, time.Minute), got.FalseAlarmsPerDay)
		equal(t, eval.DetectionDelay(flag, events, time.Minute), got.DetectionDelay)
	})
}

func TestUndefinedFiguresAreLeftOutOfJSON(t *testing.T) {
	quiet := eval.Measure([]float64{1, 2}, bits("00"), nil, time.Minute)
	text, err := json.Marshal(quiet)
	require.NoError(t, err)
	require.JSONEq(t, `{"false_alarms_per_day": 0}`, string(text))
}

func TestAllStopsWhenTold(t *testing.T) {
	seen := 0
	for range (eval.Figures{}).All() {
		seen++
		break
	}
	require.Equal(t, 1, seen)
}

func TestSummarize(t *testing.T) {
	nan := math.NaN()
	cases := map[string]struct {
		values   []float64
		n        int
		mean, sd float64
	}{
		"three":              {[]float64{1, 2, 6}, 3, 3, math.Sqrt(7)},
		"one":                {[]float64{4}, 1, 4, nan},
		"none":               {nil, 0, nan, nan},
		"undefined left out": {[]float64{1, nan, 3}, 2, 2, math.Sqrt2},
		"only undefined":     {[]float64{nan}, 0, nan, nan},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := eval.Summarize(c.values)
			require.Equal(t, c.n, got.N)
			equal(t, c.mean, got.Mean)
			equal(t, c.sd, got.SD)
		})
	}
}

func TestOverSeedsIsTheSpreadOfMacroMeans(t *testing.T) {
	figure := [][]float64{ // seed by machine; machines differ by far more than seeds
		{.1, .9},
		{.2, 1},
		{.3, math.NaN()},
	}
	got := eval.OverSeeds(figure)
	require.Equal(t, 3, got.N)
	equal(t, (.5+.6+.3)/3, got.Mean)
	equal(t, eval.Summarize([]float64{.5, .6, .3}).SD, got.SD)
}

func ExampleMeasure() {
	score := []float64{.1, .2, .9, .8, .1, .6}
	flag := eval.Flags(score, .5)
	events := []eval.Event{{Start: 2, End: 4}}
	text, _ := json.Marshal(eval.Measure(score, flag, events, time.Hour).F1)
	fmt.Println(string(text))
	// Output: 0.8
}
