package forest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

func fit(t require.TestingT, x *mat.Dense, o forest.Options) *forest.Forest {
	f, err := forest.Fit(x, o)
	require.NoError(t, err)
	return f
}

func encoded(t require.TestingT, f *forest.Forest) []byte {
	b, err := f.MarshalBinary()
	require.NoError(t, err)
	return b
}

func TestSameSeedSameBytesOnAnyNumberOfWorkers(t *testing.T) {
	x := foresttest.Normal(1000, 4, 1)
	want := encoded(t, fit(t, x, forest.Options{Seed: 7}))
	for _, workers := range []int{1, 2, 3, 8, 1000} {
		require.Equal(t, want, encoded(t, fit(t, x, forest.Options{Seed: 7, Workers: workers})), "%d workers", workers)
	}
	require.NotEqual(t, want, encoded(t, fit(t, x, forest.Options{Seed: 8})))
}

// Neighbouring seeds must not share trees, else averages over seeds would lie.
func TestNeighbouringSeedsShareNoTree(t *testing.T) {
	x := foresttest.Normal(500, 2, 1)
	a, b := fit(t, x, forest.Options{Seed: 1}), fit(t, x, forest.Options{Seed: 2})
	for i := range a.Trees() {
		for k := range b.Trees() {
			require.NotEqual(t, a.Nodes(i), b.Nodes(k))
		}
	}
}

func TestZeroOptionsAreThePapers(t *testing.T) {
	f := fit(t, foresttest.Normal(1000, 2, 1), forest.Options{})
	require.Equal(t, 100, f.Trees())
	require.Equal(t, 256, f.SampleSize())
	require.Equal(t, 2, f.Columns())
	require.Equal(t, forest.C(256), f.NormPath())
	few := fit(t, foresttest.Normal(10, 2, 1), forest.Options{})
	require.Equal(t, 10, few.SampleSize())
}

// grid draws training rows with few distinct values, so that duplicates and constant columns are common.
func grid(t *rapid.T) *mat.Dense {
	rows, columns := rapid.IntRange(2, 80).Draw(t, "rows"), rapid.IntRange(1, 4).Draw(t, "columns")
	span := rapid.IntRange(1, 30).Draw(t, "values")
	x := mat.NewDense(rows, columns, nil)
	for i := range rows {
		for j := range columns {
			x.Set(i, j, float64(rapid.IntRange(0, span).Draw(t, "x"))/7)
		}
	}
	x.Set(0, 0, -1) // never all constant
	return x
}

func TestGrownTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := grid(t)
		o := forest.Options{Trees: 5, SampleSize: rapid.IntRange(1, 64).Draw(t, "ψ"), Seed: rapid.Uint64().Draw(t, "seed")}
		f := fit(t, x, o)
		deepest := int(math.Ceil(math.Log2(float64(max(f.SampleSize(), 2)))))
		for k := range f.Trees() {
			nodes := f.Nodes(k)
			require.Equal(t, f.SampleSize(), nodes[0].Samples)
			for i, n := range nodes {
				require.Equal(t, n.Samples, n.Cover)
				require.LessOrEqual(t, depth(nodes, i), deepest)
				if n.Column < 0 {
					continue
				}
				require.Less(t, depth(nodes, i), deepest)
				require.Equal(t, n.Samples, nodes[n.Left].Samples+nodes[n.Right].Samples)
				require.Equal(t, n.Threshold, float64(float32(n.Threshold)))
			}
		}
	})
}

// With ψ = all rows every tree holds every row, so the tree can be checked against the rows themselves.
func TestEveryTrainingRowIsCountedInItsLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := grid(t)
		rows, columns := x.Dims()
		f := fit(t, x, forest.Options{Trees: 3, SampleSize: rows, Seed: rapid.Uint64().Draw(t, "seed")})
		for k := range f.Trees() {
			nodes := f.Nodes(k)
			in := map[int][][]float64{}
			for i := range rows {
				leaf := walk(nodes, x.RawRowView(i))
				in[leaf] = append(in[leaf], x.RawRowView(i))
			}
			for i, n := range nodes {
				if n.Column >= 0 {
					continue
				}
				require.Len(t, in[i], n.Samples, "tree %d, node %d", k, i)
				if 1<<depth(nodes, i) < rows { // not stopped by the depth cap
					for c := range columns {
						require.Equal(t, in[i][0][c], in[i][len(in[i])-1][c])
					}
				}
			}
		}
	})
}

