package shap_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
	"telegraf-anomaly/shap"
)

func mustNew(t require.TestingT, f *forest.Forest, players []int) *shap.Explainer {
	e, err := shap.New(f, players)
	require.NoError(t, err)
	return e
}

// The stored fields prove themselves: base and values add up to the path length, and in bits to log2 of the score.
func TestValuesAddUp(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		e := explainer(t, f, nil)
		for _, x := range fixture.Rows.X {
			require.InDelta(t, f.PathLength(x), e.Base()+floats.Sum(e.PathLength(nil, x)), exact)
			require.InDelta(t, math.Log2(f.Score(x)), e.BaseBits()+floats.Sum(e.Bits(nil, x)), exact)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 30, 12)
		e := mustNew(t, f, foresttest.Players(t, f.Columns(), 30))
		x := foresttest.Row(t, f.Columns())
		require.InDelta(t, f.PathLength(x), e.Base()+floats.Sum(e.PathLength(nil, x)), exact)
	})
}

func TestBitsArePathLengthsTurnedRound(t *testing.T) {
	fixture := foresttest.Load(t, "cpumemnet")
	f := fixture.Forest(t)
	e := explainer(t, f, nil)
	require.Equal(t, -e.Base()/f.NormPath(), e.BaseBits())
	edges, inBits := e.PathLength(nil, fixture.Rows.X[0]), e.Bits(nil, fixture.Rows.X[0])
	for p := range edges {
		require.Equal(t, -edges[p]/f.NormPath(), inBits[p])
	}
}

// A feature that leaves its training range alone is named, with a positive value.
func TestCulpritHasTheGreatestValue(t *testing.T) {
	f, err := forest.Fit(foresttest.Normal(2000, 9, 1), forest.Options{})
	require.NoError(t, err)
	e := explainer(t, f, grouped(3, 3))
	for culprit := range 3 {
		x := make([]float64, 9)
		for c := range 3 {
			x[culprit*3+c] = 6
		}
		phi := e.Bits(nil, x)
		require.Equal(t, culprit, floats.MaxIdx(phi))
		require.Positive(t, phi[culprit])
		for p, v := range phi {
			require.True(t, p == culprit || v < phi[culprit]/4, "player %d of %v", p, phi)
		}
	}
}

// A player whose columns are never split on changes nothing.
func TestDummyGetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 6, 6)
		used := map[int]bool{}
		for k := range f.Trees() {
			for _, n := range f.Nodes(k) {
				used[n.Column] = true
			}
		}
		phi := mustNew(t, f, nil).PathLength(nil, foresttest.Row(t, f.Columns()))
		for c, v := range phi {
			if !used[c] {
				require.InDelta(t, 0, v, 1e-14)
			}
		}
	})
}

// One player gets all that the row brings.
func TestOnePlayerGetsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 4, 8)
		e := mustNew(t, f, make([]int, f.Columns()))
		x := foresttest.Row(t, f.Columns())
		require.InDelta(t, f.PathLength(x)-e.Base(), e.PathLength(nil, x)[0], exact)
	})
}

// When every sample is one row, every score is 0.5 and nobody is to blame.
func TestOneSample(t *testing.T) {
	e := explainer(t, foresttest.Load(t, "tiny_one").Forest(t), nil)
	require.Equal(t, -1.0, e.BaseBits())
	require.Equal(t, []float64{0, 0, 0}, e.Bits(nil, []float64{1, 2, 3}))
	require.Equal(t, []float64{0, 0, 0}, e.PathLength(nil, []float64{1, 2, 3}))
}

func TestNewRefuses(t *testing.T) {
	f := foresttest.Load(t, "tiny_plain").Forest(t)
	for _, c := range []struct {
		players []int
		want    string
	}{
		{[]int{0, 1}, "shap: 2 player numbers for 3 columns"},
		{[]int{}, "shap: 0 player numbers for 3 columns"},
		{[]int{0, 1, -1}, "shap: column 2 has player -1, want 0 to 2"},
		{[]int{0, 1, 3}, "shap: column 2 has player 3, want 0 to 2"},
		{[]int{0, 2, 2}, "shap: player 1 has no column"},
	} {
		_, err := shap.New(f, c.players)
		require.EqualError(t, err, c.want)
	}
}

