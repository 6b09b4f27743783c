package feature

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// gauge is a schema of one gauge at an interval of a second.
func gauge(window time.Duration, missing string) *Schema {
	s := &Schema{Interval: time.Second, Window: window, Missing: missing, Features: []Feature{{Name: "x", Measurement: "m", Fields: []string{"v"}}}}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	return s
}

// rows plays values, one per bucket from b on and NaN where missing, to a fresh
// Sequence and returns the last vector.
func rows(t require.TestingT, s *Schema, b int64, values ...float64) Vector {
	q, err := NewSequence(s, "")
	require.NoError(t, err)
	var v *Vector
	for i, x := range values {
		v = q.Add((b+int64(i))*int64(s.Interval), []float64{x})
		require.NotNil(t, v)
	}
	return copyOf(v)
}

var nan = math.NaN()

func TestContext(t *testing.T) {
	for _, c := range []struct {
		name    string
		window  time.Duration
		missing string
		values  []float64
		want    []float64 // value, level, deviation, run
	}{
		{"first value", 3 * time.Second, Skip, []float64{5}, []float64{5, 5, 0, 0}},
		{"two values", 3 * time.Second, Skip, []float64{5, 7}, []float64{7, 6, math.Sqrt2, 0}},
		{"the window slides", 8 * time.Second, Skip, []float64{100, 5, 5, 5, 5, 5, 5, 5, 13}, []float64{13, 6, 2 * math.Sqrt2, 0}},
		{"never over fewer than eight", time.Second, Skip, []float64{100, 5, 5, 5, 5, 5, 5, 5, 13}, []float64{13, 6, 2 * math.Sqrt2, 0}},
		{"unchanged", 9 * time.Second, Skip, []float64{5, 5, 5}, []float64{5, 5, 0, 2}},
		{"carried: the past stays as it is", 9 * time.Second, Carry, []float64{5, 7, nan}, []float64{7, 6, math.Sqrt2, 0}},
		{"missing", 9 * time.Second, Skip, []float64{5, 7, nan}, []float64{nan, 6, math.Sqrt2, 0}},
		{"the window slides over what is missing", 8 * time.Second, Skip, []float64{5, 7, nan, nan, nan, nan, nan, nan, nan}, []float64{nan, 7, 0, 0}},
		{"missing with an empty window", 8 * time.Second, Skip, []float64{5, nan, nan, nan, nan, nan, nan, nan, nan}, []float64{nan, nan, 0, 0}},
		{"carried no longer than six intervals", 8 * time.Second, Carry, []float64{5, nan, nan, nan, nan, nan, nan}, []float64{5, 5, 0, 0}},
		{"no window", 0, Skip, []float64{5, 7}, []float64{7, 7, 0, 0}},
		{"never a value", 2 * time.Second, Carry, []float64{nan}, []float64{nan, nan, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := rows(t, gauge(c.window, c.missing), 1000, c.values...)
			require.InDeltaSlice(t, c.want, v.Context, 1e-12)
		})
	}
}

func TestFill(t *testing.T) {
	v := rows(t, gauge(9*time.Second, Median), 0, 5, 7, nan)
	require.False(t, v.Complete())
	v.Fill(0, 3)
	require.True(t, v.Complete())
	require.InDeltaSlice(t, []float64{3, 6, math.Sqrt2, 0}, v.Context, 1e-12)

	v = rows(t, gauge(9*time.Second, Median), 0, nan)
	v.Fill(0, 3)
	require.Equal(t, []float64{3, 3, 0, 0}, v.Context, "no NaN is left")
	require.Equal(t, []bool{true}, v.Carried)
}

// Suppose is what the vector would have been, had the last value been another.
func TestSupposeEqualsRecomputing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := gauge(time.Duration(rapid.IntRange(0, 50).Draw(t, "window"))*time.Second, Carry)
		value := rapid.SampledFrom([]float64{0, 1, 1, 2, 3.5, 100, -7})
		values := rapid.SliceOfN(value, 1, 80).Draw(t, "values")
		other := value.Draw(t, "instead")
		if n := len(values); n > 1 && rapid.Bool().Draw(t, "carried") {
			values[n-1] = nan
		}
		v := rows(t, s, 0, values...)
		got := make([]float64, ContextWidth)
		v.Suppose(got, 0, other)

		last := values[len(values)-1]
		values[len(values)-1] = other
		want := rows(t, s, 0, values...).Context
		if other != last { // a run that the other value would continue is not known
			want[Run] = 0
		}
		if math.IsNaN(last) && other == v.Values[0] {
			want[Run] = v.Context[Run]
		}
		require.InDeltaSlice(t, want, got, 2e-6*(1+want[Deviation]))
	})
}

