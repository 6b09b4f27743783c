package eval_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

func TestHitRateByHand(t *testing.T) {
	cases := map[string]struct {
		p           float64
		attribution []float64
		cause       string
		want        float64
	}{
		"the one cause first":         {1, []float64{9, 1, 1, 1}, "1000", 1},
		"second place does not count": {1, []float64{5, 9, 1, 0}, "1000", 0},
		"one and a half is still one": {1.5, []float64{5, 9, 1, 0}, "1000", 0},
		"two of two":                  {1, []float64{5, 9, 1, 0}, "1100", 1},
		"one of two":                  {1, []float64{5, 9, 7, 0}, "1100", .5},
		"third place is in at 150 %":  {1.5, []float64{5, 9, 7, 0}, "1100", 1},
		"signs matter, sizes do not":  {1, []float64{-9, .1, 0, 0}, "1000", 0},
		"everything is the cause":     {1, []float64{1, 2, 3, 4}, "1111", 1},
		"tie of two for one place":    {1, []float64{9, 9, 1, 0}, "1000", .5},
		"tie of all":                  {1, []float64{0, 0, 0, 0}, "1100", .5},
		"tie of all at 150 %":         {1.5, []float64{0, 0, 0, 0}, "1100", .75},
		"no cause":                    {1, []float64{1, 2, 3, 4}, "0000", math.NaN()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			equal(t, c.want, eval.HitRate(c.p, c.attribution, bits(c.cause)))
		})
	}
}

func TestTopHitByHand(t *testing.T) {
	cases := map[string]struct {
		k           int
		attribution []float64
		cause       string
		want        float64
	}{
		"first":                 {1, []float64{9, 1, 2, 3}, "1000", 1},
		"not first":             {1, []float64{9, 1, 2, 3}, "0111", 0},
		"among three":           {3, []float64{9, 1, 2, 3}, "0010", 1},
		"not among three":       {3, []float64{9, 1, 2, 3}, "0100", 0},
		"more than there are":   {9, []float64{9, 1, 2, 3}, "0100", 1},
		"tie of two":            {1, []float64{9, 9, 2, 3}, "1000", .5},
		"tie of four, 1 cause":  {3, []float64{0, 0, 0, 0}, "1000", .75},
		"tie of four, 2 causes": {3, []float64{0, 0, 0, 0}, "1100", 1},
		"tie behind the first":  {2, []float64{9, 1, 1, 1}, "0110", 2 / 3.},
		"no cause":              {1, []float64{9, 1, 2, 3}, "0000", math.NaN()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			equal(t, c.want, eval.TopHit(c.k, c.attribution, bits(c.cause)))
		})
	}
}

// Ties count as the mean over every order of the tied features.
func TestTiesEqualTheMeanOverAllOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "features")
		attribution := make([]float64, n)
		cause := make([]bool, n)
		for i := range n {
			attribution[i] = float64(rapid.IntRange(0, 2).Draw(t, "attribution"))
			cause[i] = rapid.Bool().Draw(t, "cause")
		}
		cause[0] = true
		k := rapid.IntRange(1, n).Draw(t, "k")
		p := rapid.SampledFrom([]float64{1, 1.5}).Draw(t, "p")
		hit, top := overOrders(attribution, cause, p, k)
		equal(t, hit, eval.HitRate(p, attribution, cause))
		equal(t, top, eval.TopHit(k, attribution, cause))
	})
}

func overOrders(attribution []float64, cause []bool, p float64, k int) (hit, top float64) {
	wanted := 0
	for _, is := range cause {
		if is {
			wanted++
		}
	}
	orders := permutations(len(cause))
	for _, order := range orders {
		ranking := slices.Clone(order)
		slices.SortStableFunc(ranking, func(a, b int) int { return int(attribution[b] - attribution[a]) })
		among := func(n int) (hits float64) {
			for _, i := range ranking[:min(n, len(ranking))] {
				if cause[i] {
					hits++
				}
			}
			return hits
		}
		hit += among(int(p*float64(wanted))) / float64(wanted)
		top += min(1, among(k))
	}
	return hit / float64(len(orders)), top / float64(len(orders))
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			all = append(all, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return all
}

func TestCausesAreNamedByTheEventsMeanAttribution(t *testing.T) {
	features := []string{"cpu", "memory", "network"}
	events := []eval.Event{
		{Start: 0, End: 2, Cause: []string{"cpu"}},
		{Start: 5, End: 6, Cause: []string{"memory", "network"}},
		{Start: 7, End: 8, Cause: []string{"disk"}}, // not a feature: cannot be named
		{Start: 9, End: 10},                         // cause unknown
	}
	rows := map[int][]float64{0: {0, 3, 0}, 1: {4, 0, 0}, 5: {1, 2, 0}}
	got := eval.NameCauses(events, features, func(row int) []float64 { return rows[row] })
	require.Equal(t, eval.Naming{Events: 2, HitRate100: .75, HitRate150: 1, Top1: 1, Top3: 1}, got)
}

func TestLongEventsAreSampledEvenly(t *testing.T) {
	for _, length := range []int{1, 2, 39, 40, 41, 1000} {
		var rows []int
		eval.NameCauses([]eval.Event{{Start: 10, End: 10 + length, Cause: []string{"cpu"}}}, []string{"cpu"},
			func(row int) []float64 { rows = append(rows, row); return []float64{1} })
		require.Len(t, rows, min(length, 40))
		require.Equal(t, 10, rows[0])
		require.Equal(t, 10+length-1, rows[len(rows)-1])
		require.True(t, slices.IsSorted(rows))
		require.Len(t, slices.Compact(rows), min(length, 40), "no row twice")
	}
}

func TestNothingExplainedIsWorthAGuess(t *testing.T) {
	features := []string{"a", "b", "c", "d"}
	events := []eval.Event{{Start: 0, End: 3, Cause: []string{"a"}}, {Start: 4, End: 5, Cause: []string{"b", "c"}}}
	random := eval.NameAtRandom(events, features)
	require.Equal(t, eval.Naming{
		Events: 2, HitRate100: (.25 + .5) / 2, HitRate150: (.25 + .75) / 2, Top1: (.25 + .5) / 2, Top3: (.75 + 1) / 2,
	}, random)
}

func TestNoCauseNoFigure(t *testing.T) {
	got := eval.NameAtRandom(nil, []string{"cpu"})
	require.Zero(t, got.Events)
	require.True(t, math.IsNaN(got.HitRate100) && math.IsNaN(got.Top1))
}

func ExampleHitRate() {
	attribution := []float64{.2, 1.4, .7, 0} // cpu, memory, network, disk
	cause := []bool{false, true, false, true}
	fmt.Println(eval.HitRate(1, attribution, cause), eval.TopHit(1, attribution, cause))
	// Output: 0.5 1
}

func BenchmarkHitRate(b *testing.B) {
	attribution, cause := make([]float64, 38), make([]bool, 38)
	for i := range attribution {
		attribution[i], cause[i] = float64(i%7), i%3 == 0
	}
	for b.Loop() {
		eval.HitRate(1.5, attribution, cause)
	}
}
