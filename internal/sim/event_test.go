package sim_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/sim"
)

func quantile(p float64, values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return stat.Quantile(p, stat.Empirical, sorted, nil)
}

// beside gives the rows of an event and the same rows without it: all kinds but
// var_burst leave the host's random numbers alone.
func beside(t *testing.T, host sim.Host, e sim.Event) (with, without []sim.Row) {
	const rows = 12 * 60
	return generate(t, 4, sim.Config{Host: host, Events: []sim.Event{e}}, rows),
		generate(t, 4, sim.Config{Host: host}, rows)
}

func TestWhatEachKindDoes(t *testing.T) {
	start := monday.Add(3 * time.Hour)
	const first = 180 // row of start
	cases := map[string]struct {
		event sim.Event
		rows  int
		cause []string
		check func(t *testing.T, i int, with, without sim.Row)
	}{
		"spike10x of cpu": {sim.Event{Kind: sim.Spike10x}, 2, []string{"cpu"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, 99.5, with.CPU, 1e-9)
			require.Equal(t, without.Network, with.Network)
		}},
		"spike10x of memory": {sim.Event{Kind: sim.Spike10x, Feature: sim.Memory}, 2, []string{"memory"}, func(t *testing.T, _ int, with, _ sim.Row) {
			require.InDelta(t, 99.5, with.Memory, 1e-9)
		}},
		"spike10x of network": {sim.Event{Kind: sim.Spike10x, Feature: sim.Network}, 2, []string{"network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InEpsilon(t, 10*without.Network, with.Network, 1e-9)
		}},
		"spike3s of cpu": {sim.Event{Kind: sim.Spike3s, Feature: sim.CPU}, 5, []string{"cpu"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, without.CPU+12, with.CPU, 1e-9)
		}},
		"spike3s of memory": {sim.Event{Kind: sim.Spike3s, Feature: sim.Memory}, 5, []string{"memory"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, without.Memory+4, with.Memory, 1e-9)
		}},
		"spike3s of network": {sim.Event{Kind: sim.Spike3s, Feature: sim.Network}, 5, []string{"network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InEpsilon(t, 2.2*without.Network, with.Network, 1e-9)
		}},
		"mem_leak": {sim.Event{Kind: sim.MemLeak}, 240, []string{"memory"}, func(t *testing.T, i int, with, without sim.Row) {
			require.InDelta(t, without.Memory+14*float64(i)/240, with.Memory, 1e-9)
		}},
		"flatline_cpu": {sim.Event{Kind: sim.FlatlineCPU}, 60, []string{"cpu"}, func(t *testing.T, i int, with, without sim.Row) {
			if i == 0 {
				require.Equal(t, without.CPU, with.CPU)
			}
		}},
		"level_shift_night": {sim.Event{Kind: sim.LevelShiftNight}, 120, []string{"cpu"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, without.CPU+16, with.CPU, 1e-9)
		}},
		"corr_burst": {sim.Event{Kind: sim.CorrBurst}, 30, []string{"cpu", "memory", "network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, without.CPU+8, with.CPU, 1e-9)
			require.InDelta(t, without.Memory+2.5, with.Memory, 1e-9)
			require.InEpsilon(t, 1.5*without.Network, with.Network, 1e-9)
		}},
		"corr_swap": {sim.Event{Kind: sim.CorrSwap}, 90, []string{"network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InEpsilon(t, 20e6*20e6/without.Network, with.Network, 1e-9)
			require.Equal(t, without.CPU, with.CPU)
		}},
		"net_drop": {sim.Event{Kind: sim.NetDrop}, 20, []string{"network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InEpsilon(t, .15*without.Network, with.Network, 1e-9)
		}},
		"longer and weaker": {sim.Event{Kind: sim.NetDrop, Duration: time.Hour, Size: .5}, 60, []string{"network"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InEpsilon(t, math.Sqrt(.15)*without.Network, with.Network, 1e-9)
		}},
		"twice as strong": {sim.Event{Kind: sim.LevelShiftNight, Size: 2}, 120, []string{"cpu"}, func(t *testing.T, _ int, with, without sim.Row) {
			require.InDelta(t, without.CPU+32, with.CPU, 1e-9)
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.event.Start = start
			with, without := beside(t, web, c.event)
			for i := range with {
				if i < first || i >= first+c.rows {
					require.Equal(t, without[i], with[i], "row %d is outside", i)
					continue
				}
				require.True(t, with[i].Label)
				require.Equal(t, 1, with[i].Event)
				require.Equal(t, c.event.Kind, with[i].Kind)
				require.Equal(t, c.cause, with[i].Cause)
				c.check(t, i-first, with[i], without[i])
			}
		})
	}
}

