package foresttest

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
)

// Forest draws a forest that no training set need have made: lopsided trees, repeated columns and thresholds, covers that
// differ from samples. Thresholds and the values of [Row] come from one small grid, so that rows hit thresholds.
func Forest(t *rapid.T, maxColumns, maxDepth int) *forest.Forest {
	columns := rapid.IntRange(1, maxColumns).Draw(t, "columns")
	bootstrap := rapid.Bool().Draw(t, "bootstrap")
	trees := make([][]forest.Node, rapid.IntRange(1, 6).Draw(t, "trees"))
	for i := range trees {
		g := &generator{t: t, columns: columns, bootstrap: bootstrap, depth: maxDepth}
		g.subtree(0)
		trees[i] = g.nodes
	}
	f, err := forest.New(columns, forest.MaxSampleSize, trees)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

type generator struct {
	t              *rapid.T
	columns, depth int
	bootstrap      bool
	nodes          []forest.Node
}

func (g *generator) subtree(depth int) int {
	at := len(g.nodes)
	if depth == g.depth || rapid.IntRange(0, 3).Draw(g.t, "leaf") == 0 {
		n := forest.Node{Column: -1, Left: -1, Right: -1, Samples: rapid.IntRange(1, 9).Draw(g.t, "samples")}
		n.Cover = n.Samples
		if g.bootstrap {
			n.Cover += rapid.IntRange(0, 3).Draw(g.t, "more")
		}
		g.nodes = append(g.nodes, n)
		return at
	}
	g.nodes = append(g.nodes, forest.Node{
		Column: rapid.IntRange(0, g.columns-1).Draw(g.t, "column"), Threshold: gridValue(g.t, "threshold"),
	})
	left := g.subtree(depth + 1)
	right := g.subtree(depth + 1)
	n, l, r := &g.nodes[at], g.nodes[left], g.nodes[right]
	n.Left, n.Right = left, right
	n.Samples, n.Cover = l.Samples+r.Samples, l.Cover+r.Cover
	return at
}

func gridValue(t *rapid.T, label string) float64 {
	return float64(rapid.IntRange(-3, 3).Draw(t, label)) / 4
}

// Row draws a row for a forest of [Forest].
func Row(t *rapid.T, columns int) []float64 {
	row := make([]float64, columns)
	for c := range row {
		row[c] = gridValue(t, "x")
	}
	return row
}

// Players draws a grouping of columns into at most most players.
func Players(t *rapid.T, columns, most int) []int {
	players := make([]int, columns)
	count := 0
	for c := range players {
		players[c] = rapid.IntRange(0, min(count, most-1)).Draw(t, "player")
		count = max(count, players[c]+1)
	}
	return players
}

// Normal returns rows of correlated standard normal values.
func Normal(rows, columns int, seed uint64) *mat.Dense {
	random := rand.New(rand.NewPCG(seed, 0))
	m := mat.NewDense(rows, columns, nil)
	for i := range rows {
		common := random.NormFloat64()
		row := m.RawRowView(i)
		for c := range row {
			row[c] = 0.6*common + 0.8*random.NormFloat64()
		}
	}
	return m
}
