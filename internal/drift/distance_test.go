package drift

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// samples draws two sorted samples with many ties.
func samples(t *rapid.T) (x, y []float64) {
	draw := func(label string) []float64 {
		ints := rapid.SliceOfN(rapid.IntRange(-20, 20), 1, 60).Draw(t, label)
		s := make([]float64, len(ints))
		for i, v := range ints {
			s[i] = float64(v) / 4
		}
		slices.Sort(s)
		return s
	}
	return draw("x"), draw("y")
}

// cdf is the empirical distribution function, counted.
func cdf(sample []float64, x float64) float64 {
	n := 0
	for _, v := range sample {
		if v <= x {
			n++
		}
	}
	return float64(n) / float64(len(sample))
}

func TestKolmogorovSmirnovIsTheLargestGapOfTheDistributionFunctions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := samples(t)
		var want float64
		for _, v := range append(slices.Clone(x), y...) {
			want = max(want, math.Abs(cdf(x, v)-cdf(y, v)))
		}
		require.InDelta(t, want, KolmogorovSmirnov(x, y), 1e-12)
	})
}

func TestWassersteinIsTheAreaBetweenTheDistributionFunctions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := samples(t)
		all := append(slices.Clone(x), y...)
		slices.Sort(all)
		var want float64
		for i := 1; i < len(all); i++ {
			want += math.Abs(cdf(x, all[i-1])-cdf(y, all[i-1])) * (all[i] - all[i-1])
		}
		require.InDelta(t, want, Wasserstein(x, y, 1), 1e-12)
		require.InDelta(t, stat.WassersteinDistance(x, y, nil, nil), Wasserstein(x, y, 1), 1e-12)
	})
}

func TestWassersteinOfEqualSizesPairsOrderStatistics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "n")
		gen := rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), n, n)
		x, y := gen.Draw(t, "x"), gen.Draw(t, "y")
		slices.Sort(x)
		slices.Sort(y)
		var want float64
		for i := range x {
			want += math.Abs(x[i]-y[i]) / float64(n)
		}
		require.InDelta(t, want, Wasserstein(x, y, 1), 1e-9)
	})
}

func TestDistancesVanishOnEqualSamplesAndDoNotMindSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := samples(t)
		twice := slices.Repeat(y, 2)
		slices.Sort(twice)
		require.Zero(t, KolmogorovSmirnov(x, x))
		require.InDelta(t, 0, PSI(x, x), 1e-15)
		require.Zero(t, Wasserstein(x, x, 1))
		require.InDelta(t, KolmogorovSmirnov(x, y), KolmogorovSmirnov(x, twice), 1e-12)
		require.InDelta(t, Wasserstein(x, y, 1), Wasserstein(x, twice, 1), 1e-12)
	})
}

func TestDistancesFollowAChangeOfUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := samples(t)
		const a, b = 8, 3 // exact in binary
		convert := func(s []float64) []float64 {
			c := make([]float64, len(s))
			for i, v := range s {
				c[i] = a*v + b
			}
			return c
		}
		cx, cy := convert(x), convert(y)
		require.Equal(t, KolmogorovSmirnov(x, y), KolmogorovSmirnov(cx, cy))
		require.Equal(t, PSI(x, y), PSI(cx, cy))
		require.InDelta(t, Wasserstein(x, y, 1), Wasserstein(cx, cy, a), 1e-12)
	})
}

func TestDistancesOfAnEmptySampleAreUndefined(t *testing.T) {
	one := []float64{1}
	for _, pair := range [][2][]float64{{nil, nil}, {one, nil}, {nil, one}} {
		require.True(t, math.IsNaN(KolmogorovSmirnov(pair[0], pair[1])))
		require.True(t, math.IsNaN(PSI(pair[0], pair[1])))
		require.True(t, math.IsNaN(Wasserstein(pair[0], pair[1], 1)))
	}
}

// TestPSIByHand follows the formula on ten bins of ten: the current sample has twice its share in the first bin and
// nothing in the last.
func TestPSIByHand(t *testing.T) {
	var current []float64
	for b, n := range []int{20, 10, 10, 10, 10, 10, 10, 10, 10, 0} {
		current = append(current, slices.Repeat([]float64{float64(10 * b)}, n)...)
	}
	r := 10.5 / 105
	first, last := 20.5/105, 0.5/105
	want := (first-r)*math.Log(first/r) + (last-r)*math.Log(last/r)
	require.InDelta(t, want, PSI(ramp(100), current), 1e-12)
	require.InDelta(t, 0.3537, want, 5e-5)
}

