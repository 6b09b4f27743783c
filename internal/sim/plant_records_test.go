package sim_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/sim"
)

// Records as they come: what is in them, and which kinds can be planted.
func TestRecordsOfAllSorts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	daily := func(i int) float64 { return math.Sin(2 * math.Pi * float64(i) / 1440) }
	cases := map[string]struct {
		row     func(i int) []float64
		missing []sim.Kind
	}{
		"scaled to 0..1 over the record": {
			row: func(i int) []float64 {
				l := .5 + .3*daily(i)
				return []float64{l + .05*random.Float64(), l*l + .05*random.Float64()}
			},
		},
		"bytes in the billions": {
			row: func(i int) []float64 {
				l := 5e9 * (2 + daily(i))
				return []float64{l + 1e8*random.NormFloat64(), 3*l + 1e8*random.NormFloat64()}
			},
		},
		"below zero": {
			row: func(i int) []float64 {
				l := -50 + 10*daily(i)
				return []float64{l + random.NormFloat64(), -l + random.NormFloat64()}
			},
		},
		"idle nearly always": {
			row: func(i int) []float64 {
				busy := 0.
				if random.IntN(10) == 0 {
					busy = 100 * random.Float64()
				}
				return []float64{busy, 10*busy + 1e-3*random.Float64()}
			},
		},
		"two columns that have nothing to do with each other": {
			row:     func(int) []float64 { return []float64{random.NormFloat64(), random.NormFloat64()} },
			missing: []sim.Kind{sim.BrokenRelation},
		},
		"steps of hours": {
			row:     func(i int) []float64 { v := []float64{0, 1, 5}[i/360%3]; return []float64{v, v} },
			missing: []sim.Kind{sim.Flatline},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			rows := make([][]float64, 14*1440)
			for i := range rows {
				rows[i] = c.row(i)
			}
			events, err := sim.Plant(1, rows, []sim.Column{{Name: "a"}, {Name: "b"}}, time.Minute, 2)
			require.NoError(t, err)
			kinds := map[sim.Kind]int{}
			for _, e := range events {
				kinds[sim.Kind(e.Kind)]++
			}
			for _, kind := range []sim.Kind{
				sim.Spike, sim.LevelShift, sim.Ramp, sim.Flatline, sim.Drop, sim.Burst, sim.BrokenRelation,
			} {
				want := 2
				if slices.Contains(c.missing, kind) {
					want = 0
				}
				require.Equal(t, want, kinds[kind], kind)
			}
			for _, row := range rows {
				require.False(t, math.IsNaN(row[0]+row[1]) || math.IsInf(row[0]+row[1], 0))
			}
		})
	}
}

// The unit of a column does not matter.
func TestPlantingIsLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(1, 50).Draw(t, "seed")
		scale := math.Exp2(float64(rapid.IntRange(-20, 20).Draw(t, "scale"))) // exact
		rows, scaled := noise(seed, 600), noise(seed, 600)
		for i := range scaled {
			for j := range scaled[i] {
				scaled[i][j] *= scale
			}
		}
		free := []sim.Column{{Name: "cpu"}, {Name: "memory"}, {Name: "network"}}
		a, err := sim.Plant(seed, rows, free, time.Minute, 1)
		require.NoError(t, err)
		b, err := sim.Plant(seed, scaled, free, time.Minute, 1)
		require.NoError(t, err)
		require.Equal(t, a, b)
		for i := range rows {
			for j, v := range rows[i] {
				if !math.IsNaN(v) {
					require.Equal(t, v*scale, scaled[i][j])
				}
			}
		}
	})
}

// In three hours there is room for one of each, shorter and closer together.
func TestAShortRecordGetsShortIncidents(t *testing.T) {
	long, short := noise(1, 14*1440), noise(1, 180)
	many, err := sim.Plant(1, long, three, time.Minute, 1)
	require.NoError(t, err)
	few, err := sim.Plant(1, short, three, time.Minute, 1)
	require.NoError(t, err)
	require.Len(t, many, 7)
	require.Len(t, few, 7)
	planted := 0
	for _, in := range eval.Rows(few, len(short)) {
		if in {
			planted++
		}
	}
	require.Less(t, planted, len(short)/2)
	require.Less(t, longest(few), longest(many))
	require.Equal(t, 240, longest(many), "a ramp of four hours")
}

func longest(events []eval.Event) (rows int) {
	for _, e := range events {
		rows = max(rows, e.End-e.Start)
	}
	return rows
}

func TestSeedsAndNumbers(t *testing.T) {
	plant := func(seed uint64, perKind int) []eval.Event {
		events, err := sim.Plant(seed, noise(1, 14*1440), three, time.Minute, perKind)
		require.NoError(t, err)
		require.Len(t, events, 7*perKind)
		return events
	}
	require.Equal(t, plant(1, 3), plant(1, 3))
	require.NotEqual(t, plant(1, 3), plant(2, 3))
	require.Empty(t, plant(1, 0))
}

// The planted record can be judged like a labelled one: a score that looks at
// deviations finds spikes, one that looks at nothing finds nothing.
func TestPlantedIncidentsCanBeEvaluated(t *testing.T) {
	rows := record(t, 1, time.Minute, 14*1440)
	events, err := sim.Plant(1, rows, three, time.Minute, 4)
	require.NoError(t, err)
	score := make([]float64, len(rows))
	for j := range three {
		median, dev, _ := ordinary(rows, j)
		for i, row := range rows {
			score[i] = max(score[i], math.Abs(row[j]-median)/dev)
		}
	}
	figures := eval.Measure(score, eval.Flags(score, 4), events, time.Minute)
	require.Greater(t, figures.EventRecall, .2)
	require.Greater(t, figures.ROCAUC, .6)
	nothing := eval.Measure(make([]float64, len(rows)), make([]bool, len(rows)), events, time.Minute)
	require.Zero(t, nothing.EventRecall)
	require.Equal(t, .5, nothing.ROCAUC)
	require.Equal(t, len(events), eval.NameAtRandom(events, []string{"cpu", "memory", "network"}).Events)
}