func TestSamplesAreDrawnEvenly(t *testing.T) {
	// One column 0, 1, … n−1 and ψ = 2: a tree's only threshold is uniform between two distinct rows of a uniform pair, so
	// its mean over trees is the middle, and its variance that of (a + b)/2 plus that of the threshold between them.
	const n, trees = 100, 4000
	x := mat.NewDense(n, 1, nil)
	for i := range n {
		x.Set(i, 0, float64(i))
	}
	f := fit(t, x, forest.Options{Trees: trees, SampleSize: 2})
	sum := 0.0
	for k := range trees {
		sum += f.Nodes(k)[0].Threshold
	}
	deviation := math.Sqrt(n * n / 18.0 / trees) // at most, for the mean
	require.InDelta(t, (n-1)/2.0, sum/trees, 4*deviation)
}

func TestPlantedOutlierScoresHighest(t *testing.T) {
	for seed := range uint64(10) {
		x := foresttest.Normal(500, 3, seed)
		x.SetRow(17, []float64{9, -9, 9})
		scores := fit(t, x, forest.Options{Seed: seed}).Scores(nil, x)
		require.Equal(t, slices.Max(scores), scores[17], "seed %d", seed)
		require.Greater(t, scores[17], 0.6)
	}
}

// On uniform data nothing stands out: away from the border all scores are alike, and near one half.
func TestUniformRowsScoreAlike(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	x := mat.NewDense(2000, 1, nil)
	for i := range 2000 {
		x.Set(i, 0, random.Float64())
	}
	f := fit(t, x, forest.Options{Trees: 300})
	for v := 0.2; v < 0.8; v += 0.01 {
		require.InDelta(t, 0.49, f.Score([]float64{v}), 0.04, "x = %v", v)
	}
}

// scikit-learn's absolute rule would never split these columns.
func TestTinyScalesAreSplit(t *testing.T) {
	x := foresttest.Normal(500, 2, 3)
	want := fit(t, x, forest.Options{}).Scores(nil, x)
	for _, scale := range []float64{1e-9, 1e-20, 1e15} {
		scaled := mat.DenseCopyOf(x)
		for i := range 500 {
			scaled.Set(i, 0, scale*x.At(i, 0))
		}
		f := fit(t, scaled, forest.Options{})
		splits := 0
		for k := range f.Trees() {
			for _, n := range f.Nodes(k) {
				if n.Column == 0 {
					splits++
				}
			}
		}
		require.Greater(t, splits, 1000)
		got := f.Scores(nil, scaled)
		for i := range got {
			require.InDelta(t, want[i], got[i], 0.02) // the same forest but for float32's rounding
		}
	}
}

func TestConstantColumnsAreNeverSplit(t *testing.T) {
	x := foresttest.Normal(300, 3, 1)
	for i := range 300 {
		x.Set(i, 1, 42)
	}
	f := fit(t, x, forest.Options{})
	for k := range f.Trees() {
		for _, n := range f.Nodes(k) {
			require.NotEqual(t, 1, n.Column)
		}
	}
}