func TestPSIIsNeverNegativeAndAlwaysFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := samples(t)
		psi := PSI(x, y)
		require.GreaterOrEqual(t, psi, 0.0)
		require.False(t, math.IsInf(psi, 0))
	})
}

func TestPSIBins(t *testing.T) {
	below := func(v float64) float64 { return math.Nextafter(v, math.Inf(-1)) }
	mostly := func(v float64, n int) []float64 { return append(slices.Repeat([]float64{v}, n), 1, 2, 3, 4, 5) }
	for name, c := range map[string]struct{ sample, edges []float64 }{
		"distinct":             {ramp(10), []float64{0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5}},
		"one value":            {[]float64{5}, []float64{below(5), 5}},
		"constant":             {slices.Repeat([]float64{5}, 50), []float64{below(5), 5}},
		"half idle":            {mostly(0, 5), []float64{below(0), 0, 0.5, 1.5, 2.5, 3.5, 4.5}},
		"fewer than bins":      {[]float64{1, 2}, []float64{below(1), 1, 1.5, below(2), 2}},
		"denormal":             {slices.Repeat([]float64{math.SmallestNonzeroFloat64}, 20), []float64{0, math.SmallestNonzeroFloat64}},
		"largest, no overflow": {[]float64{-math.MaxFloat64, math.MaxFloat64}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			edges := binEdges(c.sample)
			if c.edges != nil {
				require.Equal(t, c.edges, edges)
			}
			require.True(t, slices.IsSorted(edges))
			require.LessOrEqual(t, len(edges), psiBins-1)
			for _, e := range edges {
				require.False(t, math.IsNaN(e))
			}
			require.True(t, finite(PSI(c.sample, ramp(100))))
		})
	}
}

func TestPSIBinEdgesStrictlyIncrease(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, _ := samples(t)
		edges := binEdges(x)
		for i := 1; i < len(edges); i++ {
			require.Less(t, edges[i-1], edges[i])
		}
	})
}

func TestPSISeesBothWaysOutOfAConstant(t *testing.T) {
	constant := slices.Repeat([]float64{5}, 100)
	for _, moved := range []float64{4, 4.999, 5.001, 6, -1e300, 1e300} {
		require.Greater(t, PSI(constant, slices.Repeat([]float64{moved}, 480)), PSIThreshold)
	}
}

// normalQuantiles is a sample without chance: n mid-quantiles of a normal distribution.
func normalQuantiles(n int, mean, deviation float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = distuv.Normal{Mu: mean, Sigma: deviation}.Quantile((float64(i) + 0.5) / float64(n))
	}
	return x
}

// TestOneYardstick holds the equivalences of the package comment: what a shift of d deviations and a widening by k give.
func TestOneYardstick(t *testing.T) {
	const n = 100_000
	reference := normalQuantiles(n, 0, 1)
	for _, d := range []float64{0.2, 0.5, 0.8, 1} {
		moved := normalQuantiles(n, d, 1)
		require.InDelta(t, 2*distuv.UnitNormal.CDF(d/2)-1, KolmogorovSmirnov(reference, moved), 1e-4)
		require.InDelta(t, d, Wasserstein(reference, moved, 1), 1e-4)
		require.InEpsilon(t, d*d, PSI(reference, moved), 0.08, "binning lowers it")
		require.Less(t, PSI(reference, moved), d*d)
	}
	for _, k := range []float64{1.5, 2} {
		wide := normalQuantiles(n, 0, k)
		require.InDelta(t, math.Sqrt(2/math.Pi)*(k-1), Wasserstein(reference, wide, 1), 1e-3)
	}
	wide := normalQuantiles(n, 0, 2)
	require.InDelta(t, 0.161, KolmogorovSmirnov(reference, wide), 1e-3)
}

// TestChanceLevels holds what the doc comments say about two samples of one distribution.
func TestChanceLevels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	reference := normalQuantiles(GridSize, 0, 1)
	var ks, psi float64
	const repetitions = 400
	for range repetitions {
		current := drawSorted(Cells, r.NormFloat64)
		ks += KolmogorovSmirnov(reference, current) / repetitions
		psi += PSI(reference, current) / repetitions
	}
	require.InDelta(t, 0.87/math.Sqrt(Cells), ks, 0.004)
	require.InEpsilon(t, 9.0/Cells, psi, 0.1)
}
