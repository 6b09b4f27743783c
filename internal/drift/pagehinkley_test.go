package drift

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const weekHours = 7 * 24

// byDefinition is the Page-Hinkley statistic of a whole stream: m_t − min m_s, with m_0 = 0.
func byDefinition(z []float64) float64 {
	var m, lowest float64
	for _, v := range z {
		m += v - PageHinkleySlack
		lowest = min(lowest, m)
	}
	return m - lowest
}

func negate(z []float64) []float64 {
	n := make([]float64, len(z))
	for i, v := range z {
		n[i] = -v
	}
	return n
}

func TestPageHinkleyIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SliceOfN(rapid.Float64Range(-winsor, winsor), 1, 25).Draw(t, "z") // too short to reach the ceiling
		var p PageHinkley
		for _, v := range z {
			p.Add(v)
		}
		require.InDelta(t, byDefinition(z), p.Up, 1e-9)
		require.InDelta(t, byDefinition(negate(z)), p.Down, 1e-9)
		require.Equal(t, max(p.Up, p.Down), p.Statistic())
	})
}

func TestPageHinkleyIsSymmetricAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SliceOf(rapid.Float64Range(-winsor, winsor)).Draw(t, "z")
		var p, q PageHinkley
		for _, v := range z {
			p.Add(v)
			q.Add(-v)
		}
		require.Equal(t, p, PageHinkley{Up: q.Down, Down: q.Up})
		require.GreaterOrEqual(t, min(p.Up, p.Down), 0.0)
		require.LessOrEqual(t, p.Statistic(), float64(pageHinkleyCeiling))
	})
}

// hoursUntil counts the hours at level z until the verdict is want.
func (p *PageHinkley) hoursUntil(want bool, z float64) int {
	for hours := 0; hours < 10000; hours++ {
		if (p.Statistic() > PageHinkleyThreshold) == want {
			return hours
		}
		p.Add(z)
	}
	return math.MaxInt
}

func TestPageHinkleyDelay(t *testing.T) {
	for _, c := range []struct {
		name  string
		shift float64
		hours int
	}{
		{"within the slack: never", 0.25, math.MaxInt},
		{"half a deviation: twelve days", 0.5, 289},
		{"one deviation: four days", 1, 97},
		{"two deviations: 41 hours and a bit", 2, 42},
		{"the fastest possible", winsor, 27},
		{"downwards alike", -1, 97},
	} {
		require.Equal(t, c.hours, new(PageHinkley).hoursUntil(true, c.shift), c.name)
	}
}

func TestPageHinkleyIsWithdrawnTwoDaysAfterTheReturn(t *testing.T) {
	p := PageHinkley{Up: pageHinkleyCeiling} // after any length of drift
	require.Equal(t, 48, p.hoursUntil(false, 0))
}

// unitCycle draws hourly values of a cycle with mean 0 and variance 1: any shape of day or week.
func unitCycle(t *rapid.T, hours int) []float64 {
	z := rapid.SliceOfN(rapid.Float64Range(-1, 1), hours, hours).Draw(t, "cycle")
	return normalise(z)
}

func normalise(z []float64) []float64 {
	mean, deviation := populationMoments(z)
	for i := range z {
		z[i] = (z[i] - mean) / max(deviation, 1e-6)
	}
	return z
}

func populationMoments(z []float64) (mean, deviation float64) {
	var sum, ss float64
	for _, v := range z {
		sum += v
	}
	mean = sum / float64(len(z))
	for _, v := range z {
		ss += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(ss / float64(len(z)))
}

// square is the cycle that is high for the first share of its hours.
func square(hours int, share float64) []float64 {
	z := make([]float64, hours)
	for i := range z {
		if float64(i) < share*float64(hours) {
			z[i] = 1
		}
	}
	return normalise(z)
}

func maxPageHinkley(cycle []float64) (highest float64) {
	var p PageHinkley
	for range 6 {
		for _, v := range cycle {
			p.Add(v)
			highest = max(highest, p.Statistic())
		}
	}
	return highest
}

func TestPageHinkleyNeverAlarmsOnACycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.SampledFrom([]int{24, weekHours}).Draw(t, "hours")
		require.Less(t, maxPageHinkley(unitCycle(t, hours)), 65.6)
	})
	var worst float64
	for share := 0.01; share < 1; share += 0.01 { // the extremal shapes of the Cauchy-Schwarz bound
		worst = max(worst, maxPageHinkley(square(weekHours, share)))
	}
	require.InDelta(t, 65.6, worst, 0.1, "the bound is sharp")
	require.Less(t, worst, float64(PageHinkleyThreshold))
}

func TestPageHinkleySurvivesRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var straight, restarted PageHinkley
	for i := range 500 {
		z := r.NormFloat64() + 0.3
		straight.Add(z)
		restarted.Add(z)
		if i%50 == 0 {
			restarted = throughJSON(t, restarted)
		}
		require.Equal(t, straight, restarted)
	}
}

func throughJSON[T any](t testing.TB, v T) (back T) {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &back))
	return back
}
