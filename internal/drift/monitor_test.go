package drift

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var epoch = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// standardProfile has columns that are standard normal, over the given days.
func standardProfile(t testing.TB, days int, names ...string) Profile {
	p := Profile{From: epoch.AddDate(0, 0, -days), To: epoch}
	for _, name := range names {
		p.References = append(p.References, mustReference(t, name, normalQuantiles(1000, 0, 1)))
	}
	return p
}

func newMonitor(t testing.TB, p Profile) *Monitor {
	m, err := NewMonitor(p, 1)
	require.NoError(t, err)
	return m
}

// feed adds a value of each column every interval from one duration after the epoch to another.
func feed(t testing.TB, m *Monitor, from, to, interval time.Duration, value func() []float64) {
	for d := from; d < to; d += interval {
		require.NoError(t, m.Add(epoch.Add(d), value()))
	}
}

func normals(r *rand.Rand, shifts ...float64) func() []float64 {
	return func() []float64 {
		v := make([]float64, len(shifts))
		for i, d := range shifts {
			v[i] = r.NormFloat64() + d
		}
		return v
	}
}

func tests(results []Result) (names []string) {
	for _, r := range results {
		names = append(names, r.Test)
	}
	return names
}

func TestMonitorJudgesEachColumnByFiveTests(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 7, "cpu", "score"))
	feed(t, m, 0, 8*day, 10*time.Minute, normals(rand.New(rand.NewPCG(1, 1)), 0, 1))
	results := m.Check()
	five := []string{TestKS, TestPSI, TestWasserstein, TestPageHinkley, TestADWIN}
	require.Equal(t, append(five, five...), tests(results))
	thresholds := map[string]float64{TestKS: 0.2, TestPSI: 0.25, TestWasserstein: 0.5, TestPageHinkley: 72, TestADWIN: 0.5}
	for _, r := range results {
		require.Equal(t, thresholds[r.Test], r.Threshold)
		require.Equal(t, r.Feature == "score", r.Drifted, "%+v", r)
		require.Equal(t, r.Statistic > r.Threshold, r.Drifted)
	}
	require.Equal(t, []string{"score"}, Drifted(results))
}

// TestMonitorStatisticsAreThoseOfTheFunctions compares with the pure tests on the very values of the window.
func TestMonitorStatisticsAreThoseOfTheFunctions(t *testing.T) {
	p := standardProfile(t, 7, "cpu")
	m := newMonitor(t, p)
	feed(t, m, 0, 8*day, 7*time.Minute, normals(rand.New(rand.NewPCG(2, 2)), 0.3))
	window, full := m.state.Columns[0].window(m.state.Last / m.step)
	require.True(t, full)
	require.Len(t, window, Cells, "one value of each cell")
	grid := p.References[0].standardGrid()
	results := m.Check()
	require.Equal(t, KolmogorovSmirnov(grid, window), results[0].Statistic)
	require.Equal(t, PSI(grid, window), results[1].Statistic)
	require.Equal(t, Wasserstein(grid, window, 1), results[2].Statistic)
}

func TestMonitorWindowTestsWaitForWholeDays(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 7, "cpu"))
	constant := func() []float64 { return []float64{0} }
	require.Equal(t, []string{TestPageHinkley, TestADWIN}, tests(m.Check()), "before the first value")
	ready := 7 * day * (minParts - 1) / parts
	feed(t, m, 0, ready-time.Hour, 10*time.Minute, constant)
	require.Len(t, m.Check(), 2)
	feed(t, m, ready-time.Hour, ready+2*time.Hour, 10*time.Minute, constant)
	require.Len(t, m.Check(), 5)
}

func TestMonitorWindowTestsPauseAfterAGap(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	constant := func() []float64 { return []float64{0} }
	feed(t, m, 0, 3*day, 5*time.Minute, constant)
	require.Len(t, m.Check(), 5)
	feed(t, m, 3*day+3*time.Hour, 4*day, 5*time.Minute, constant)
	require.Len(t, m.Check(), 5, "three hours of three days are missing")
	feed(t, m, 5*day, 6*day, 5*time.Minute, constant)
	require.Len(t, m.Check(), 2, "a day is missing")
	feed(t, m, 6*day, 9*day, 5*time.Minute, constant)
	require.Len(t, m.Check(), 5)
}

