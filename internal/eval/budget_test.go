package eval_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

// day has scores of .1 but where spikes say otherwise.
func day(spikes map[int]float64) []float64 {
	score := make([]float64, 24*60)
	for i := range score {
		score[i] = .1
	}
	for row, s := range spikes {
		score[row] = s
	}
	return score
}

func TestRecallAtBudgetByHand(t *testing.T) {
	events := []eval.Event{{Start: 100, End: 110}, {Start: 500, End: 510}, {Start: 900, End: 910}}
	cases := map[string]struct {
		spikes         map[int]float64
		recall, alarms float64
	}{
		"all above every normal row":    {map[int]float64{105: .9, 505: .8, 905: .7, 300: .6}, 1, 0},
		"one false alarm is affordable": {map[int]float64{105: .9, 505: .8, 905: .5, 300: .6}, 1, 1},
		"two are not":                   {map[int]float64{105: .9, 505: .8, 905: .5, 300: .6, 700: .6}, 2 / 3., 0},
		"two that people take for one":  {map[int]float64{105: .9, 505: .8, 905: .5, 300: .6, 304: .6}, 1, 1},
		"false alarm that buys nothing": {map[int]float64{105: .9, 300: .6}, 1 / 3., 0},
		"everything below normal":       {map[int]float64{105: 0, 505: 0, 905: 0}, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := eval.RecallAtBudget(day(c.spikes), events, time.Minute, 1)
			equal(t, c.recall, b.Recall)
			equal(t, c.alarms, b.FalseAlarmsPerDay)
		})
	}
}

func TestAnEndlessAlarmDoesNotPassAsOne(t *testing.T) {
	score := day(map[int]float64{1300: .5})
	for i := range 600 {
		score[i] = .9
	}
	b := eval.RecallAtBudget(score, []eval.Event{{Start: 1300, End: 1310}}, time.Minute, 1)
	equal(t, 0, b.Recall)
}

func TestNothingToFindAndNothingNormal(t *testing.T) {
	none := eval.RecallAtBudget(day(nil), nil, time.Minute, 1)
	equal(t, math.NaN(), none.Recall)
	all := eval.RecallAtBudget([]float64{1, 2}, []eval.Event{{Start: 0, End: 2}}, time.Minute, 1)
	require.Equal(t, eval.Budgeted{Recall: 1, Threshold: math.Inf(-1)}, all)
}

func TestTheBudgetIsKeptAndTheThresholdDelivers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score := rapid.SliceOfN(rapid.Float64Range(0, 1), 60, 3000).Draw(t, "score")
		events := []eval.Event{{Start: 5, End: 9}, {Start: 40, End: 60}}
		perDay := rapid.Float64Range(0, 50).Draw(t, "budget")
		b := eval.RecallAtBudget(score, events, time.Minute, perDay)
		flag := eval.Flags(score, b.Threshold)
		require.LessOrEqual(t, b.FalseAlarmsPerDay, perDay)
		require.LessOrEqual(t, b.NormalFlagged, .02)
		require.Equal(t, b.Recall, eval.EventRecall(flag, events))
		require.Equal(t, b.FalseAlarmsPerDay, eval.FalseAlarmsPerDay(flag, events, time.Minute))
	})
}

func TestALargerBudgetNeverFindsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		score, events := randomRecord(seed)
		few := eval.RecallAtBudget(score, events, time.Minute, 1)
		many := eval.RecallAtBudget(score, events, time.Minute, 4)
		require.LessOrEqual(t, few.Recall, many.Recall)
	})
}

func randomRecord(seed uint64) (score []float64, events []eval.Event) {
	random := rand.New(rand.NewPCG(seed, 0))
	score = make([]float64, 24*60)
	for i := range score {
		score[i] = random.Float64()
	}
	for start := 100; start < len(score); start += 200 {
		events = append(events, eval.Event{Start: start, End: start + 20})
	}
	return score, events
}

func ExampleRecallAtBudget() {
	score := []float64{.2, .3, .9, .2, .1, .4, .8, .3}
	events := []eval.Event{{Start: 2, End: 4}, {Start: 6, End: 7}}
	b := eval.RecallAtBudget(score, events, time.Hour, 1)
	fmt.Println(b.Recall, b.Threshold)
	// Output: 1 0.4
}

func BenchmarkRecallAtBudget(b *testing.B) {
	score, events := randomRecord(1)
	for b.Loop() {
		eval.RecallAtBudget(score, events, time.Minute, 1)
	}
}
