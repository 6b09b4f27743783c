package forest

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// ErrConstant says that every column of a training set is constant: there is nothing to isolate, so there is no model.
var ErrConstant = errors.New("forest: every column of the training set is constant")

// Options says how [Fit] grows a forest. The zero value is the paper's forest on one core.
type Options struct {
	Trees      int    // number of trees; 0 means 100
	SampleSize int    // ψ, rows drawn for each tree without replacement, at most the rows there are; 0 means 256
	Seed       uint64 // the same seed and rows give the same forest, whatever Workers is
	Workers    int    // goroutines that grow trees; 0 means 1
}

func (o *Options) setDefaults() error {
	if o.Trees < 0 || o.SampleSize < 0 || o.Workers < 0 {
		return fmt.Errorf("forest: negative option in %+v", *o)
	}
	defaults := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	defaults(&o.Trees, 100)
	defaults(&o.SampleSize, 256)
	defaults(&o.Workers, 1)
	return nil
}

// Fit grows a forest on the rows of x (rows × columns), as Liu et al. (2008), algorithms 1 and 2, and scikit-learn do:
// each tree sees ψ = min(SampleSize, rows) rows drawn without replacement; a node splits on a random column that is not
// constant there, at a threshold uniform between its extremes; growth stops at one row, at rows that are all equal, or at
// depth ceil(log2 ψ). Values are rounded to float32 first.
//
// It fails with [ErrConstant] when there is nothing to split, and with an error that names row and column when a value is
// NaN, infinite, or beyond float32.
func Fit(x *mat.Dense, o Options) (*Forest, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	rows, columns := x.Dims()
	o.SampleSize = min(o.SampleSize, rows)
	if err := checkShape(columns, o.SampleSize, o.Trees); err != nil {
		return nil, err
	}
	if err := checkRows(x); err != nil {
		return nil, err
	}
	trees := make([][]Node, o.Trees)
	var workers sync.WaitGroup
	for w := range min(o.Workers, o.Trees) {
		workers.Go(func() {
			g := newGrower(x, o.SampleSize)
			for t := w; t < o.Trees; t += o.Workers {
				trees[t] = g.tree(rand.New(rand.NewPCG(o.Seed, uint64(t))), t)
			}
		})
	}
	workers.Wait()
	return New(columns, o.SampleSize, trees)
}

// checkRows refuses values that float32 cannot hold and sets that are constant.
func checkRows(x *mat.Dense) error {
	rows, _ := x.Dims()
	varies := false
	first := x.RawRowView(0)
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			if v32 := float64(float32(v)); math.IsNaN(v32) || math.IsInf(v32, 0) {
				return fmt.Errorf("forest: row %d, column %d: %v is not a finite float32", i, j, v)
			}
			varies = varies || float32(v) != float32(first[j])
		}
	}
	if !varies {
		return ErrConstant
	}
	return nil
}

// grower grows trees one after the other, and keeps its buffers between them.
type grower struct {
	x       *mat.Dense
	drawn   []int       // per row of x: the last tree that drew it, plus one
	sample  [][]float32 // columns × ψ, the drawn rows
	rows    []uint16    // the sample's row numbers; every node owns a segment
	columns []uint16    // column numbers; a node's usable ones come first
	depth   int         // cap: ceil(log2 ψ), at least 1
	nodes   []Node
	random  *rand.Rand
}

func newGrower(x *mat.Dense, sampleSize int) *grower {
	rows, columns := x.Dims()
	g := &grower{
		x:       x,
		drawn:   make([]int, rows),
		sample:  make([][]float32, columns),
		rows:    make([]uint16, sampleSize),
		columns: make([]uint16, columns),
		depth:   bits.Len(uint(max(sampleSize, 2) - 1)),
	}
	values := make([]float32, columns*sampleSize)
	for c := range g.sample {
		g.sample[c] = values[c*sampleSize:][:sampleSize]
		g.columns[c] = uint16(c)
	}
	return g
}

func (g *grower) tree(random *rand.Rand, number int) []Node {
	g.random = random
	g.nodes = make([]Node, 0, 2*len(g.rows)-1)
	g.draw(number + 1)
	for i := range g.columns { // undo the last tree's order: a tree depends on its own seed only
		g.columns[i] = uint16(i)
	}
	g.grow(g.rows, len(g.columns), 0)
	return g.nodes
}

// draw fills the sample with distinct rows of x by Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987).
func (g *grower) draw(mark int) {
	n, size := len(g.drawn), len(g.rows)
	for i := range g.rows {
		last := n - size + i
		row := g.random.IntN(last + 1)
		if g.drawn[row] == mark {
			row = last
		}
		g.drawn[row] = mark
		for c, v := range g.x.RawRowView(row) {
			g.sample[c][i] = float32(v)
		}
		g.rows[i] = uint16(i)
	}
}

// grow appends the subtree of the given sample rows. Only the first usable columns can vary among them.
func (g *grower) grow(rows []uint16, usable, depth int) {
	at := len(g.nodes)
	g.nodes = append(g.nodes, Node{Column: -1, Left: -1, Right: -1, Samples: len(rows), Cover: len(rows)})
	if depth == g.depth || len(rows) == 1 {
		return
	}
	column, low, high, usable := g.pick(rows, usable)
	if usable == 0 {
		return
	}
	threshold := g.threshold(low, high)
	left := partition(rows, g.sample[column], threshold)
	g.nodes[at].Column, g.nodes[at].Threshold = column, float64(threshold)
	g.nodes[at].Left = len(g.nodes)
	g.grow(rows[:left], usable, depth+1)
	g.nodes[at].Right = len(g.nodes)
	g.grow(rows[left:], usable, depth+1)
}

// pick returns a random column that varies among rows, its extremes, and how many columns are still usable: those found
// constant are moved behind the others, for the subtrees too. No column varies when it returns usable = 0.
func (g *grower) pick(rows []uint16, usable int) (column int, low, high float32, stillUsable int) {
	for usable > 0 {
		k := g.random.IntN(usable)
		column = int(g.columns[k])
		low, high = extremes(rows, g.sample[column])
		if low < high {
			return column, low, high, usable
		}
		usable--
		g.columns[k], g.columns[usable] = g.columns[usable], g.columns[k]
	}
	return 0, 0, 0, 0
}

// threshold draws from [low, high), so that both children get rows: rounding down to float32 can reach low, never high.
func (g *grower) threshold(low, high float32) float32 {
	span := float64(high) - float64(low)
	t := floor32(float64(low) + float64(g.random.Float64()*span))
	if t >= high {
		return low
	}
	return t
}

func extremes(rows []uint16, values []float32) (low, high float32) {
	low = values[rows[0]]
	high = low
	for _, r := range rows[1:] {
		v := values[r]
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}

// partition moves the rows with value <= threshold to the front and returns their number. It does not branch on values.
func partition(rows []uint16, values []float32, threshold float32) int {
	n := 0
	for i, r := range rows {
		rows[i], rows[n] = rows[n], r
		if values[r] <= threshold {
			n++
		}
	}
	return n
}