func TestMonitorNeedsEnoughValues(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	feed(t, m, 0, 6*day, time.Hour, func() []float64 { return []float64{0} })
	require.Len(t, m.Check(), 2, "72 hourly values in three days")
	feed(t, m, 6*day, 9*day, 30*time.Minute, func() []float64 { return []float64{0} })
	require.Len(t, m.Check(), 5)
}

func TestMonitorTreatsNonFiniteAsMissing(t *testing.T) {
	p := standardProfile(t, 3, "cpu", "memory")
	m, alone := newMonitor(t, p), newMonitor(t, standardProfile(t, 3, "memory"))
	alone.state.Random = 0
	missing := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}
	r := rand.New(rand.NewPCG(3, 3))
	i := 0
	feed(t, m, 0, 4*day, 10*time.Minute, func() []float64 {
		i++
		return []float64{missing[i%3], r.NormFloat64()}
	})
	for _, res := range m.Check() {
		require.True(t, finite(res.Statistic))
		if res.Feature == "cpu" {
			require.Zero(t, res.Statistic, "nothing was seen")
		}
	}
	require.Len(t, m.Check(), 7, "two of cpu, five of memory")
}

func TestMonitorRefusesVectorsOfAnotherSchema(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu", "memory"))
	require.EqualError(t, m.Add(epoch, []float64{1}), "drift: vector has 1 values, want 2 as the profile")
	_, err := NewMonitor(Profile{}, 1)
	require.ErrorIs(t, err, ErrInvalid)
}

// TestMonitorSamplesEachCellFairly: of the values of a cell each is as likely as any other to be kept.
func TestMonitorSamplesEachCellFairly(t *testing.T) {
	const perCell, rounds = 5, 40
	kept := make([]int, perCell)
	random := uint64(99)
	for range rounds {
		c := newColumn()
		for cell := range int32(Cells) {
			for i := range perCell {
				c.sample(cell, float32(i)/perCell, &random)
			}
		}
		for _, v := range c.Values {
			kept[int(math.Round(float64(v)*perCell))]++
		}
	}
	for i, n := range kept {
		require.InEpsilon(t, Cells*rounds/perCell, n, 0.05, "value %d", i)
	}
}

func TestMonitorFeedsHourlyMeansToTheStreamingTests(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	var want PageHinkley
	for hour, values := range [][]float64{{1, 2, 0}, {3}, {2, 1e9}, {0.5}} { // 1e9 counts as 3
		for i, v := range values {
			at := epoch.Add(time.Duration(hour)*5*time.Hour + time.Duration(i)*time.Minute) // empty hours do not count
			require.NoError(t, m.Add(at, []float64{v}))
		}
	}
	deviation := m.profile.References[0].Deviation
	for _, mean := range []float64{1 / deviation, 3, (2/deviation + 3) / 2} {
		want.Add(mean) // the last hour is not over
	}
	require.InDelta(t, want.Up, m.state.Columns[0].PageHinkley.Up, 0.02)
	require.Equal(t, 3, m.state.Columns[0].ADWIN.Len())
}

func TestMonitorIsDeterministicInItsSeed(t *testing.T) {
	p := standardProfile(t, 3, "cpu")
	state := func(seed uint64) State {
		m, err := NewMonitor(p, seed)
		require.NoError(t, err)
		feed(t, m, 0, day, time.Minute, normals(rand.New(rand.NewPCG(7, 7)), 0))
		return m.State()
	}
	require.Equal(t, state(1), state(1))
	require.NotEqual(t, state(1).Columns[0].Values, state(2).Columns[0].Values)
}

