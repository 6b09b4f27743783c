package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/sim"
)

// Durations are in time, whatever the interval.
func TestDurationsAtAnyInterval(t *testing.T) {
	minutes := map[sim.Kind]int{
		sim.Spike10x: 2, sim.Spike3s: 5, sim.MemLeak: 240, sim.FlatlineCPU: 60, sim.LevelShiftNight: 120,
		sim.CorrBurst: 30, sim.CorrSwap: 90, sim.NetDrop: 20, sim.VarBurst: 30,
	}
	require.Len(t, sim.Kinds(), len(minutes))
	for _, interval := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		for kind, want := range minutes {
			config := sim.Config{Host: web, Interval: interval, Events: []sim.Event{{Kind: kind, Start: monday.Add(time.Hour)}}}
			labelled := 0
			for _, row := range generate(t, 1, config, int(6*time.Hour/interval)) {
				if row.Label {
					require.Equal(t, kind, row.Kind)
					labelled++
				}
			}
			require.Equal(t, max(1, int(time.Duration(want)*time.Minute/interval)), labelled, "%s every %s", kind, interval)
		}
	}
}

func TestEffectsOfOverlappingEventsAddUp(t *testing.T) {
	hour := monday.Add(time.Hour)
	shift := sim.Event{Kind: sim.LevelShiftNight, Start: hour}
	burst := sim.Event{Kind: sim.CorrBurst, Start: hour.Add(30 * time.Minute)}
	both := generate(t, 1, sim.Config{Host: web, Events: []sim.Event{burst, shift}}, 200)
	none := generate(t, 1, sim.Config{Host: web}, 200)
	for i := range both {
		want := 0.
		if i >= 60 && i < 180 {
			want += 16
		}
		if i >= 90 && i < 120 {
			want += 8
		}
		require.InDelta(t, none[i].CPU+want, both[i].CPU, 1e-9, "row %d", i)
	}
}

func TestAnEventThatBeganBeforeTheRecord(t *testing.T) {
	leak := sim.Event{Kind: sim.MemLeak, Start: monday.Add(-120 * time.Minute)}
	with := generate(t, 1, sim.Config{Host: web, Events: []sim.Event{leak}}, 200)
	without := generate(t, 1, sim.Config{Host: web}, 200)
	require.InDelta(t, without[0].Memory+7, with[0].Memory, 1e-9, "half of it has already leaked")
	require.True(t, with[119].Label)
	require.False(t, with[120].Label)
	require.Equal(t, without[120:], with[120:])
}

func TestEventsThatAreOverBeforeTheRecordDoNothing(t *testing.T) {
	config := sim.Config{Host: web, Events: []sim.Event{
		{Kind: sim.NetDrop, Start: monday.Add(-time.Hour)},
		{Kind: sim.Spike3s, Start: monday.Add(-5 * time.Minute)},
	}}
	require.Equal(t, generate(t, 1, sim.Config{Host: web}, 50), generate(t, 1, config, 50))
}

func TestARebootBeforeTheRecordSetsTheUptime(t *testing.T) {
	config := sim.Config{Host: web, Events: []sim.Event{{Kind: sim.Reboot, Start: monday.Add(-time.Hour)}}}
	row := generate(t, 1, config, 1)[0]
	require.Equal(t, monday, row.Time)
	require.Equal(t, 57*time.Minute, row.Uptime)
}

func TestARebootDuringAnIncident(t *testing.T) {
	config := sim.Config{Host: web, Events: []sim.Event{
		{Kind: sim.NetDrop, Start: monday.Add(10 * time.Minute)},
		{Kind: sim.Reboot, Start: monday.Add(15 * time.Minute), Duration: 10 * time.Minute},
	}}
	labelled := 0
	for _, row := range generate(t, 1, config, 40) {
		require.False(t, row.Time.After(monday.Add(14*time.Minute)) && row.Time.Before(monday.Add(25*time.Minute)), "a gap")
		if row.Label {
			labelled++
		}
	}
	require.Equal(t, 20-10, labelled, "the incident goes on as if nothing had happened")
}

