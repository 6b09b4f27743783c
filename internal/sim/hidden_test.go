package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/sim"
)

// outside scores a row by how far it is outside the range that training has
// seen, the most that limits on single features can do.
func outside(train, test []sim.Row) []float64 {
	score := make([]float64, len(test))
	for _, of := range []func(sim.Row) float64{cpu, memory, network} {
		values := column(train, of)
		low, high := quantile(.001, values), quantile(.999, values)
		for i, v := range column(test, of) {
			score[i] = max(score[i], (low-v)/(high-low), (v-high)/(high-low))
		}
	}
	return score
}

// The set is worth its name only if limits do not solve it: they see what is
// beyond all that was there before, and little of broken relations, of
// flatlines, of what is too much only at night.
func TestLimitsOnSingleFeaturesDoNotSolveTheReference(t *testing.T) {
	const minutes = 24 * 60
	recall := map[string][]float64{}
	for seed := range uint64(3) {
		config, err := sim.Reference(seed, web, monday, time.Minute)
		require.NoError(t, err)
		rows := generate(t, seed, config, 35*minutes)
		test := rows[14*minutes:]
		label, id, kind := labels(test)
		events := eval.Events(label, id, nil, kind)
		require.Len(t, events, 54)
		score := outside(rows[:14*minutes], test)
		best := eval.RecallAtBudget(score, events, time.Minute, 1)
		for k, r := range eval.RecallByKind(eval.Flags(score, best.Threshold), events) {
			recall[k] = append(recall[k], r)
		}
	}
	of := func(k sim.Kind) float64 { return eval.Summarize(recall[string(k)]).Mean }
	require.Greater(t, of(sim.Spike10x), .9)
	require.Greater(t, of(sim.MemLeak), .7)
	for _, hidden := range []sim.Kind{sim.FlatlineCPU, sim.LevelShiftNight, sim.CorrSwap, sim.Spike3s} {
		require.Less(t, of(hidden), .4, hidden)
	}
}

func labels(rows []sim.Row) (label []bool, id []int, kind []string) {
	for _, r := range rows {
		label, id, kind = append(label, r.Label), append(id, r.Event), append(kind, string(r.Kind))
	}
	return label, id, kind
}

// A model sees the relation of cpu and network that a swap breaks: with the
// load, they rise together; during a swap, against each other.
func TestASwapTurnsTheRelationRound(t *testing.T) {
	day := time.Date(2024, 1, 2, 12, 0, 0, 0, time.UTC) // from noon on, load falls from its peak
	rows := generate(t, 2, sim.Config{Host: web, Start: monday, Events: []sim.Event{
		{Kind: sim.CorrSwap, Start: day.Add(3 * time.Hour), Duration: 12 * time.Hour},
	}}, 3*24*60)
	swapped := slices.DeleteFunc(slices.Clone(rows), func(r sim.Row) bool { return !r.Label })
	normal := slices.DeleteFunc(slices.Clone(rows), func(r sim.Row) bool { return r.Label })
	require.Greater(t, relation(normal), .6)
	require.Less(t, relation(swapped), -.6)
}

func relation(rows []sim.Row) float64 {
	return stat.Correlation(column(rows, cpu), column(rows, network), nil)
}

// One row of a seed, so that nobody changes every published number unawares.
func TestASeedMeansTheSameNextYear(t *testing.T) {
	row := generate(t, 1, sim.Config{Host: web}, 1000)[999]
	require.InEpsilon(t, 51.15525061754758, row.CPU, 1e-9)
	require.InEpsilon(t, 58.77350523129646, row.Memory, 1e-9)
	require.InEpsilon(t, 4.0254564424276076e+07, row.Network, 1e-9)
	events, err := sim.Plan(1, web, monday, monday.Add(21*24*time.Hour), 6)
	require.NoError(t, err)
	require.Equal(t, sim.Event{
		Kind: sim.Spike10x, Start: monday.Add(3*time.Hour + 36*time.Minute), Duration: 2 * time.Minute, Feature: sim.Memory,
	}, events[0])
}
