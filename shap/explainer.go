package shap

import (
	"fmt"

	"telegraf-anomaly/forest"
)

// An Explainer computes Shapley values of one forest. Its methods share scratch memory, so that they do not allocate:
// an Explainer serves one goroutine at a time, and [Explainer.Clone] makes one for the next.
type Explainer struct {
	*tables
	row     []float32
	reach   []reach
	scratch scratch
}

// tables are what all clones of an Explainer share, and never change.
type tables struct {
	columns, players int
	trees            float64
	norm             float64      // c(ψ), edges per bit
	base             float64      // v of nobody, edges
	enumeration      *enumeration // for few players, or nil
	quadrature       *quadrature  // if that is nil
}

// New prepares the explanation of f. players[c] is the player of column c: columns of one feature share a player, players
// are numbered from 0 without gaps. With nil players every column is its own. New fails when players does not fit
// the columns of f.
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
	t := &tables{columns: f.Columns(), players: count, trees: float64(f.Trees()), norm: f.NormPath()}
	t.base = base(f)
	if t.enumeration = newEnumeration(f, players, count, t.base); t.enumeration == nil {
		t.quadrature = newQuadrature(f, players)
	}
	return (&Explainer{tables: t}).Clone(), nil
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
	clone := &Explainer{tables: e.tables, row: make([]float32, e.columns)}
	if e.enumeration != nil {
		clone.reach = e.enumeration.newScratch()
	} else {
		clone.scratch = e.quadrature.newScratch()
	}
	return clone
}

// base returns the mean path length over the training draws: v of nobody.
func base(f *forest.Forest) float64 {
	sum := 0.0
	for t := range f.Trees() {
		nodes := f.Nodes(t)
		sum += expected(nodes, 0, 0)
	}
	return sum / float64(f.Trees())
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
func (t *tables) Players() int { return t.players }

// Base returns v of nobody, the forest's mean path length over its training draws, in edges.
func (t *tables) Base() float64 { return t.base }

// BaseBits returns [Explainer.Base] in bits, −Base/c(ψ): log2 of the score of a row about which nothing is known.
// When ψ = 1, and every score is 0.5, it is −1.
func (t *tables) BaseBits() float64 {
	if t.norm == 0 {
		return -1
	}
	return -t.base / t.norm
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
	if e.enumeration != nil {
		e.enumeration.explain(dst, e.row, e.reach)
	} else {
		e.quadrature.explain(dst, e.row, &e.scratch)
	}
	for p := range dst {
		dst[p] /= e.trees
	}
	return dst
}

// Bits sets dst[p] to the Shapley value of player p for row x, in bits: positive pushes towards anomaly. BaseBits plus
// their sum is log2 of [forest.Forest.Score] of x. It is [Explainer.PathLength] divided by −c(ψ), and takes the same
// arguments.
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