func TestAWeeklyJobDuringAnIncidentKeepsTheLabel(t *testing.T) {
	config := sim.Config{Host: web, Events: []sim.Event{
		{Kind: sim.NetDrop, Start: monday.Add(10 * time.Minute)},
		{Kind: sim.WeeklyJob, Start: monday.Add(15 * time.Minute)},
	}}
	rows := generate(t, 1, config, 40)
	require.Equal(t, sim.NetDrop, rows[20].Kind)
	require.False(t, rows[35].Label)
}

// The events of a configuration belong to the caller.
func TestTheConfigurationIsNotChanged(t *testing.T) {
	events := []sim.Event{
		{Kind: sim.WeeklyJob, Start: monday.Add(time.Hour)},
		{Kind: sim.Spike10x, Start: monday},
	}
	before := append([]sim.Event{}, events...)
	generate(t, 1, sim.Config{Host: web, Events: events}, 15*24*60)
	require.Equal(t, before, events)
}

func TestARowCostsNoMemory(t *testing.T) {
	config, err := sim.Reference(1, web, monday, time.Minute)
	require.NoError(t, err)
	g, err := sim.New(1, config)
	require.NoError(t, err)
	allocated := testing.AllocsPerRun(10, func() {
		for range 3000 {
			g.Next()
		}
	})
	require.LessOrEqual(t, allocated, 6., "the list of what is going on, once per event at most")
}

// Any schedule: time goes on in steps of the interval, labels have kinds,
// causes and numbers, and nothing else has.
func TestRowsAreConsistentUnderAnySchedule(t *testing.T) {
	kinds := append(sim.Kinds(), sim.Deploy, sim.Reboot, sim.WeeklyJob)
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute}).Draw(t, "interval")
		var events []sim.Event
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			events = append(events, sim.Event{
				Kind:     rapid.SampledFrom(kinds).Draw(t, "kind"),
				Start:    monday.Add(time.Duration(rapid.IntRange(-100, 3000).Draw(t, "start")) * time.Second),
				Duration: time.Duration(rapid.IntRange(0, 1000).Draw(t, "duration")) * time.Second,
				Feature:  rapid.SampledFrom([]string{"", sim.CPU, sim.Memory, sim.Network}).Draw(t, "feature"),
			})
		}
		g, err := sim.New(rapid.Uint64().Draw(t, "seed"), sim.Config{Host: web, Interval: interval, Events: events})
		require.NoError(t, err)
		last := g.Next()
		for range 500 {
			row := g.Next()
			step := row.Time.Sub(last.Time)
			require.True(t, step >= interval && step%interval == 0)
			if step == interval && row.Uptime >= interval {
				require.Equal(t, interval, row.Uptime-last.Uptime)
			} else {
				require.Less(t, row.Uptime, step, "started since the last row")
			}
			require.Equal(t, row.Label, row.Kind != "")
			require.Equal(t, row.Label, row.Event > 0)
			require.Equal(t, row.Label, len(row.Cause) > 0)
			require.True(t, row.CPU >= 0 && row.CPU <= 100 && row.Memory >= 0 && row.Memory <= 100 && row.Network >= 0)
			last = row
		}
	})
}

// However hosts, cores and intervals are drawn: Telegraf's lines can be decoded
// and carry the row.
func TestLinesOfAnyHost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := sim.Fleet(rapid.Uint64().Draw(t, "fleet"), 1)[0]
		host.Cores = rapid.IntRange(0, 9).Draw(t, "cores")
		host.Veths = rapid.IntRange(0, 4).Draw(t, "veths")
		interval := time.Duration(rapid.IntRange(1, 60).Draw(t, "interval")) * time.Second
		g, err := sim.New(1, sim.Config{Host: host, Interval: interval})
		require.NoError(t, err)
		format := sim.Telegraf(1, host)
		cores := host.Cores
		if cores == 0 {
			cores = 2
		}
		for i := range 3 {
			row := g.Next()
			lines := parse(t, format(nil, row))
			cpus := 0
			for _, l := range lines {
				require.Equal(t, row.Time, l.time.UTC())
				switch l.measurement {
				case "cpu":
					idle := number(l, "usage_idle")
					require.True(t, idle >= 0 && idle <= 100)
					cpus++
				case "mem":
					require.Equal(t, row.Memory, number(l, "used_percent"))
				}
			}
			require.Len(t, lines, cpus+1+3+host.Veths+2+3)
			require.Equal(t, i > 0, cpus == cores+1)
		}
	})
}
