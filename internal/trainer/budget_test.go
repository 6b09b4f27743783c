package trainer

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/eval"
)

// judged are weeks of random scores of hosts, a row a minute.
func judged(hosts, weeks int) *Judgement {
	random := rand.New(rand.NewPCG(1, 2))
	j := &Judgement{Interval: time.Minute}
	for range hosts {
		n := weeks * 7 * 24 * 60
		v := &Verdicts{Series: &Series{}, Score: make([]float64, n), Flag: make([]bool, n)}
		for i := range v.Score {
			v.Score[i] = random.Float64()
		}
		v.Score[0] = math.NaN()
		j.Groups = append(j.Groups, v)
	}
	return j
}

// The rows raise no more alarms than were asked for, and a larger budget never
// has a higher threshold.
func TestBudget(t *testing.T) {
	last := 2.0
	for _, perWeek := range []float64{.5, 1, 5, 20} {
		j := judged(3, 2)
		threshold := j.budget(perWeek)
		require.LessOrEqual(t, j.falseAlarmsPerHostWeek(), perWeek)
		require.Greater(t, j.falseAlarmsPerHostWeek(), perWeek/3, "and it is made use of")
		require.LessOrEqual(t, threshold, last)
		last = threshold
		require.False(t, j.Groups[0].Flag[0], "a row without a verdict is no alarm")
	}
}

// Alarms of labelled incidents are wanted: they cost nothing.
func TestBudgetIgnoresIncidents(t *testing.T) {
	j := judged(1, 1)
	for i := 500; i < 600; i++ {
		j.Groups[0].Score[i] = 2
	}
	j.Groups[0].Series.Events = []eval.Event{{Start: 500, End: 600}}
	require.Less(t, j.budget(1), 1.0)
}