func TestAFlatlineIsFlat(t *testing.T) {
	with, _ := beside(t, web, sim.Event{Kind: sim.FlatlineCPU, Start: monday.Add(time.Hour)})
	for i := 60; i < 120; i++ {
		require.Equal(t, with[60].CPU, with[i].CPU)
	}
	require.NotEqual(t, with[60].CPU, with[120].CPU)
}

func TestAVarianceBurstIsNoisy(t *testing.T) {
	with, without := beside(t, web, sim.Event{Kind: sim.VarBurst, Start: monday.Add(time.Hour), Duration: 10 * time.Hour})
	noise := func(rows []sim.Row) float64 { return stat.StdDev(diff(column(rows[60:660], cpu)), nil) }
	require.InDelta(t, math.Sqrt(2)*9, math.Sqrt(math.Pow(noise(with), 2)-math.Pow(noise(without), 2)), 1)
	require.InDelta(t, stat.Mean(column(without[60:660], cpu), nil), stat.Mean(column(with[60:660], cpu), nil), 4)
}

// 99.5 % is 99.5 % on any machine; what is added is scaled with it.
func TestEventsOnAScaledHost(t *testing.T) {
	small := sim.Host{Name: "web01", CPUScale: .5, MemoryScale: .6}
	start := monday.Add(time.Hour)
	with, _ := beside(t, small, sim.Event{Kind: sim.Spike10x, Start: start})
	require.InDelta(t, 99.5, with[60].CPU, 1e-9)
	with, without := beside(t, small, sim.Event{Kind: sim.LevelShiftNight, Start: start})
	require.InDelta(t, without[60].CPU+8, with[60].CPU, 1e-9)
}

func TestAnEventCoversAtLeastOneRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.IntRange(1, 600).Draw(t, "interval")) * time.Second
		start := monday.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "start")) * time.Second)
		length := time.Duration(rapid.IntRange(1, 3600).Draw(t, "length")) * time.Second
		g, err := sim.New(1, sim.Config{Interval: interval, Events: []sim.Event{{Kind: sim.NetDrop, Start: start, Duration: length}}})
		require.NoError(t, err)
		labelled, rows := 0, int(3*time.Hour/interval)
		for range rows {
			row := g.Next()
			inside := !row.Time.Before(start) && row.Time.Before(start.Add(max(length, interval)))
			require.Equal(t, inside, row.Label)
			if row.Label {
				labelled++
			}
		}
		require.GreaterOrEqual(t, labelled, 1)
	})
}

func TestEventsAreNumberedByTheirStarts(t *testing.T) {
	rows := generate(t, 1, sim.Config{Host: web, Events: []sim.Event{
		{Kind: sim.NetDrop, Start: monday.Add(50 * time.Minute)},
		{Kind: sim.Deploy, Start: monday.Add(5 * time.Minute)},
		{Kind: sim.VarBurst, Start: monday.Add(10 * time.Minute)},
		{Kind: sim.Spike3s, Start: monday.Add(15 * time.Minute)},
	}}, 100)
	numbers := map[int]sim.Kind{}
	for _, r := range rows {
		if r.Label {
			numbers[r.Event] = r.Kind
		}
	}
	require.Equal(t, map[int]sim.Kind{1: sim.VarBurst, 2: sim.Spike3s, 3: sim.NetDrop}, numbers)
	require.Equal(t, 1, rows[12].Event)
	require.Equal(t, 2, rows[17].Event, "the one that began last")
	require.Equal(t, 1, rows[22].Event)
}

func TestADeployIsForGoodAndNoIncident(t *testing.T) {
	with, without := beside(t, web, sim.Event{Kind: sim.Deploy, Start: monday.Add(time.Hour)})
	for i := range with {
		require.False(t, with[i].Label)
		if i < 60 {
			require.Equal(t, without[i], with[i])
			continue
		}
		require.InDelta(t, without[i].CPU+10, with[i].CPU, 1e-9)
		require.InDelta(t, without[i].Memory+6, with[i].Memory, 1e-9)
		require.InEpsilon(t, 1.5*without[i].Network, with[i].Network, 1e-9)
	}
}

