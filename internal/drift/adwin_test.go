package drift

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func (a *ADWIN) buckets() (n int) {
	for _, row := range a.Rows {
		n += len(row)
	}
	return n
}

// steps draws a stream of a few levels with some noise on top.
func steps(t *rapid.T) []float64 {
	var z []float64
	noise := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	for _, level := range rapid.SliceOfN(rapid.Float64Range(-2, 2), 1, 4).Draw(t, "levels") {
		for range rapid.IntRange(1, 300).Draw(t, "length") {
			z = append(z, level+0.3*noise.NormFloat64())
		}
	}
	return z
}

func TestADWINSummarisesExactlyItsLastValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a ADWIN
		z := steps(t)
		for _, v := range z {
			a.Add(v)
		}
		window := z[len(z)-a.Len():]
		mean, variance := stat.PopMeanVariance(window, nil)
		total := a.total()
		require.InDelta(t, mean, a.Mean(), 1e-9)
		require.InDelta(t, variance, total.ss/total.n, 1e-9)
	})
}

// cutExists looks for a cut in the raw window, at the ends of buckets, by the formula of the doc comment.
func cutExists(a *ADWIN, window []float64) bool {
	n := float64(len(window))
	_, variance := stat.PopMeanVariance(window, nil)
	l := math.Log(2 * math.Log(n) / ADWINDelta)
	at := 0
	for b := range a.oldestFirst() {
		at += int(b.n)
		n0, n1 := float64(at), n-float64(at)
		if n0 < adwinMinimum || n1 < adwinMinimum {
			continue
		}
		perM := 1/n0 + 1/n1
		epsilon := math.Sqrt(2*perM*variance*l) + 2.0/3*perM*l
		if math.Abs(stat.Mean(window[:at], nil)-stat.Mean(window[at:], nil)) > epsilon+1e-9 {
			return true
		}
	}
	return false
}

func TestADWINLeavesNoCutInItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a ADWIN
		z := steps(t)
		for i, v := range z {
			before := a.Len()
			cut := a.Add(v)
			require.Equal(t, a.Len() <= before, cut, "cut is reported if and only if values were dropped")
			require.False(t, cutExists(&a, z[i+1-a.Len():i+1]))
		}
	})
}

func TestADWINKeepsAStationaryStream(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	cuts := 0
	for range 100 {
		var a ADWIN
		for range 1000 {
			if a.Add(0.5 * r.NormFloat64()) {
				cuts++
			}
		}
	}
	require.LessOrEqual(t, cuts, 2, "in 100,000 values")
}

func TestADWINFindsAStepAndForgetsTheOldLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct {
		step   float64
		within int
	}{{0.5, 80}, {1, 35}, {2, 20}} {
		for range 50 {
			var a ADWIN
			for range 500 {
				a.Add(0.5 * r.NormFloat64())
			}
			delay := 0
			for cut := false; !cut; delay++ {
				cut = a.Add(c.step + 0.5*r.NormFloat64())
			}
			require.LessOrEqual(t, delay, c.within, "step %v", c.step)
			for range 300 {
				a.Add(c.step + 0.5*r.NormFloat64())
			}
			require.InDelta(t, c.step, a.Mean(), 0.2)
		}
	}
}

func TestADWINMemoryIsLogarithmic(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	var a ADWIN
	const year = 365 * 24
	for n := 1; n <= year; n++ {
		a.Add(0.1 * r.NormFloat64())
		require.LessOrEqual(t, float64(a.buckets()), adwinBuckets*(math.Log2(float64(n))+1))
	}
	require.Equal(t, year, a.Len(), "nothing was cut")
	require.Equal(t, 49, a.buckets(), "as the doc comment says")
	require.NoError(t, a.validate())
}

func TestADWINShiftFillsAShortWindowWithTheReference(t *testing.T) {
	var a ADWIN
	require.Zero(t, a.Shift(24))
	require.Zero(t, a.Mean())
	for range 12 {
		a.Add(-1)
	}
	require.Equal(t, 1.0, a.Shift(0))
	require.Equal(t, 0.5, a.Shift(24))
	for range 36 {
		a.Add(-1)
	}
	require.Equal(t, 1.0, a.Shift(24), "a longer window counts as it is")
	require.Equal(t, -1.0, a.Mean())
}

func maxShift(cycle []float64) (highest float64) {
	var a ADWIN
	for range 6 {
		for _, v := range cycle {
			a.Add(v)
			highest = max(highest, a.Shift(len(cycle)))
		}
	}
	return highest
}

func TestADWINNeverAlarmsOnACycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.SampledFrom([]int{24, 72, weekHours}).Draw(t, "hours")
		require.LessOrEqual(t, maxShift(unitCycle(t, hours)), ADWINThreshold+1e-12)
	})
	for _, hours := range []int{24, weekHours} {
		for share := 0.02; share < 1; share += 0.02 {
			require.LessOrEqual(t, maxShift(square(hours, share)), ADWINThreshold+1e-12)
		}
	}
}

func TestADWINSurvivesRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	var straight, restarted ADWIN
	for i := range 600 {
		z := r.NormFloat64() + float64(i/300)
		straight.Add(z)
		restarted.Add(z)
		if i%50 == 0 {
			restarted = throughJSON(t, restarted)
		}
	}
	require.Equal(t, straight, restarted)
}
