package shap_test

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// game is the definition of v, coalition by coalition: the oracle of everything that is faster.
type game struct {
	trees   [][]forest.Node
	players []int
	row     []float64
}

func newGame(f *forest.Forest, players []int, row []float64) *game {
	g := &game{players: players, row: row}
	for t := range f.Trees() {
		g.trees = append(g.trees, f.Nodes(t))
	}
	return g
}

// value returns v of the players whose bits are set.
func (g *game) value(coalition uint) float64 {
	sum := 0.0
	for _, nodes := range g.trees {
		sum += g.below(nodes, 0, 0, coalition)
	}
	return sum / float64(len(g.trees))
}

func (g *game) below(nodes []forest.Node, i, depth int, coalition uint) float64 {
	n := nodes[i]
	if n.Column < 0 {
		return float64(depth) + forest.C(n.Samples)
	}
	left := func() float64 { return g.below(nodes, n.Left, depth+1, coalition) }
	right := func() float64 { return g.below(nodes, n.Right, depth+1, coalition) }
	switch {
	case coalition>>g.players[n.Column]&1 == 0:
		share := float64(nodes[n.Left].Cover) / float64(n.Cover)
		return share*left() + (1-share)*right()
	case float64(float32(g.row[n.Column])) <= n.Threshold:
		return left()
	default:
		return right()
	}
}

// shapley enumerates all coalitions: φ_j = Σ_S |S|!(n−|S|−1)!/n! (v(S∪{j}) − v(S)).
func (g *game) shapley(count int) []float64 {
	values := make([]float64, 1<<count)
	for s := range values {
		values[s] = g.value(uint(s))
	}
	phi := make([]float64, count)
	for j := range phi {
		for s, v := range values {
			if s>>j&1 == 0 {
				size := bits.OnesCount(uint(s))
				weight := math.Gamma(float64(size+1)) * math.Gamma(float64(count-size)) / math.Gamma(float64(count+1))
				phi[j] += weight * (values[s|1<<j] - v)
			}
		}
	}
	return phi
}

// exact is the difference from brute force that rounding may make, in edges.
const exact = 1e-12

func TestValuesEqualBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 10, 8)
		players := foresttest.Players(t, f.Columns(), 8)
		e := mustNew(t, f, players)
		for range 3 {
			x := foresttest.Row(t, f.Columns())
			g := newGame(f, players, x)
			require.InDelta(t, g.value(0), e.Base(), exact)
			require.InDeltaSlice(t, g.shapley(e.Players()), e.PathLength(nil, x), exact)
		}
	})
}

// Forests as they are grown, grouped as features group them, on rows inside and outside the training set.
func TestValuesOfGrownForestsEqualBruteForce(t *testing.T) {
	for _, shape := range []struct {
		name       string
		players    []int
		sampleSize int
	}{
		{"raw cpu, memory, network", grouped(3, 1), 256},
		{"with mean and deviation", grouped(3, 3), 256},
		{"and disk", grouped(4, 3), 256},
		{"five features", grouped(5, 2), 256},
		{"two features of unequal width", []int{0, 0, 0, 0, 0, 1}, 256},
		{"interleaved columns", []int{2, 0, 1, 0, 2, 1, 0}, 64},
		{"one feature of four columns", []int{0, 0, 0, 0}, 256},
		{"one column", []int{0}, 256},
		{"a big sample", grouped(3, 2), 2000},
		{"eight features", grouped(8, 1), 256},
		{"a deep forest of nine features", grouped(9, 1), 2000},
	} {
		t.Run(shape.name, func(t *testing.T) {
			columns := len(shape.players)
			f, err := forest.Fit(foresttest.Normal(2000, columns, 1), forest.Options{Trees: 10, SampleSize: shape.sampleSize})
			require.NoError(t, err)
			e := explainer(t, f, shape.players)
			rows := foresttest.Normal(20, columns, 2)
			for i := range 20 {
				x := rows.RawRowView(i)
				x[i%columns] *= float64(i)
				require.InDeltaSlice(t, newGame(f, shape.players, x).shapley(e.Players()), e.PathLength(nil, x), exact)
			}
		})
	}
}

// Eighteen players on one path, more than a grown forest ever has, need three passes of quadrature.
func TestDeepPath(t *testing.T) {
	const depth = 18
	var nodes []forest.Node
	for d := range depth {
		nodes = append(nodes, forest.Node{Column: d, Left: d + 1, Right: 2*depth - d, Samples: depth + 1 - d, Cover: depth + 1 - d})
	}
	for range depth + 1 {
		nodes = append(nodes, forest.Node{Column: -1, Samples: 1, Cover: 1})
	}
	f, err := forest.New(depth, 32, [][]forest.Node{nodes})
	require.NoError(t, err)
	e := explainer(t, f, nil)
	x := make([]float64, depth)
	x[3], x[11] = 1, 1
	require.InDeltaSlice(t, newGame(f, grouped(depth, 1), x).shapley(depth), e.PathLength(nil, x), exact)
}
