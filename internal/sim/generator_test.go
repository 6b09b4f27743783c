package sim_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/sim"
)

var (
	monday = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	web    = sim.Host{Name: "web01"}
)

func generate(t testing.TB, seed uint64, c sim.Config, rows int) []sim.Row {
	g, err := sim.New(seed, c)
	require.NoError(t, err)
	table := make([]sim.Row, rows)
	for i := range table {
		table[i] = g.Next()
	}
	return table
}

func column(rows []sim.Row, of func(sim.Row) float64) []float64 {
	values := make([]float64, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	return values
}

func cpu(r sim.Row) float64     { return r.CPU }
func memory(r sim.Row) float64  { return r.Memory }
func network(r sim.Row) float64 { return r.Network }

func diff(values []float64) []float64 {
	steps := make([]float64, len(values)-1)
	for i := range steps {
		steps[i] = values[i+1] - values[i]
	}
	return steps
}

func TestTheSameSeedGivesTheSameRows(t *testing.T) {
	config, err := sim.Reference(1, web, monday, time.Minute)
	require.NoError(t, err)
	require.Equal(t, generate(t, 7, config, 50_000), generate(t, 7, config, 50_000))
	require.NotEqual(t, generate(t, 7, config, 10), generate(t, 8, config, 10))
	config.Host.Name = "web02"
	other := generate(t, 7, config, 10)
	config.Host.Name = "web01"
	require.NotEqual(t, generate(t, 7, config, 10), other, "hosts are independent")
}

func TestDefaults(t *testing.T) {
	rows := generate(t, 1, sim.Config{}, 2)
	require.Equal(t, monday, rows[0].Time)
	require.Equal(t, monday.Add(time.Minute), rows[1].Time)
	require.Zero(t, rows[0].Label)
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	_, err := sim.New(1, sim.Config{Interval: -time.Second})
	require.EqualError(t, err, "sim: negative interval")
	_, err = sim.New(1, sim.Config{Events: []sim.Event{{Kind: "earthquake"}}})
	require.EqualError(t, err, `sim: no kind of event is called "earthquake"`)
	_, err = sim.New(1, sim.Config{Events: []sim.Event{{Kind: sim.Spike10x, Feature: "disk"}}})
	require.EqualError(t, err, `sim: spike10x cannot hit "disk", only cpu, memory or network`)
}

// The published sets of the same specification (seeds 101 and 102 of another
// program) have: means 33.2, 56.6, 20.0e6, deviations 10.2, 2.2, 8.4e6,
// deviations of the steps (by the median) 2.94, 0.285 and, of log network, 0.204.
func TestStatisticsAreThoseOfTheSpecification(t *testing.T) {
	rows := generate(t, 1, sim.Config{Host: web}, 60*24*60)
	logNetwork := column(rows, func(r sim.Row) float64 { return math.Log(r.Network) })
	for name, c := range map[string]struct {
		values              []float64
		mean, sd, step, tol float64
	}{
		"cpu":         {column(rows, cpu), 33.3, 10.2, 2.94, .05},
		"memory":      {column(rows, memory), 56.7, 2.2, .285, .05},
		"log network": {logNetwork, math.Log(20e6) - .064, .41, .204, .05},
	} {
		t.Run(name, func(t *testing.T) {
			mean, sd := stat.MeanStdDev(c.values, nil)
			require.InEpsilon(t, c.mean, mean, c.tol)
			require.InEpsilon(t, c.sd, sd, 2*c.tol)
			require.InEpsilon(t, c.step, medianDeviation(diff(c.values)), c.tol)
		})
	}
	require.Greater(t, stat.Correlation(column(rows, cpu), logNetwork, nil), .75)
}

func medianDeviation(values []float64) float64 {
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v)
	}
	return 1.4826 * quantile(.5, away)
}

// The same host seen more or less often is the same host.
func TestTheIntervalDoesNotChangeTheHost(t *testing.T) {
	for _, interval := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		t.Run(interval.String(), func(t *testing.T) {
			rows := generate(t, 3, sim.Config{Host: web, Interval: interval}, int(28*24*time.Hour/interval))
			mean, sd := stat.MeanStdDev(column(rows, cpu), nil)
			require.InDelta(t, 33.3, mean, 1.5)
			require.InDelta(t, 10.2, sd, 1)
			perMinute := int(time.Minute / interval)
			if perMinute > 0 {
				noise := column(rows, func(r sim.Row) float64 { return math.Log(r.Network) })
				require.InEpsilon(t, .204, medianDeviation(lag(noise, perMinute)), .05)
			}
		})
	}
}

func lag(values []float64, k int) []float64 {
	steps := make([]float64, len(values)-k)
	for i := range steps {
		steps[i] = values[i+k] - values[i]
	}
	return steps
}

func TestDaysWeeksAndHours(t *testing.T) {
	rows := generate(t, 5, sim.Config{Host: web}, 8*7*24*60)
	at := func(in func(time.Time) bool) float64 {
		var values []float64
		for _, r := range rows {
			if in(r.Time) {
				values = append(values, r.CPU)
			}
		}
		return stat.Mean(values, nil)
	}
	hour := func(h int) func(time.Time) bool { return func(t time.Time) bool { return t.Hour() == h } }
	require.InDelta(t, 24, at(hour(15))-at(hour(3)), 2, "twice the amplitude")
	weekend := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	work := func(t time.Time) bool { return !weekend(t) }
	require.InDelta(t, -6, at(weekend)-at(work), 1.5)
	require.InDelta(t, 8,
		at(func(t time.Time) bool { return t.Minute() < 3 })-at(func(t time.Time) bool { return t.Minute() >= 3 && t.Minute() < 6 }), .5)
}

