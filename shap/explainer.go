package shap

import (
	"fmt"
	"slices"

	"telegraf-anomaly/forest"
)

// An Explainer computes Shapley values of one forest. Its methods share scratch memory, so that they do not allocate:
// an Explainer serves one goroutine at a time, and [Explainer.Clone] makes one for the next.
type Explainer struct {
	columns, players int
	trees            float64
	norm             float64 // c(ψ), edges per bit
	base             float64 // v of nobody, edges
	row              []float32
	methods          []method // one for each group of trees
}

// A method computes the Shapley values of some trees, in its own scratch memory.
type method interface {
	explain(phi []float64, row []float32) // adds the trees' values to phi
	clone() method                        // shares the tables, not the scratch memory
}

// New prepares the explanation of f. players[c] is the player of column c: columns of one feature share a player, players
// are numbered from 0 without gaps. With nil players every column is its own. New fails when players does not fit the
// columns of f.
//
// Up to five players are explained by enumerating their coalitions; more of them, more than 256 columns, and trees of more
// than 128 leaves by quadrature. Both are exact. Memory is about 30 kB for each tree of 256 samples and
// never more than 80, with quadrature 10.
func New(f *forest.Forest, players []int) (*Explainer, error) {
	if players == nil {
		players = make([]int, f.Columns())
		for c := range players {
			players[c] = c
		}
	}
	count, err := countPlayers(players, f.Columns())
	if err != nil {
		return nil, err
	}
	e := &Explainer{columns: f.Columns(), players: count, trees: float64(f.Trees()), norm: f.NormPath()}
	e.row = make([]float32, e.columns)
	trees := make([][]forest.Node, f.Trees())
	for t := range trees {
		trees[t] = f.Nodes(t)
		e.base += expected(trees[t], 0, 0) / e.trees
	}
	for group := range slices.Chunk(trees, groupSize) {
		e.methods = append(e.methods, newMethod(group, players, count))
	}
	return e, nil
}

// groupSize is how many trees share the tables of an enumeration: some grow with the square of their number.
const groupSize = 50

func newMethod(trees [][]forest.Node, players []int, count int) method {
	if m := newEnumeration(trees, players, count); m != nil {
		return m
	}
	return newQuadrature(trees, players)
}

// countPlayers returns the number of players, after it has checked that they are numbered without gaps.
func countPlayers(players []int, columns int) (int, error) {
	if len(players) != columns {
		return 0, fmt.Errorf("shap: %d player numbers for %d columns", len(players), columns)
	}
	seen, count := make([]bool, columns), 0
	for c, p := range players {
		if p < 0 || p >= columns {
			return 0, fmt.Errorf("shap: column %d has player %d, want 0 to %d", c, p, columns-1)
		}
		if seen[p] = true; p >= count {
			count = p + 1
		}
	}
	for p, ok := range seen[:count] {
		if !ok {
			return 0, fmt.Errorf("shap: player %d has no column", p)
		}
	}
	return count, nil
}

// Clone returns an Explainer with the same tables and scratch memory of its own.
func (e *Explainer) Clone() *Explainer {
	c := *e
	c.row, c.methods = make([]float32, e.columns), slices.Clone(e.methods)
	for i, m := range c.methods {
		c.methods[i] = m.clone()
	}
	return &c
}

// expected returns the mean path length of the training draws in nodes[i].
func expected(nodes []forest.Node, i, depth int) float64 {
	n := nodes[i]
	if n.Column < 0 {
		return float64(depth) + forest.C(n.Samples)
	}
	left, right := expected(nodes, n.Left, depth+1), expected(nodes, n.Right, depth+1)
	share := float64(nodes[n.Left].Cover) / float64(n.Cover)
	return right + float64(share*(left-right))
}

// Players returns the number of players, the length of an explanation.
func (e *Explainer) Players() int { return e.players }

// Base returns v of nobody, the forest's mean path length over its training draws, in edges.
func (e *Explainer) Base() float64 { return e.base }

// BaseBits returns [Explainer.Base] in bits, −Base/c(ψ): log2 of the score of a row about which nothing is known.
// When ψ = 1, and every score is 0.5, it is −1.
func (e *Explainer) BaseBits() float64 {
	if e.norm == 0 {
		return -1
	}
	return -e.base / e.norm
}

// PathLength sets dst[p] to the Shapley value of player p for row x, in edges: negative shortens the path, towards
// anomaly. Base plus their sum is [forest.Forest.PathLength] of x; unit and sign are those of Python's
// shap.TreeExplainer with feature_perturbation="tree_path_dependent", fed with float32 rows.
//
// dst has [Explainer.Players] values, or is nil and then allocated; x has one value per column of the forest, compared as
// float32. PathLength panics on other lengths. It does not allocate otherwise.
func (e *Explainer) PathLength(dst, x []float64) []float64 {
	if dst == nil {
		dst = make([]float64, e.players)
	}
	if len(dst) != e.players || len(x) != e.columns {
		panic(fmt.Sprintf("shap: %d values for %d players and a row of %d for %d columns", len(dst), e.players, len(x), e.columns))
	}
	for c, v := range x {
		e.row[c] = float32(v)
	}
	clear(dst)
	for _, m := range e.methods {
		m.explain(dst, e.row)
	}
	for p := range dst {
		dst[p] /= e.trees
	}
	return dst
}

// Bits sets dst[p] to the Shapley value of player p for row x, in bits: positive pushes towards anomaly. BaseBits plus
// their sum is log2 of [forest.Forest.Score] of x, so that an explained row need not be scored again. It is
// [Explainer.PathLength] divided by −c(ψ), and takes the same arguments.
func (e *Explainer) Bits(dst, x []float64) []float64 {
	dst = e.PathLength(dst, x)
	if e.norm == 0 { // every tree is a bare root: nobody changes anything
		return dst
	}
	for p := range dst {
		dst[p] /= -e.norm
	}
	return dst
}