func TestMonitorForgivesClocks(t *testing.T) {
	zero := []float64{0}
	t.Run("late values count now", func(t *testing.T) {
		m := newMonitor(t, standardProfile(t, 3, "cpu"))
		require.NoError(t, m.Add(epoch.Add(day), zero))
		require.NoError(t, m.Add(epoch, zero))
		require.Equal(t, epoch.Add(day).Unix(), m.state.Last)
		require.Equal(t, 2, m.state.Columns[0].Seen)
		require.Equal(t, 2, m.state.Columns[0].Count)
	})
	t.Run("a clock set back by more than a window starts anew", func(t *testing.T) {
		m := newMonitor(t, standardProfile(t, 3, "cpu"))
		require.NoError(t, m.Add(epoch.AddDate(74, 0, 0), []float64{3}))
		feed(t, m, 0, 4*day, 10*time.Minute, func() []float64 { return zero })
		require.Len(t, m.Check(), 5)
		require.InDelta(t, 0, m.state.Columns[0].ADWIN.Mean(), 1e-9, "nothing of the 3 is left")
	})
	t.Run("a stream may begin in 1970", func(t *testing.T) {
		m := newMonitor(t, standardProfile(t, 3, "cpu"))
		start := time.Unix(0, 0)
		for d := time.Duration(0); d < 4*day; d += 10 * time.Minute {
			require.NoError(t, m.Add(start.Add(d), zero))
		}
		require.Len(t, m.Check(), 5)
	})
}

// TestMonitorWithoutAFullDayOfReference: such a model has not seen the day, and is told so.
func TestMonitorWithoutAFullDayOfReference(t *testing.T) {
	value := with(dailyWave)(rand.New(rand.NewPCG(8, 8)))
	sample := make([]float64, 120)
	for i := range sample {
		sample[i] = value(10 + float64(i)/60)
	}
	p := Profile{From: at(10), To: at(12), References: []Reference{mustReference(t, "cpu", sample)}}
	m := newMonitor(t, p)
	for i := range 4 * 24 * 60 {
		require.NoError(t, m.Add(at(12+float64(i)/60), []float64{value(12 + float64(i)/60)}))
	}
	require.Equal(t, []string{"cpu"}, Drifted(m.Check()))
}

// TestMonitorMemory holds the figure in the doc comment: 7 KB for each column after any length of stream.
func TestMonitorMemory(t *testing.T) {
	const monitors = 200
	p := standardProfile(t, 7, "cpu", "memory", "network", "score")
	r := rand.New(rand.NewPCG(10, 10))
	before := heap()
	all := make([]*Monitor, monitors)
	for i := range all {
		all[i] = newMonitor(t, p)
		feed(t, all[i], 0, 60*day, time.Hour, normals(r, 0, 0, 0, 0))
	}
	perColumn := (heap() - before) / monitors / 4
	t.Logf("%d bytes for each column", perColumn)
	require.Less(t, perColumn, uint64(7<<10))
	runtime.KeepAlive(all)
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestAddDoesNotAllocate(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 7, "cpu", "score"))
	values, now := []float64{1, 2}, epoch
	allocations := testing.AllocsPerRun(3000, func() { // within an hour: the streaming tests may grow a row at its end
		now = now.Add(time.Second)
		_ = m.Add(now, values)
	})
	require.Zero(t, allocations)
}

func FuzzMonitorStaysFinite(f *testing.F) {
	f.Add(uint64(1), int64(60), 1.0, 2.0)
	f.Add(uint64(2), int64(86400*400), math.MaxFloat64, -math.MaxFloat64)
	f.Add(uint64(3), int64(-5), math.NaN(), math.SmallestNonzeroFloat64)
	f.Fuzz(func(t *testing.T, seed uint64, step int64, a, b float64) {
		ref, err := NewReference("cpu", []float64{a, b, a})
		if err != nil {
			return
		}
		m, err := NewMonitor(Profile{References: []Reference{ref}}, seed)
		require.NoError(t, err)
		now := int64(0)
		for i := range 2000 {
			now += step % (1 << 40)
			require.NoError(t, m.Add(time.Unix(now, 0), []float64{[]float64{a, b, a - b, math.Inf(1)}[i%4]}))
		}
		for _, r := range m.Check() {
			require.True(t, finite(r.Statistic), "%+v", r)
		}
		require.NoError(t, m.Restore(m.State()))
	})
}
