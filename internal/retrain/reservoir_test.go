package retrain

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
)

func newTestReservoir(capacity int, seed uint64) *Reservoir {
	return &Reservoir{Width: 1, Capacity: capacity, HalfLife: time.Hour, Seed: seed}
}

// A reservoir is never larger than its capacity, keeps all while it can, holds
// only what was added, and gives it back in the order of time.
func TestReservoirSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newTestReservoir(rapid.IntRange(1, 20).Draw(t, "capacity"), rapid.Uint64().Draw(t, "seed"))
		n := rapid.IntRange(1, 60).Draw(t, "n")
		for i := range n {
			r.Add(int64(i), []float64{float64(i)}, rapid.Float64Range(0.01, 10).Draw(t, "weight"))
		}
		rows, from, to := Sample(nil).Take(r).Rows(r.Width)
		got, _ := rows.Dims()
		require.Equal(t, min(n, r.Capacity), got)
		last := -1.0
		for i := range got {
			require.Greater(t, rows.At(i, 0), last)
			last = rows.At(i, 0)
		}
		require.EqualValues(t, rows.At(0, 0), from.UnixNano())
		require.EqualValues(t, last, to.UnixNano())
	})
}

// Once it is full, the largest key is on top, so that it leaves first.
func TestReservoirIsAHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newTestReservoir(16, rapid.Uint64().Draw(t, "seed"))
		for i := range rapid.IntRange(16, 100).Draw(t, "n") {
			r.Add(int64(i), []float64{0}, 1)
		}
		keys := make([]float64, len(r.Entries))
		for i, e := range r.Entries {
			keys[i] = e.Key
		}
		require.Equal(t, slices.Max(keys), keys[0])
		for i := 1; i < len(keys); i++ {
			require.LessOrEqual(t, keys[i], keys[(i-1)/2])
		}
	})
}

// The same seed keeps the same contexts.
func TestReservoirIsDeterministic(t *testing.T) {
	keep := func(seed uint64) []Entry {
		r := newTestReservoir(50, seed)
		for i := range 1000 {
			r.Add(int64(i)*int64(time.Minute), []float64{float64(i)}, 1)
		}
		return r.Entries
	}
	require.Equal(t, keep(1), keep(1))
	require.NotEqual(t, keep(1), keep(2))
}

// share is how much of a sample that had room for a tenth came from contexts that
// accept picks.
func share(weight func(i int) float64, accept func(i int) bool, step time.Duration) float64 {
	const n, capacity, rounds = 1000, 100, 100
	kept := 0
	for seed := range uint64(rounds) {
		r := newTestReservoir(capacity, seed)
		for i := range n {
			r.Add(int64(i)*int64(step), []float64{float64(i)}, weight(i))
		}
		for _, e := range r.Entries {
			if accept(int(e.Context[0])) {
				kept++
			}
		}
	}
	return float64(kept) / (capacity * rounds)
}

func one(int) float64 { return 1 }

// Without age all contexts are kept alike; a half-life halves the chance; a
// weight of a tenth is a tenth.
func TestReservoirWeights(t *testing.T) {
	firstHalf := func(i int) bool { return i < 500 }
	even := func(i int) bool { return i%2 == 0 }
	require.InDelta(t, 0.5, share(one, firstHalf, 0), 0.02)
	require.InDelta(t, 0.5, share(one, even, time.Second), 0.02)

	// The newer half is an hour younger on average, so with a sample much smaller
	// than the stream it has twice the places, a little less for those taken twice.
	require.InDelta(t, 1.0/3, share(one, firstHalf, 2*time.Hour/1000), 0.03)

	light := func(i int) float64 { return map[bool]float64{true: flaggedWeight, false: 1}[even(i)] }
	require.InDelta(t, flaggedWeight/(1+flaggedWeight), share(light, even, 0), 0.02)
}

// Times of this century do not overflow, and neither does a weight of nothing.
func TestReservoirNumbers(t *testing.T) {
	r := newTestReservoir(2, 1)
	for i := range 100 {
		r.Add(math.MaxInt64-int64(i), []float64{1e300}, float64(i%2))
	}
	for _, e := range r.Entries {
		require.False(t, math.IsNaN(e.Key) || math.IsInf(e.Key, 0))
	}
}

// A ring keeps contexts of even spacing, gives back those that leave, oldest
// first, and forgets nothing in between.
func TestRecent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Recent{Width: 1, Spacing: 10, Size: rapid.IntRange(1, 8).Draw(t, "size")}
		var kept, left []int64
		now, newest := int64(0), int64(-100)
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			now += rapid.Int64Range(0, 15).Draw(t, "step")
			old, gone := r.Add(now, []float64{1}, now%2 == 0)
			if now-newest >= 10 {
				kept, newest = append(kept, now), now
			}
			if gone {
				left = append(left, old.Time)
				require.Equal(t, old.Time%2 == 0, old.Key == 1)
			}
		}
		for _, e := range r.Entries {
			left = append(left, e.Time)
		}
		require.Equal(t, kept, left)
		require.LessOrEqual(t, len(r.Entries), r.Size)
	})
}

// A change persists if a third of the first and of the last twelfth was flagged.
func TestRecentPersists(t *testing.T) {
	const rest = "...................."
	for flags, want := range map[string]bool{
		"##" + rest + "##": true, "#." + rest + ".#": true, ".#" + rest + "#.": true,
		"##" + rest + "..": false, ".." + rest + "##": false, ".." + strings.ReplaceAll(rest, ".", "#") + "..": false,
	} {
		r := Recent{Width: 1, Spacing: 1, Size: len(flags)}
		for i := range flags {
			r.Add(int64(i), []float64{0}, flags[i] == '#')
		}
		require.Equal(t, want, r.Persists(), flags)
	}
}

// However short the time to accept, the ring holds something.
func TestRecentIsNeverEmpty(t *testing.T) {
	for _, accept := range []time.Duration{0, time.Second, time.Hour, 1000 * time.Hour} {
		p := policy()
		p.Accept = accept
		r := newRig(t, p, "")
		r.observe(300, 20)
		require.NotNil(t, r.unit.Champion, accept)
		require.NotEmpty(t, r.unit.recent.Entries)
		require.LessOrEqual(t, len(r.unit.recent.Entries), recentSize)
		require.InDelta(t, 0.5, r.unit.Youth(r.time), 0.5)
	}
}

// The sample of a unit of many groups takes each context by its weight, and a tenth
// of that from what the champion finds strange; no change is accepted for all.
func TestMixedUnit(t *testing.T) {
	r := newRig(t, policy(), "")
	r.unit.Mixed = true
	r.observe(5*day, 20)
	require.Greater(t, r.observe(48, 60), 40, "an incident")
	require.Zero(t, r.count(Accepted)+r.unit.Regime())
	require.Empty(t, r.unit.recent.Entries)
	strange := 0
	for _, e := range r.unit.sample.Entries {
		if e.Context[feature.Value] > 50 {
			strange++
		}
	}
	require.InDelta(t, 0.1*48/(5*day), float64(strange)/float64(len(r.unit.sample.Entries)), 0.005)

	light, strange := NewUnit("light", policy(), r.unit.learner, 1024, 1), 0
	light.Mixed = true
	for i := range 4000 {
		light.Observe(epoch+int64(i), context(r.random, float64(20+40*(i%2))), []float64{1, 0.01}[i%2], nil)
	}
	for _, e := range light.sample.Entries {
		if e.Context[feature.Value] > 50 {
			strange++
		}
	}
	require.InDelta(t, 0.01, float64(strange)/1024, 0.01)
}