func TestOtherLengthsPanic(t *testing.T) {
	e := explainer(t, foresttest.Load(t, "tiny_plain").Forest(t), []int{0, 0, 1})
	require.Equal(t, 2, e.Players())
	require.Panics(t, func() { e.Bits(nil, make([]float64, 2)) })
	require.Panics(t, func() { e.PathLength(make([]float64, 3), make([]float64, 3)) })
}

func TestExplainingDoesNotAllocate(t *testing.T) {
	for _, players := range [][]int{grouped(3, 1), grouped(3, 3), grouped(12, 1)} {
		f, err := forest.Fit(foresttest.Normal(500, len(players), 1), forest.Options{Trees: 10})
		require.NoError(t, err)
		e := explainer(t, f, players)
		dst, x := make([]float64, e.Players()), make([]float64, len(players))
		require.Zero(t, testing.AllocsPerRun(20, func() { e.Bits(dst, x) }))
	}
}

func TestStrangeValuesDoNotPanic(t *testing.T) {
	for _, players := range [][]int{nil, {0, 0, 1}} {
		e := explainer(t, foresttest.Load(t, "cpumemnet").Forest(t), players)
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
			for _, phi := range e.Bits(nil, []float64{v, v, v}) {
				require.False(t, math.IsNaN(phi) || math.IsInf(phi, 0))
			}
		}
	}
}

func TestClonesWorkSideBySide(t *testing.T) {
	for _, players := range [][]int{grouped(3, 1), grouped(3, 3), grouped(12, 1)} {
		f, err := forest.Fit(foresttest.Normal(500, len(players), 1), forest.Options{Trees: 20})
		require.NoError(t, err)
		rows := foresttest.Normal(200, len(players), 2)
		e := explainer(t, f, players)
		want := make([][]float64, 200)
		for i := range want {
			want[i] = e.Bits(nil, rows.RawRowView(i))
		}
		var group sync.WaitGroup
		for range 4 {
			clone := e.Clone()
			group.Go(func() {
				for i := range want {
					if difference(want[i], clone.Bits(nil, rows.RawRowView(i))) != 0 {
						t.Errorf("row %d", i)
					}
				}
			})
		}
		group.Wait()
	}
}

// The values of a forest are the means of its trees' values.
func TestValuesAreLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 8, 6)
		players := foresttest.Players(t, f.Columns(), 8)
		x := foresttest.Row(t, f.Columns())
		whole := mustNew(t, f, players)
		mean := make([]float64, whole.Players())
		for k := range f.Trees() {
			one, err := forest.New(f.Columns(), f.SampleSize(), [][]forest.Node{f.Nodes(k)})
			require.NoError(t, err)
			floats.AddScaled(mean, 1/float64(f.Trees()), mustNew(t, one, players).PathLength(nil, x))
		}
		require.InDeltaSlice(t, mean, whole.PathLength(nil, x), exact)
	})
}

// Players are only numbers: other numbers, the same values in another order.
func TestValuesDoNotDependOnNumbering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 8, 6)
		players := foresttest.Players(t, f.Columns(), 8)
		x := foresttest.Row(t, f.Columns())
		want := mustNew(t, f, players).PathLength(nil, x)
		number := make([]int, len(want))
		for p := range number {
			number[p] = p
		}
		number = rapid.Permutation(number).Draw(t, "number")
		renumbered := make([]int, len(players))
		for c, p := range players {
			renumbered[c] = number[p]
		}
		got := mustNew(t, f, renumbered).PathLength(nil, x)
		for p, v := range want {
			require.InDelta(t, v, got[number[p]], exact)
		}
	})
}