func TestFitRefuses(t *testing.T) {
	good := func() *mat.Dense { return foresttest.Normal(20, 3, 1) }
	with := func(v float64) *mat.Dense { x := good(); x.Set(4, 2, v); return x }
	for _, c := range []struct {
		name string
		x    *mat.Dense
		o    forest.Options
		want string
	}{
		{"NaN", with(math.NaN()), forest.Options{}, "row 4, column 2: NaN is not a finite float32"},
		{"infinity", with(math.Inf(1)), forest.Options{}, "row 4, column 2: +Inf is not a finite float32"},
		{"beyond float32", with(1e39), forest.Options{}, "row 4, column 2: 1e+39 is not a finite float32"},
		{"no rows", new(mat.Dense), forest.Options{}, "0 columns"},
		{"negative trees", good(), forest.Options{Trees: -1}, "negative option"},
		{"negative sample", good(), forest.Options{SampleSize: -1}, "negative option"},
		{"negative workers", good(), forest.Options{Workers: -1}, "negative option"},
		{"too many trees", good(), forest.Options{Trees: 1 << 20}, "1048576 trees, want 1 to 16384"},
		{"too big a sample", foresttest.Normal(40000, 1, 1), forest.Options{SampleSize: 40000}, "sample size 40000, want 1 to 32768"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := forest.Fit(c.x, c.o)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestConstantTrainingSetMakesNoModel(t *testing.T) {
	for _, rows := range []int{1, 2, 300} {
		x := mat.NewDense(rows, 2, nil)
		for i := range rows {
			x.SetRow(i, []float64{3, 1 + 1e-12*float64(i)}) // equal as float32
		}
		_, err := forest.Fit(x, forest.Options{})
		require.ErrorIs(t, err, forest.ErrConstant)
	}
}

// A sample may be constant though the set is not: such a tree is a bare root.
func TestConstantSampleMakesABareRoot(t *testing.T) {
	x := mat.NewDense(1000, 1, nil)
	x.Set(0, 0, 1)
	f := fit(t, x, forest.Options{Trees: 50, SampleSize: 4})
	require.Len(t, f.Nodes(0), 1)
	require.Equal(t, 4, f.Nodes(0)[0].Samples)
}

func TestLargestSample(t *testing.T) {
	f := fit(t, foresttest.Normal(forest.MaxSampleSize, 2, 1), forest.Options{Trees: 2, SampleSize: forest.MaxSampleSize})
	back := new(forest.Forest)
	require.NoError(t, back.UnmarshalBinary(encoded(t, f)))
	require.Equal(t, encoded(t, f), encoded(t, back))
}

// The columns of first splits are drawn evenly among those that vary, and the thresholds evenly between the extremes.
// Deviations allowed are four standard ones of the binomial and of the mean of uniform values.
func TestSplitsAreDrawnEvenly(t *testing.T) {
	const trees = 3000
	x := mat.NewDense(50, 4, nil)
	for i := range 50 {
		x.SetRow(i, []float64{float64(i), -float64(i), 7, float64(i * i)})
	}
	f := fit(t, x, forest.Options{Trees: trees, SampleSize: 50})
	count, sum := [4]float64{}, 0.0
	for k := range trees {
		root := f.Nodes(k)[0]
		count[root.Column]++
		if root.Column == 0 {
			sum += root.Threshold
		}
	}
	require.Zero(t, count[2])
	for _, c := range []int{0, 1, 3} {
		require.InDelta(t, trees/3.0, count[c], 4*math.Sqrt(trees*2.0/9))
	}
	require.InDelta(t, 49/2.0, sum/count[0], 4*49/math.Sqrt(12*count[0]))
}

// A forest is a promise: this seed and these rows make these bytes, on every machine and in every release. The digest was
// taken on linux/amd64.
func TestGrownBytesNeverChange(t *testing.T) {
	x := mat.NewDense(300, 3, nil)
	for i := range 300 {
		x.SetRow(i, []float64{float64(i * i % 101), float64(i*7%53) / 3, float64(i % 9)})
	}
	digest := sha256.Sum256(encoded(t, fit(t, x, forest.Options{Seed: 2008})))
	require.Equal(t, "230c63570787735ed27a85a6341f6fe56e16a06c32b5c8e0b20d7e0dd2463aae", hex.EncodeToString(digest[:]))
}

// Rows that no test thought of.
func FuzzFit(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), uint8(2), uint64(1))
	f.Add(bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 12), uint8(3), uint64(2))
	f.Fuzz(func(t *testing.T, b []byte, width uint8, seed uint64) {
		columns := int(width%8) + 1
		rows := min(len(b)/8/columns, 100)
		if rows == 0 {
			return
		}
		x := mat.NewDense(rows, columns, nil)
		for i := range rows * columns {
			x.Set(i/columns, i%columns, math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
		grown, err := forest.Fit(x, forest.Options{Trees: 3, Seed: seed})
		if err != nil {
			return
		}
		for _, s := range grown.Scores(nil, x) {
			require.True(t, s > 0 && s <= 1, "score %v", s)
		}
	})
}