// settledAfter returns the first of the values with which the vector is settled.
func settledAfter(t *testing.T, s *Schema, values []float64) int {
	q, err := NewSequence(s, "")
	require.NoError(t, err)
	for i, x := range values {
		if v := q.Add(int64(i)*int64(s.Interval), []float64{x}); v.Settled {
			return i + 1
		}
	}
	return 0
}

func TestSettled(t *testing.T) {
	s := gauge(90*time.Second, Carry)
	steady := make([]float64, 200)
	sparse := make([]float64, 200)
	rare := make([]float64, 200)
	for i := range steady {
		steady[i], sparse[i], rare[i] = 1, nan, nan
		if i%6 == 0 {
			sparse[i] = 1
		}
		if i%40 == 0 {
			rare[i] = 1
		}
	}
	require.Equal(t, 30, settledAfter(t, s, steady), "a third of the window")
	require.Equal(t, 30, settledAfter(t, s, sparse), "a slower input too, as long as Carry bridges it")
	require.Zero(t, settledAfter(t, s, rare))
	require.Equal(t, 1, settledAfter(t, gauge(0, Skip), steady), "without a window there is nothing to wait for")
}

// unsettledFor counts the vectors that are not settled after a disturbance, in a
// group that was settled before it.
func unsettledFor(t *testing.T, s *Schema, gap int64) (n int) {
	q, err := NewSequence(s, "")
	require.NoError(t, err)
	b := int64(0)
	for range 100 {
		b++
		q.Add(b*int64(s.Interval), []float64{1})
	}
	for b += gap; ; b++ {
		if q.Add(b*int64(s.Interval), []float64{1}).Settled {
			return n
		}
		n++
	}
}

func TestGapsUnsettle(t *testing.T) {
	s := gauge(15*time.Minute, Skip)
	s.Interval = 10 * time.Second
	require.Zero(t, unsettledFor(t, s, 1))
	require.Zero(t, unsettledFor(t, s, 6), "a minute is a hiccup")
	require.Equal(t, 60, unsettledFor(t, s, 7), "two thirds of the window after a gap")
	require.Equal(t, 60, unsettledFor(t, s, 100_000))
}

// A group whose clock was wrong is judged again as soon as its window is warm,
// whichever way the clock was wrong.
func TestClocksDoNotUnsettleForEver(t *testing.T) {
	for name, wrong := range map[string]int64{"future": 9e18, "past": -9e18, "epoch": 0} {
		t.Run(name, func(t *testing.T) {
			s := defaults()
			s.Features = []Feature{{Name: "memory", Measurement: "mem", Fields: []string{"used_percent"}}}
			settled := false
			j := newJoiner(t, s, 0, DefaultLimits, func(v *Vector, _ []Item[int]) { settled = v.Settled })
			j.Add(mem("a", 50, wrong), 0, time.Time{})
			for k := range 100 {
				j.Add(mem("a", 50, 1_700_000_000e9+int64(k)*10e9), 0, time.Time{})
			}
			require.True(t, settled)
			require.Equal(t, uint64(1), j.Counts.Resynced)
		})
	}
}

func TestCounterResetUnsettles(t *testing.T) {
	s := defaults()
	s.Features = []Feature{{Name: "network", Measurement: "net", Fields: []string{"bytes_recv"}, Kind: Counter}}
	var settled []bool
	j := newJoiner(t, s, 0, DefaultLimits, func(v *Vector, _ []Item[int]) { settled = append(settled, v.Settled) })
	counter := 0.0
	for k := range 200 {
		counter += 1000
		if k == 100 {
			counter = 0
		}
		j.Add(network("a", "eth0", counter, 0, int64(k)*10e9), 0, time.Time{})
	}
	j.Flush()
	require.True(t, settled[99])
	for k := 100; k < 160; k++ {
		require.False(t, settled[k], "vector %d", k)
	}
	require.True(t, settled[160])
}