func TestPhaseMovesTheDay(t *testing.T) {
	late := web
	late.Phase = 6 * time.Hour
	for host, peak := range map[sim.Host]int{web: 15, late: 21} {
		rows := generate(t, 5, sim.Config{Host: host}, 8*7*24*60)
		var best, bestHour = 0., 0
		for h := range 24 {
			var values []float64
			for _, r := range rows {
				if r.Time.Hour() == h {
					values = append(values, r.Network)
				}
			}
			if m := stat.Mean(values, nil); m > best {
				best, bestHour = m, h
			}
		}
		require.InDelta(t, peak, bestHour, 1.5)
	}
}

func TestMemoryIsASawtooth(t *testing.T) {
	rows := generate(t, 9, sim.Config{Host: web}, 60*24*60)
	phase := make([][]float64, 6)
	for _, r := range rows {
		i := r.Time.Hour() % 6
		phase[i] = append(phase[i], r.Memory)
	}
	for i := 1; i < 6; i++ {
		require.Greater(t, stat.Mean(phase[i], nil), stat.Mean(phase[i-1], nil))
	}
	require.InDelta(t, 4*5/6., stat.Mean(phase[5], nil)-stat.Mean(phase[0], nil), 1)
}

func TestScales(t *testing.T) {
	big := sim.Host{Name: "web01", CPUScale: .5, MemoryScale: .8, NetworkScale: 10}
	plain, scaled := generate(t, 1, sim.Config{Host: web}, 2000), generate(t, 1, sim.Config{Host: big}, 2000)
	for i := range plain {
		require.InEpsilon(t, plain[i].CPU*.5, scaled[i].CPU, 1e-9)
		require.InEpsilon(t, plain[i].Memory*.8, scaled[i].Memory, 1e-9)
		require.InEpsilon(t, plain[i].Network*10, scaled[i].Network, 1e-9)
	}
}

func TestTwoMinutesInAThousandOfTrainingAreBlips(t *testing.T) {
	const training, rows = 60 * 24 * 60, 80 * 24 * 60
	blips := map[string]int{}
	table := generate(t, 2, sim.Config{Host: web, Training: training * time.Minute}, rows)
	for i := 1; i < rows-1; i++ {
		require.False(t, table[i].Label)
		for name, rise := range rises(table[i-1 : i+2]) {
			if rise {
				require.Less(t, i, training, "none after training")
				blips[name]++
			}
		}
	}
	for name, n := range blips {
		require.InEpsilon(t, .002/3*training, n, .35, name)
	}
	require.Len(t, blips, 3)
}

// rises says which features are higher in the middle of three rows by most of
// what a blip adds.
func rises(r []sim.Row) map[string]bool {
	above := func(of func(sim.Row) float64, by float64) bool {
		return of(r[1])-of(r[0]) > by && of(r[1])-of(r[2]) > by
	}
	return map[string]bool{
		sim.CPU:     above(cpu, 18),
		sim.Memory:  above(memory, 5),
		sim.Network: above(func(r sim.Row) float64 { return math.Log(r.Network) }, .85),
	}
}

func TestValuesStayInTheirRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		host := sim.Fleet(seed, 1)[0]
		config := sim.Config{Host: host, Training: time.Hour, Events: []sim.Event{
			{Kind: sim.CorrBurst, Start: monday, Size: rapid.Float64Range(-20, 20).Draw(t, "size")},
		}}
		g, err := sim.New(seed, config)
		require.NoError(t, err)
		for range 100 {
			row := g.Next()
			require.True(t, row.CPU >= 0 && row.CPU <= 100)
			require.True(t, row.Memory >= 0 && row.Memory <= 100)
			require.True(t, row.Network > 0 && !math.IsInf(row.Network, 0))
		}
	})
}

func TestAFleetIsVariedAndReproducible(t *testing.T) {
	fleet := sim.Fleet(1, 50)
	require.Equal(t, fleet, sim.Fleet(1, 50))
	require.Equal(t, fleet[:10], sim.Fleet(1, 10), "a larger fleet has the same first hosts")
	names, low, high := map[string]bool{}, math.Inf(1), 0.
	for _, h := range fleet {
		names[h.Name] = true
		low, high = min(low, h.NetworkScale), max(high, h.NetworkScale)
	}
	require.Len(t, names, 50)
	require.Greater(t, high/low, 10.)
}

func ExampleGenerator() {
	g, _ := sim.New(1, sim.Config{
		Host: sim.Host{Name: "web01"},
		Events: []sim.Event{{
			Kind: sim.Spike10x, Feature: sim.Memory, Start: time.Date(2024, 1, 1, 0, 1, 0, 0, time.UTC), Duration: time.Minute,
		}},
	})
	for range 3 {
		row := g.Next()
		fmt.Println(row.Time.Format("15:04"), row.Memory > 99, row.Kind, row.Cause)
	}
	// Output:
	// 00:00 false  []
	// 00:01 true spike10x [memory]
	// 00:02 false  []
}

// A month of fifty hosts is two million rows.
func BenchmarkNext(b *testing.B) {
	config, err := sim.Reference(1, web, monday, time.Minute)
	require.NoError(b, err)
	g, err := sim.New(1, config)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		g.Next()
	}
}