// When every tree has seen every row, the base is the mean path length of the training rows, and their values average out.
func TestValuesAverageOutOverTraining(t *testing.T) {
	for _, players := range [][]int{grouped(3, 1), grouped(3, 2), grouped(7, 1)} {
		x := foresttest.Normal(128, len(players), 1)
		f, err := forest.Fit(x, forest.Options{SampleSize: 128, Trees: 60})
		require.NoError(t, err)
		e := explainer(t, f, players)
		require.InDelta(t, floats.Sum(f.PathLengths(nil, x))/128, e.Base(), exact)
		total := 0.0
		for i := range 128 {
			total += floats.Sum(e.PathLength(nil, x.RawRowView(i)))
		}
		require.InDelta(t, 0, total/128, exact)
	}
}

// On a threshold and half a float32 step beside it, the explanation belongs to the leaf that the score belongs to.
func TestRowsNextToThresholds(t *testing.T) {
	for _, name := range []string{"cpumemnet", "tiny_dups", "tiny_scales"} {
		f := foresttest.Load(t, name).Forest(t)
		explainers := []*shap.Explainer{explainer(t, f, nil), explainer(t, f, []int{0, 0, 1})}
		x := make([]float64, f.Columns())
		for k := range min(f.Trees(), 20) {
			for _, n := range f.Nodes(k) {
				if n.Column < 0 {
					continue
				}
				next := float64(math.Nextafter32(float32(n.Threshold), float32(math.Inf(1))))
				for _, share := range []float64{0, 0.49, 0.51, 1} {
					x[n.Column] = n.Threshold + share*(next-n.Threshold)
					for _, e := range explainers {
						require.InDelta(t, f.PathLength(x), e.Base()+floats.Sum(e.PathLength(nil, x)), exact)
					}
				}
			}
		}
	}
}

// A leaf that contradicts its path is reached by coalitions that do not ask, and by nobody else.
func TestContradictionsCountForThoseWhoDoNotAsk(t *testing.T) {
	leaf := func(n int) forest.Node { return forest.Node{Column: -1, Samples: n, Cover: n} }
	f, err := forest.New(2, 8, [][]forest.Node{{
		{Column: 0, Threshold: 1, Left: 1, Right: 6, Samples: 7, Cover: 7},
		{Column: 0, Threshold: 2, Left: 2, Right: 5, Samples: 6, Cover: 6},
		{Column: 1, Threshold: 0, Left: 3, Right: 4, Samples: 4, Cover: 4},
		leaf(3), leaf(1), leaf(2), leaf(1),
	}})
	require.NoError(t, err)
	e := explainer(t, f, nil)
	for _, x := range [][]float64{{0, 0}, {1.5, 0}, {3, 1}} {
		require.InDeltaSlice(t, newGame(f, []int{0, 1}, x).shapley(2), e.PathLength(nil, x), exact)
	}
}

// Wider than anything else here: a hundred columns, each its own player, and thirty features of three.
func TestWideRows(t *testing.T) {
	for _, players := range [][]int{grouped(100, 1), grouped(30, 3), grouped(4, 40)} {
		x := foresttest.Normal(400, len(players), 1)
		f, err := forest.Fit(x, forest.Options{Trees: 20})
		require.NoError(t, err)
		e := explainer(t, f, players)
		for i := range 10 {
			phi := e.PathLength(nil, x.RawRowView(i))
			require.Len(t, phi, e.Players())
			require.InDelta(t, f.PathLength(x.RawRowView(i)), e.Base()+floats.Sum(phi), exact)
		}
	}
}

// Explaining leaves no trace that the next row could see.
func TestRowsAreIndependent(t *testing.T) {
	for _, players := range [][]int{grouped(3, 3), grouped(9, 1)} {
		f, err := forest.Fit(foresttest.Normal(500, 9, 1), forest.Options{Trees: 20})
		require.NoError(t, err)
		rows := foresttest.Normal(50, 9, 2)
		e := explainer(t, f, players)
		for i := range 50 {
			fresh := explainer(t, f, players)
			require.Equal(t, fresh.Bits(nil, rows.RawRowView(i)), e.Bits(nil, rows.RawRowView(i)))
		}
	}
}
