package eval_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/eval"
)

// longEvents is a record like those of the Server Machine Dataset: sixteen days
// with ten incidents of two hours.
func longEvents() (label []bool, events []eval.Event) {
	const rows = 16 * 24 * 60
	for start := 1000; len(events) < 10; start += 2200 {
		events = append(events, eval.Event{Start: start, End: start + 120})
	}
	return eval.Rows(events, rows), events
}

func coin(seed uint64, rows int) []float64 {
	random := rand.New(rand.NewPCG(seed, 3))
	score := make([]float64, rows)
	for i := range score {
		score[i] = random.Float64()
	}
	return score
}

// Why there is no point adjustment here: it turns a coin into a detector.
func TestPointAdjustmentWouldPraiseACoin(t *testing.T) {
	label, events := longEvents()
	score := coin(1, len(label))
	flag := eval.Flags(score, .98)
	adjusted := append([]bool{}, flag...)
	for _, e := range events {
		for i := e.Start; i < e.End && eval.EventRecall(flag, []eval.Event{e}) > 0; i++ {
			adjusted[i] = true
		}
	}
	require.Greater(t, eval.Confuse(adjusted, label).F1(), .7)
	require.Less(t, eval.Confuse(flag, label).F1(), .1)
}

// What is here instead sees through it.
func TestACoinIsWorthNothing(t *testing.T) {
	label, events := longEvents()
	positive := float64(len(events)*120) / float64(len(label))
	var precision, auc, recall []float64
	for seed := range uint64(20) {
		f := eval.Measure(coin(seed, len(label)), make([]bool, len(label)), events, time.Minute)
		precision = append(precision, f.AveragePrecision)
		auc = append(auc, f.ROCAUC)
		recall = append(recall, f.RecallAtOneAlarm)
	}
	require.InDelta(t, positive, eval.Summarize(precision).Mean, .1*positive)
	require.InDelta(t, .5, eval.Summarize(auc).Mean, .01)
	require.Less(t, eval.Summarize(recall).Mean, .2)
}

// A detector that alarms all the time finds everything and is worth nothing.
func TestAlarmingAlwaysIsWorthNothing(t *testing.T) {
	label, events := longEvents()
	always := make([]float64, len(label))
	for i := range always {
		always[i] = 1
	}
	f := eval.Measure(always, eval.Flags(always, 0), events, time.Minute)
	require.Equal(t, 1., f.EventRecall)
	require.Zero(t, f.DetectionDelay)
	require.Zero(t, f.FalseAlarmsPerDay, "one alarm that touches incidents, which is why the share of normal time counts too")
	require.Zero(t, f.RecallAtOneAlarm)
	require.Equal(t, .5, f.ROCAUC)
	require.InDelta(t, f.Precision, f.AveragePrecision, tolerance)
}
