package forest_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// The values are scikit-learn's _average_path_length; with exact harmonic numbers c(3) would be 5/3 and c(256) 10.24869.
func TestC(t *testing.T) {
	for _, c := range []struct {
		n    int
		want float64
	}{
		{-1, 0}, {0, 0}, {1, 0}, {2, 1}, {3, 1.207392357589623}, {4, 1.85166}, {5, 2.32702}, {10, 3.74888}, {100, 8.36467},
		{256, 10.244770920119917}, {999, 12.96794}, {1000, 12.96994},
	} {
		require.InDelta(t, c.want, forest.C(c.n), 1e-5, "c(%d)", c.n)
	}
	require.Equal(t, 1.207392357589623, forest.C(3))
}

func TestCGrows(t *testing.T) {
	for n := 2; n <= forest.MaxSampleSize; n++ {
		require.Greater(t, forest.C(n), forest.C(n-1), "c(%d)", n)
	}
}

// textbook is the definition of the mean path length, one tree and one node at a time.
func textbook(f *forest.Forest, x []float64) float64 {
	sum := 0.0
	for t := range f.Trees() {
		nodes := f.Nodes(t)
		leaf := walk(nodes, x)
		sum += float64(depth(nodes, leaf)) + forest.C(nodes[leaf].Samples)
	}
	return sum / float64(f.Trees())
}

func depth(nodes []forest.Node, node int) int {
	for i, n := range nodes {
		if n.Column >= 0 && (n.Left == node || n.Right == node) {
			return depth(nodes, i) + 1
		}
	}
	return 0
}

// Rows up to 256 columns and wider ones are walked by different code.
func TestPathLengthIsTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, rapid.SampledFrom([]int{5, 400}).Draw(t, "width"), 9)
		x := foresttest.Row(t, f.Columns())
		require.InDelta(t, textbook(f, x), f.PathLength(x), 1e-12)
	})
}

// Trees walk in lanes, and any number of them must fill the last lanes right.
func TestAnyNumberOfTrees(t *testing.T) {
	for _, columns := range []int{2, 300} {
		x := foresttest.Normal(100, columns, 1)
		for trees := 1; trees <= 31; trees++ {
			f := fit(t, x, forest.Options{Trees: trees, SampleSize: 16})
			require.Equal(t, trees, f.Trees())
			for i := range 5 {
				require.InDelta(t, textbook(f, x.RawRowView(i)), f.PathLength(x.RawRowView(i)), 1e-12, "%d trees", trees)
			}
		}
	}
}

// The score falls as the path grows, 0.5 is the path c(ψ), and no path scores 1.
func TestScoreOfPathLengths(t *testing.T) {
	leaf := func(n int) forest.Node { return forest.Node{Column: -1, Samples: n, Cover: n} }
	one := func(n int) float64 {
		f, err := forest.New(1, 256, [][]forest.Node{{leaf(n)}})
		require.NoError(t, err)
		return f.Score([]float64{0})
	}
	require.Equal(t, 1.0, one(1))
	require.Equal(t, 0.5, one(256))
	for n := 2; n <= 256; n++ {
		require.Less(t, one(n), one(n-1))
		require.InDelta(t, math.Pow(2, -forest.C(n)/forest.C(256)), one(n), 1e-15)
	}
}

// Why the product adds an out-of-range term of its own: beyond the training range a forest sees no difference.
func TestScoresSaturate(t *testing.T) {
	f, rows := normalForest(t, 3)
	far := func(v float64) float64 { return f.Score([]float64{v, rows.At(0, 1), rows.At(0, 2)}) }
	require.Equal(t, far(1e3), far(1e9))
	require.Equal(t, far(-1e3), far(-1e9))
}

// Comparisons are those of float32, whatever the bits: both zeros are equal, and infinities have their place.
func TestComparisonsAreOfFloat32(t *testing.T) {
	negativeZero := math.Copysign(0, -1)
	values := []float64{math.Inf(-1), -math.MaxFloat32, -1, -1e-45, negativeZero, 0, 1e-45, 1, 1 + 1e-9, math.MaxFloat32, math.Inf(1)}
	for _, threshold := range values[1 : len(values)-1] {
		nodes := stump()
		nodes[0].Threshold = threshold
		f, err := forest.New(2, 8, [][]forest.Node{nodes})
		require.NoError(t, err)
		for _, x := range values {
			want := 1.0
			if float64(float32(x)) <= threshold {
				want += forest.C(4)
			}
			require.Equal(t, want, f.PathLength([]float64{0, x}), "%v <= %v", x, threshold)
		}
	}
}

func TestWideRowsScoreLikeNarrowOnes(t *testing.T) {
	leafOf := func(n int) forest.Node { return forest.Node{Column: -1, Samples: n, Cover: n} }
	f, err := forest.New(1000, 8, [][]forest.Node{{
		{Column: 999, Threshold: 0.5, Left: 1, Right: 2, Samples: 8, Cover: 8}, leafOf(7), leafOf(1),
	}})
	require.NoError(t, err)
	x := make([]float64, 1000)
	require.Equal(t, 1+forest.C(7), f.PathLength(x))
	x[999] = 1
	require.Equal(t, 1.0, f.PathLength(x))
}

// Nothing upstream lets these through, but a monitor must not fall over them.
func TestStrangeValuesNeitherPanicNorLoop(t *testing.T) {
	f := foresttest.Load(t, "cpumemnet").Forest(t)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324} {
		s := f.Score([]float64{v, v, v})
		require.Greater(t, s, 0.0, "score of %v", v)
		require.LessOrEqual(t, s, 1.0, "score of %v", v)
	}
}

func TestRowsOfAnotherWidthPanic(t *testing.T) {
	f := foresttest.Load(t, "tiny_plain").Forest(t)
	require.PanicsWithValue(t, "forest: row has 2 values, want 3", func() { f.Score(make([]float64, 2)) })
	require.Panics(t, func() { f.Scores(nil, mat.NewDense(4, 2, nil)) })
	require.Panics(t, func() { f.Scores(make([]float64, 3), mat.NewDense(4, 3, nil)) })
}

func TestScoringDoesNotAllocate(t *testing.T) {
	for _, columns := range []int{3, 38, 256, 300} {
		f, rows := normalForest(t, columns)
		require.Zero(t, testing.AllocsPerRun(100, func() { f.Score(rows.RawRowView(0)) }), "%d columns", columns)
	}
}

func TestBatchesEqualSingleRows(t *testing.T) {
	f, rows := normalForest(t, 9)
	lengths := f.PathLengths(nil, rows)
	scores := f.Scores(make([]float64, len(lengths)), rows)
	for i := range scores {
		require.Equal(t, f.PathLength(rows.RawRowView(i)), lengths[i])
		require.Equal(t, f.Score(rows.RawRowView(i)), scores[i])
	}
}

func TestScoringIsSafeForConcurrentUse(t *testing.T) {
	for _, columns := range []int{9, 300} {
		f, rows := normalForest(t, columns)
		want := f.Scores(nil, rows)
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				for i := w; i < len(want); i += 4 {
					if f.Score(rows.RawRowView(i)) != want[i] {
						t.Errorf("row %d", i)
					}
				}
			})
		}
		group.Wait()
	}
}

func TestScoreOfOneSample(t *testing.T) {
	f := foresttest.Load(t, "tiny_one").Forest(t)
	require.Zero(t, f.NormPath())
	require.Equal(t, 0.5, f.Score([]float64{1, 2, 3}))
}
