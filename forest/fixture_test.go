package forest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// parity is the largest difference from scikit-learn that a path length or a score may show.
const parity = 1e-12

func eachFixture(t *testing.T, test func(*testing.T, *foresttest.Fixture, *forest.Forest)) {
	for _, name := range foresttest.Names {
		t.Run(name, func(t *testing.T) {
			fixture := foresttest.Load(t, name)
			test(t, fixture, fixture.Forest(t))
		})
	}
}

func TestScoresEqualScikitLearn(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		require.InDelta(t, fixture.Norm, f.NormPath(), 1e-15)
		for r, x := range fixture.Rows.X {
			require.InDelta(t, fixture.Rows.PathLength[r], f.PathLength(x), parity, "row %d", r)
			require.InDelta(t, -fixture.Rows.Scores[r], f.Score(x), parity, "row %d", r)
		}
	})
}

// Every row reaches scikit-learn's leaf in every tree: each tree alone, with float32 thresholds, is walked by hand.
func TestLeavesEqualScikitLearn(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		for k := range fixture.Trees {
			nodes := f.Nodes(k)
			for r, x := range fixture.Rows.X {
				require.Equal(t, fixture.Rows.Leaf[r][k], walk(nodes, x), "tree %d, row %d", k, r)
			}
		}
	})
}

// walk is the textbook walk, the oracle of the fast one.
func walk(nodes []forest.Node, x []float64) (leaf int) {
	for nodes[leaf].Column >= 0 {
		if n := nodes[leaf]; float64(float32(x[n.Column])) <= n.Threshold {
			leaf = n.Left
		} else {
			leaf = n.Right
		}
	}
	return leaf
}

func TestVerdictsEqualScikitLearn(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		for r, x := range fixture.Rows.X {
			if !fixture.Tie(r) {
				require.Equal(t, fixture.Rows.Predict[r] < 0, forest.Anomalous(f.Score(x), -fixture.Offset), "row %d", r)
			}
		}
	})
}

func TestThresholdEqualsScikitLearnsOffset(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		contamination, ok := fixture.Params.Contamination.(float64)
		if !ok {
			require.Equal(t, -0.5, fixture.Offset) // "auto" asks no rows
			return
		}
		threshold, err := forest.Threshold(f.Scores(nil, foresttest.Matrix(fixture.Train)), contamination)
		require.NoError(t, err)
		require.InDelta(t, -fixture.Offset, threshold, parity)
	})
}

func TestImportKeepsNodes(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		for k, tree := range fixture.Trees {
			nodes := f.Nodes(k)
			require.True(t, slices.EqualFunc(nodes, tree.Left, func(n forest.Node, left int) bool { return n.Left == left }))
			require.True(t, slices.EqualFunc(nodes, tree.Samples, func(n forest.Node, s int) bool { return n.Samples == s }))
			require.True(t, slices.EqualFunc(nodes, tree.Cover, func(n forest.Node, c float64) bool { return float64(n.Cover) == c }))
		}
	})
}
