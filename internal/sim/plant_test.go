package sim_test

import (
	"fmt"
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

var three = []sim.Column{{Name: "cpu", Min: 0, Max: 100}, {Name: "memory", Min: 0, Max: 100}, {Name: "network"}}

// record is a clean record of a simulated host.
func record(t testing.TB, seed uint64, interval time.Duration, n int) [][]float64 {
	var table [][]float64
	for _, r := range generate(t, seed, sim.Config{Host: web, Interval: interval}, n) {
		table = append(table, []float64{r.CPU, r.Memory, r.Network})
	}
	return table
}

func clone(rows [][]float64) [][]float64 {
	c := make([][]float64, len(rows))
	for i, row := range rows {
		c[i] = slices.Clone(row)
	}
	return c
}

func index(name string) int {
	return slices.IndexFunc(three, func(c sim.Column) bool { return c.Name == name })
}

func TestOnlyPlantedRowsOfTheCauseChange(t *testing.T) {
	clean := record(t, 1, time.Minute, 10*24*60)
	planted := clone(clean)
	events, err := sim.Plant(1, planted, three, time.Minute, 3)
	require.NoError(t, err)
	require.Len(t, events, 3*7)
	inside := eval.Rows(events, len(clean))
	for i := range clean {
		if !inside[i] {
			require.Equal(t, clean[i], planted[i])
		}
	}
	for _, e := range events {
		changed := map[string]int{}
		for i := e.Start; i < e.End; i++ {
			for j, c := range three {
				if clean[i][j] != planted[i][j] {
					changed[c.Name]++
				}
			}
		}
		require.NotEmpty(t, e.Cause)
		require.Len(t, changed, len(e.Cause), e.Kind)
		for _, cause := range e.Cause {
			require.GreaterOrEqual(t, 2*changed[cause], e.End-e.Start-1, e.Kind)
		}
	}
}

func TestPlantedKindsDoWhatTheySay(t *testing.T) {
	clean := record(t, 1, time.Minute, 20*24*60)
	planted := clone(clean)
	events, err := sim.Plant(5, planted, three, time.Minute, 6)
	require.NoError(t, err)
	for _, e := range events {
		j := index(e.Cause[0])
		was, is := span(clean, e, j), span(planted, e, j)
		median, dev, low := ordinary(clean, j)
		last := len(is) - 1
		t.Run(e.Kind, func(t *testing.T) {
			switch sim.Kind(e.Kind) {
			case sim.Spike:
				require.LessOrEqual(t, len(is), 3)
				between(t, 4*dev, 8*dev, is[0]-was[0], three[j].Max > 0 && is[0] == three[j].Max)
			case sim.LevelShift:
				require.Len(t, is, 120)
				between(t, 1.5*dev, 3*dev, is[last]-was[last], false)
				require.InEpsilon(t, is[0]-was[0], is[last]-was[last], 1e-6)
			case sim.Ramp:
				require.Len(t, is, 240)
				between(t, 3*dev, 6*dev, is[last]-was[last], three[j].Max > 0 && is[last] == three[j].Max)
				require.InDelta(t, (is[119]-was[119])/120, is[0]-was[0], 1e-6*dev)
			case sim.Flatline:
				require.Len(t, slices.Compact(is), 1)
				require.Equal(t, was[0], is[0])
			case sim.Drop:
				require.Len(t, is, 20)
				require.InEpsilon(t, low+.15*(was[0]-low), is[0], 1e-9)
			case sim.Burst:
				require.Equal(t, []string{"cpu", "memory", "network"}, e.Cause)
				between(t, .8*dev, 1.5*dev, is[0]-was[0], false)
			case sim.BrokenRelation:
				require.InEpsilon(t, 2*median-was[0], is[0], 1e-9)
				require.Greater(t, meanDistance(was, median), .7*dev)
			default:
				t.Fatal("unknown kind")
			}
		})
	}
}

func span(rows [][]float64, e eval.Event, j int) (values []float64) {
	for _, row := range rows[e.Start:e.End] {
		values = append(values, row[j])
	}
	return values
}

func ordinary(rows [][]float64, j int) (median, dev, low float64) {
	values := span(rows, eval.Event{End: len(rows)}, j)
	median = quantile(.5, values)
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v - median)
	}
	return median, 1.4826 * quantile(.5, away), quantile(.01, values)
}

func meanDistance(values []float64, from float64) (sum float64) {
	for _, v := range values {
		sum += math.Abs(v-from) / float64(len(values))
	}
	return sum
}

// between allows for what the valid range has cut off.
func between(t *testing.T, low, high, got float64, clipped bool) {
	if !clipped {
		require.GreaterOrEqual(t, got, low*(1-1e-9))
	}
	require.LessOrEqual(t, got, high*(1+1e-9))
}

func TestPlantingKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		interval := rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}).Draw(t, "interval")
		rows := noise(seed, rapid.IntRange(500, 6000).Draw(t, "rows"))
		again := clone(rows)
		events, err := sim.Plant(seed, rows, three, interval, 2)
		require.NoError(t, err)
		for i, e := range events {
			require.True(t, 0 <= e.Start && e.Start < e.End && e.End <= len(rows))
			if i > 0 {
				require.GreaterOrEqual(t, e.Start-events[i-1].End, min(3, int(time.Hour/interval)))
			}
		}
		for _, row := range rows {
			for j, c := range three[:2] {
				require.True(t, math.IsNaN(row[j]) || row[j] >= c.Min && row[j] <= c.Max)
			}
		}
		second, err := sim.Plant(seed, again, three, interval, 2)
		require.NoError(t, err)
		require.Equal(t, events, second, "the same seed, the same incidents")
	})
}

// noise has two related columns, one of its own, and holes.
func noise(seed uint64, n int) [][]float64 {
	random := rand.New(rand.NewPCG(seed, 9))
	rows := make([][]float64, n)
	for i := range rows {
		common := 50 + 10*random.NormFloat64()
		rows[i] = []float64{
			min(100, max(0, common)), min(100, max(0, 40+5*random.NormFloat64())), common*2e5 + 1e5*random.NormFloat64(),
		}
		if random.IntN(50) == 0 {
			rows[i][random.IntN(3)] = math.NaN()
		}
	}
	return rows
}

func TestMissingValuesStayMissing(t *testing.T) {
	clean := noise(4, 3000)
	planted := clone(clean)
	_, err := sim.Plant(4, planted, three, time.Minute, 3)
	require.NoError(t, err)
	for i := range clean {
		for j := range clean[i] {
			require.Equal(t, math.IsNaN(clean[i][j]), math.IsNaN(planted[i][j]))
		}
	}
}

func TestWithoutARelationNoneIsBroken(t *testing.T) {
	rows := record(t, 1, time.Minute, 7*24*60)
	for i := range rows {
		rows[i] = rows[i][:1]
	}
	events, err := sim.Plant(1, rows, three[:1], time.Minute, 1)
	require.NoError(t, err)
	require.Len(t, events, 6)
	for _, e := range events {
		require.NotEqual(t, string(sim.BrokenRelation), e.Kind)
	}
}

func TestMirroringAnUncorrelatedColumnWouldProveNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	rows := make([][]float64, 4000)
	for i := range rows {
		rows[i] = []float64{random.NormFloat64(), random.NormFloat64()}
	}
	events, err := sim.Plant(1, rows, []sim.Column{{Name: "a"}, {Name: "b"}}, time.Minute, 1)
	require.NoError(t, err)
	require.Len(t, events, 6)
}

func TestAFlatlineOfAStepFunctionWouldProveNothing(t *testing.T) {
	rows := make([][]float64, 4000)
	for i := range rows {
		rows[i] = []float64{float64(i / 500)}
	}
	events, err := sim.Plant(1, rows, []sim.Column{{Name: "steps"}}, time.Minute, 1)
	require.NoError(t, err)
	for _, e := range events {
		require.NotEqual(t, string(sim.Flatline), e.Kind)
	}
}

func TestColumnsThatNeverMoveAreLeftAlone(t *testing.T) {
	rows := record(t, 1, time.Minute, 7*24*60)
	for i := range rows {
		rows[i][1] = 50
	}
	events, err := sim.Plant(1, rows, three, time.Minute, 2)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, e.Cause, "memory")
	}
	require.Equal(t, 50., rows[events[0].Start][1])
}

func TestPlantingThatCannotBe(t *testing.T) {
	flat := make([][]float64, 1000)
	for i := range flat {
		flat[i] = []float64{1, 2, math.NaN()}
	}
	cases := map[string]struct {
		rows     [][]float64
		interval time.Duration
		want     string
	}{
		"nothing moves":  {flat, time.Minute, "sim: plant: no column ever changes"},
		"no rows":        {nil, time.Minute, "sim: plant: no column ever changes"},
		"too few rows":   {record(t, 1, time.Minute, 40), time.Minute, "sim: plant: 40 rows have no room for another"},
		"fewer than one": {record(t, 1, time.Minute, 2), time.Minute, "sim: plant: 2 rows have no room for another ramp: plant fewer or use more rows"},
		"ragged rows":    {[][]float64{{1, 2, 3}, {1, 2}}, time.Minute, "sim: plant: row 1 has 2 values, want 3"},
		"no interval":    {flat, 0, "sim: plant: interval must be positive"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := sim.Plant(1, c.rows, three, c.interval, 1)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func ExamplePlant() {
	g, _ := sim.New(1, sim.Config{})
	rows := make([][]float64, 3*24*60)
	for i := range rows {
		r := g.Next()
		rows[i] = []float64{r.CPU, r.Memory, r.Network}
	}
	columns := []sim.Column{{Name: "cpu", Max: 100}, {Name: "memory", Max: 100}, {Name: "network"}}
	events, err := sim.Plant(1, rows, columns, time.Minute, 1)
	fmt.Println(len(events), err)
	// Output: 7 <nil>
}

func BenchmarkPlant(b *testing.B) {
	clean := record(b, 1, time.Minute, 30*24*60)
	for b.Loop() {
		_, err := sim.Plant(1, clone(clean), three, time.Minute, 4)
		require.NoError(b, err)
	}
}
