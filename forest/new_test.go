package forest_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// stump is a sound tree: one split, two leaves.
func stump() []forest.Node {
	return []forest.Node{
		{Column: 1, Threshold: 0.5, Left: 1, Right: 2, Samples: 5, Cover: 5},
		{Column: -1, Left: -1, Right: -1, Samples: 4, Cover: 4},
		{Column: -1, Left: -1, Right: -1, Samples: 1, Cover: 1},
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(nodes []forest.Node) []forest.Node
		want   string
	}{
		{"no nodes", func([]forest.Node) []forest.Node { return nil }, "node 0 is missing"},
		{"a missing child", func(n []forest.Node) []forest.Node { return n[:2] }, "node 2 is missing"},
		{"a node too many", func(n []forest.Node) []forest.Node { return append(n, n[2]) }, "4 nodes, but its preorder ends after 3"},
		{"a cycle", func(n []forest.Node) []forest.Node { n[0].Left = 0; return n }, "children 0 and 2, in preorder they are 1 and 2"},
		{"twins", func(n []forest.Node) []forest.Node { n[0].Right = 1; return n }, "children 1 and 1, in preorder they are 1 and 2"},
		{"a column beyond the row", func(n []forest.Node) []forest.Node { n[0].Column = 2; return n }, "node 0: column 2, want 0 to 1"},
		{"a negative column", func(n []forest.Node) []forest.Node { n[0].Column = -2; return n }, "node 0: column -2"},
		{"a NaN threshold", func(n []forest.Node) []forest.Node { n[0].Threshold = math.NaN(); return n }, "threshold NaN is not finite"},
		{"an infinite threshold", func(n []forest.Node) []forest.Node { n[0].Threshold = math.Inf(1); return n }, "threshold +Inf is not finite"},
		{"a threshold below float32", func(n []forest.Node) []forest.Node { n[0].Threshold = -1e39; return n }, "threshold -Inf is not finite"},
		{"an empty leaf", func(n []forest.Node) []forest.Node { n[2].Samples = 0; return n }, "node 2: leaf of 0 samples"},
		{"more samples than cover", func(n []forest.Node) []forest.Node { n[2].Samples = 2; return n }, "node 2: leaf of 2 samples and cover 1"},
		{"counts that do not add up", func(n []forest.Node) []forest.Node { n[0].Samples = 6; return n }, "samples 6 and cover 5 are not the sums"},
		{"more cover than the sample", func(n []forest.Node) []forest.Node { n[1].Cover = 8; n[0].Cover = 9; return n }, "sum to more than the sample size 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := forest.New(2, 8, [][]forest.Node{stump(), c.damage(stump())})
			require.ErrorContains(t, err, "forest: tree 1: ")
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := forest.New(0, 8, [][]forest.Node{stump()})
	require.ErrorContains(t, err, "0 columns")
	_, err = forest.New(2, 0, [][]forest.Node{stump()})
	require.ErrorContains(t, err, "sample size 0")
	_, err = forest.New(2, 8, nil)
	require.ErrorContains(t, err, "0 trees")
}

// chain is a tree whose splits all hang on the left.
func chain(depth int) []forest.Node {
	var nodes []forest.Node
	for d := range depth {
		nodes = append(nodes, forest.Node{Left: d + 1, Right: 2*depth - d, Samples: depth + 1 - d, Cover: depth + 1 - d})
	}
	for range depth + 1 {
		nodes = append(nodes, forest.Node{Column: -1, Samples: 1, Cover: 1})
	}
	return nodes
}

func TestDepthIsBounded(t *testing.T) {
	f, err := forest.New(1, 64, [][]forest.Node{chain(32)})
	require.NoError(t, err)
	require.Equal(t, 32.0, f.PathLength([]float64{-1}))
	_, err = forest.New(1, 64, [][]forest.Node{chain(33)})
	require.ErrorContains(t, err, "a split below depth 32")
}

func TestNodesGiveBackWhatNewTook(t *testing.T) {
	f, err := forest.New(2, 8, [][]forest.Node{stump()})
	require.NoError(t, err)
	require.Equal(t, stump(), f.Nodes(0))
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 4, 6)
		trees := make([][]forest.Node, f.Trees())
		for k := range trees {
			trees[k] = f.Nodes(k)
		}
		again, err := forest.New(f.Columns(), f.SampleSize(), trees)
		require.NoError(t, err)
		require.Equal(t, f, again)
	})
}

// A float64 threshold and its float32 floor part all float32 values alike.
func TestThresholdsAreRoundedDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float32Range(-1e30, 1e30).Draw(t, "x")
		nudge := rapid.SampledFrom([]float64{0, 1e-9, -1e-9, 1, -1}).Draw(t, "nudge")
		threshold := float64(x) + nudge*math.Abs(float64(x))
		nodes := stump()
		nodes[0].Threshold = threshold
		f, err := forest.New(2, 8, [][]forest.Node{nodes})
		require.NoError(t, err)
		want := 1.0
		if float64(x) <= threshold {
			want += forest.C(4)
		}
		require.Equal(t, want, f.PathLength([]float64{0, float64(x)}))
	})
}

func TestNodesAreACopy(t *testing.T) {
	f, err := forest.New(2, 8, [][]forest.Node{stump()})
	require.NoError(t, err)
	f.Nodes(0)[0].Threshold = 99
	require.Equal(t, 0.5, f.Nodes(0)[0].Threshold)
}

// A tree may ask the same question twice, or ask what it knows: one leaf can then not be reached, and nothing else happens.
func TestContradictionsAreHarmless(t *testing.T) {
	f, err := forest.New(1, 8, [][]forest.Node{{
		{Column: 0, Threshold: 1, Left: 1, Right: 4, Samples: 6, Cover: 6},
		{Column: 0, Threshold: 2, Left: 2, Right: 3, Samples: 5, Cover: 5},
		{Column: -1, Left: -1, Right: -1, Samples: 3, Cover: 3},
		{Column: -1, Left: -1, Right: -1, Samples: 2, Cover: 2},
		{Column: -1, Left: -1, Right: -1, Samples: 1, Cover: 1},
	}})
	require.NoError(t, err)
	require.Equal(t, 2+forest.C(3), f.PathLength([]float64{1}))
	require.Equal(t, 1.0, f.PathLength([]float64{1.5}))
}

func TestLimits(t *testing.T) {
	leaf := []forest.Node{{Column: -1, Samples: forest.MaxSampleSize, Cover: forest.MaxSampleSize}}
	f, err := forest.New(forest.MaxColumns, forest.MaxSampleSize, slices.Repeat([][]forest.Node{leaf}, forest.MaxTrees))
	require.NoError(t, err)
	require.InDelta(t, f.NormPath(), f.PathLength(make([]float64, forest.MaxColumns)), 1e-9)
	_, err = forest.New(forest.MaxColumns+1, 1, [][]forest.Node{leaf})
	require.ErrorContains(t, err, "65537 columns, want 1 to 65536")
	_, err = forest.New(1, 1, slices.Repeat([][]forest.Node{leaf}, forest.MaxTrees+1))
	require.ErrorContains(t, err, "16385 trees, want 1 to 16384")
}
