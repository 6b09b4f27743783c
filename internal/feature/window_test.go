package feature

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

// sample is a value of a bucket.
type sample struct {
	bucket int64
	value  float64
}

func sampleStream(t *rapid.T) (all []sample) {
	b := rapid.Int64Range(-200, 200).Draw(t, "start")
	for range rapid.IntRange(1, 200).Draw(t, "samples") {
		b += rapid.SampledFrom([]int64{1, 1, 1, 1, 1, 1, 2, 5, 40, 400}).Draw(t, "step")
		all = append(all, sample{b, rapid.Float64Range(-1e6, 1e6).Draw(t, "value")})
	}
	return all
}

// brute returns the values of the last n buckets up to b.
func brute(all []sample, n, b int64) (values []float64) {
	for _, s := range all {
		if s.bucket > b-n && s.bucket <= b {
			values = append(values, s.value)
		}
	}
	return values
}

func requireMoments(t require.TestingT, values []float64, m moments) {
	require.Equal(t, len(values), int(m.n))
	mean, deviation := stat.Mean(values, nil), 0.0
	if len(values) > 1 {
		deviation = stat.StdDev(values, nil)
	}
	require.InDelta(t, mean, m.mean, 1e-9*1e6)
	require.InDelta(t, deviation, m.deviation(), 1e-9*1e6+1e-7*deviation)
}

// Up to maxSlots intervals a window is exact, its deviation to the seven digits of
// a float32. A longer one is exact for the slots
// that it holds, which cover less than a slot more or less than the window.
func TestWindowEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(minIntervals, 120).Draw(t, "intervals")
		s := newShape(time.Duration(n)*time.Second, time.Second)
		all := sampleStream(t)
		var w window
		for i, x := range all {
			w.slide(s, x.bucket)
			w.add(s, x.value)
			phase := x.bucket - floorDiv(x.bucket, s.per)*s.per // buckets of the newest slot before this one
			covered := int64(s.slots-1)*s.per + phase + 1
			if n <= maxSlots {
				require.Equal(t, n, covered)
			}
			require.Less(t, max(covered-n, n-covered), s.per)
			requireMoments(t, brute(all[:i+1], covered, x.bucket), w.total())
		}
	})
}

// What the slots cost: the mean of a window of 90 intervals (15 m of 10 s) is off
// by at most 2 of 90 values' worth.
func TestSlotErrorIsBounded(t *testing.T) {
	const n = 90
	s := newShape(n*time.Second, time.Second)
	var w window
	var all []sample
	worst := 0.0
	for b := range int64(2000) {
		x := math.Sin(float64(b)/20) + float64(b%7)/7
		all = append(all, sample{b, x})
		w.slide(s, b)
		w.add(s, x)
		exact := brute(all, n, b)
		if b >= n {
			worst = max(worst, math.Abs(w.total().mean-stat.Mean(exact, nil)))
		}
	}
	spread := 3.0 // of the values: between -1 and 2
	require.Less(t, worst, spread*2/n)
	t.Logf("mean off by at most %.4f of a spread of %v", worst, spread)
}

// What seven digits cost where a slot takes the most values, and the largest.
func TestRoundingDoesNotPileUp(t *testing.T) {
	s := newShape(24*time.Hour, time.Second)
	for _, size := range []float64{1e-6, 1, biggest} {
		var w window
		var all []float64
		for b := range int64(s.slots) * s.per {
			x := size * math.Sin(float64(b*b%9973))
			all = append(all, x)
			w.slide(s, b)
			w.add(s, x)
		}
		m := w.total()
		require.InEpsilon(t, stat.StdDev(all, nil), m.deviation(), 1e-6)
		require.InDelta(t, stat.Mean(all, nil), m.mean, 1e-12*size)
	}
}

// What never changes has no deviation at all.
func TestAConstantHasNoDeviation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShape(15*time.Minute, 10*time.Second)
		x := rapid.Float64Range(-1e12, 1e12).Draw(t, "value")
		var w window
		for b := range int64(rapid.IntRange(2, 100).Draw(t, "intervals")) {
			w.slide(s, b)
			w.add(s, x)
			for i := range w.slots {
				require.Zero(t, w.slots[i].spread)
			}
		}
		m := w.total()
		require.InDelta(t, 0, m.deviation(), 1e-14*math.Abs(x))
	})
}

func TestShape(t *testing.T) {
	for _, c := range []struct {
		name             string
		window, interval time.Duration
		want             shape
	}{
		{"none", 0, time.Second, shape{}},
		{"interval not known yet", time.Minute, 0, shape{}},
		{"shorter than an interval", time.Second, 10 * time.Second, shape{8, 1, 2, 5}},
		{"shorter than eight intervals", 15 * time.Minute, 5 * time.Minute, shape{8, 1, 2, 5}},
		{"nine intervals", 90 * time.Second, 10 * time.Second, shape{9, 1, 3, 6}},
		{"one slot per interval", 5 * time.Minute, 10 * time.Second, shape{30, 1, 10, 20}},
		{"one more", 310 * time.Second, 10 * time.Second, shape{16, 2, 10, 20}},
		{"the default", 15 * time.Minute, 10 * time.Second, shape{30, 3, 30, 60}},
		{"a day of seconds", 24 * time.Hour, time.Second, shape{30, 2880, 28800, 57600}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, newShape(c.window, c.interval)) })
	}
}

func TestRunCountsUnchangedValues(t *testing.T) {
	var w window
	s := newShape(0, time.Second)
	for i, c := range []struct {
		value float64
		run   int32
	}{{0, 0}, {0, 1}, {5, 0}, {5, 1}, {5 + 1e-9, 2}, {5.1, 0}, {0, 0}, {0, 1}, {-1e-300, 0}} {
		w.slide(s, int64(i))
		w.add(s, c.value)
		require.Equal(t, c.run, w.run, "value %d", i)
	}
}