func TestARebootLeavesAGapAndStartsUptimeAgain(t *testing.T) {
	rows := generate(t, 1, sim.Config{Host: web, Events: []sim.Event{
		{Kind: sim.Reboot, Start: monday.Add(10*time.Minute + 30*time.Second), Duration: 4 * time.Minute},
	}}, 30)
	require.Equal(t, monday.Add(10*time.Minute), rows[10].Time)
	require.Equal(t, monday.Add(15*time.Minute), rows[11].Time, "11 to 14 are missing")
	require.Greater(t, rows[10].Uptime, rows[11].Uptime)
	require.Equal(t, 30*time.Second, rows[11].Uptime)
	for _, r := range rows {
		require.False(t, r.Label)
	}
}

func TestAWeeklyJobComesBackEveryWeek(t *testing.T) {
	const weeks, minutes = 3, 7 * 24 * 60
	config := sim.Config{Host: web, Events: []sim.Event{{Kind: sim.WeeklyJob, Start: monday.Add(2 * time.Hour)}}}
	with, without := generate(t, 1, config, weeks*minutes), generate(t, 1, sim.Config{Host: web}, weeks*minutes)
	for i := range with {
		require.False(t, with[i].Label)
		busy := i%minutes >= 120 && i%minutes < 180
		require.Equal(t, busy, with[i].CPU != without[i].CPU, "row %d", i)
		if busy {
			require.InEpsilon(t, 3*without[i].Network, with[i].Network, 1e-9)
		}
	}
}

func TestThePlanKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := monday.Add(24*time.Hour), monday.Add(21*24*time.Hour)
		host := sim.Fleet(rapid.Uint64().Draw(t, "host"), 1)[0]
		seed := rapid.Uint64().Draw(t, "seed")
		events, err := sim.Plan(seed, host, from, to, 6)
		require.NoError(t, err)
		kinds := map[sim.Kind]int{}
		for i, e := range events {
			kinds[e.Kind]++
			require.False(t, e.Start.Before(from))
			require.False(t, e.Start.Add(e.Duration).After(to))
			if i > 0 {
				before := events[i-1]
				require.GreaterOrEqual(t, e.Start.Sub(before.Start.Add(before.Duration)), time.Hour)
			}
		}
		require.Len(t, kinds, 9)
		for _, kind := range sim.Kinds() {
			require.Equal(t, 6, kinds[kind])
		}
	})
}

func TestShiftsComeAtNightAndSwapsAtFullOrIdleHours(t *testing.T) {
	events, err := sim.Plan(1, web, monday, monday.Add(21*24*time.Hour), 6)
	require.NoError(t, err)
	for _, e := range events {
		hour := e.Start.Add(e.Duration / 2).Sub(e.Start.Add(e.Duration / 2).Truncate(24 * time.Hour)).Hours()
		weekend := e.Start.Weekday() == time.Saturday || e.Start.Weekday() == time.Sunday
		switch {
		case e.Kind == sim.LevelShiftNight && !weekend:
			require.True(t, hour > 20.5 || hour < 7.5, "%v", e.Start)
		case e.Kind == sim.CorrSwap && !weekend:
			require.True(t, math.Abs(hour-15) < 3.5 || math.Abs(hour-3) < 3.5, "%v", e.Start)
		}
	}
}

func TestAPlanWithoutRoomIsAnError(t *testing.T) {
	_, err := sim.Plan(1, web, monday, monday.Add(24*time.Hour), 6)
	require.ErrorContains(t, err, "no room for another")
	_, err = sim.Plan(1, web, monday, monday, 1)
	require.ErrorContains(t, err, "between 2024-01-01 00:00:00 and 2024-01-01 00:00:00")
}

func TestTheReferenceRecord(t *testing.T) {
	config, err := sim.Reference(101, web, monday, time.Minute)
	require.NoError(t, err)
	rows := generate(t, 101, config, (14+21)*24*60)
	labelled, events := 0, map[int]bool{}
	for i, r := range rows {
		if r.Label {
			require.GreaterOrEqual(t, i, 15*24*60)
			labelled++
			events[r.Event] = true
		}
	}
	require.Len(t, events, 54)
	require.InEpsilon(t, 3581, labelled, .01, "as many as in the published sets")
}
