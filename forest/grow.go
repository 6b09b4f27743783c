package forest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/blas/blas64"
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
	trees := make([][]byte, o.Trees)
	var workers sync.WaitGroup
	for w := range min(o.Workers, o.Trees) {
		workers.Go(func() {
			g := newGrower(x.RawMatrix(), o.SampleSize)
			for t := w; t < o.Trees; t += o.Workers {
				trees[t] = g.tree(rand.New(rand.NewPCG(o.Seed, uint64(t))), t)
			}
		})
	}
	workers.Wait()
	return decode(append(appendHeader(nil, columns, o.SampleSize, o.Trees, 0), bytes.Join(trees, nil)...))
}

// checkRows refuses values that float32 cannot hold and sets that are constant.
func checkRows(x *mat.Dense) error {
	rows, _ := x.Dims()
	varies := false
	first := x.RawRowView(0)
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			v32 := float32(v)
			if v32-v32 != 0 {
				return fmt.Errorf("forest: row %d, column %d: %v is not a finite float32", i, j, v)
			}
			varies = varies || v32 != float32(first[j])
		}
	}
	if !varies {
		return ErrConstant
	}
	return nil
}

// grower grows trees one after the other, and keeps its buffers between them. A tree is written down as it grows, in the
// encoding of [Forest.UnmarshalBinary], which is preorder too.
type grower struct {
	x       blas64.General
	drawn   []int    // per row of x: the last tree that drew it, plus one
	rows    []int    // the sample, as offsets in x; every node owns a segment
	keys    []uint32 // of the current node's rows, in the column it may split on
	columns []int    // a node's usable columns come first
	depth   int      // cap: ceil(log2 ψ), at least 1
	random  *rand.Rand
	out     []byte
}

func newGrower(x blas64.General, sampleSize int) *grower {
	return &grower{
		x:       x,
		drawn:   make([]int, x.Rows),
		rows:    make([]int, sampleSize),
		keys:    make([]uint32, sampleSize),
		columns: make([]int, x.Cols),
		depth:   bits.Len(uint(max(sampleSize, 2) - 1)),
	}
}

func (g *grower) tree(random *rand.Rand, number int) []byte {
	g.random, g.out = random, g.out[:0]
	g.draw(number + 1)
	for c := range g.columns { // undo the last tree's order: a tree depends on its own seed only
		g.columns[c] = c
	}
	g.grow(g.rows, len(g.columns), 0)
	return bytes.Clone(g.out)
}

// draw fills the sample with the offsets of distinct rows of x by Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987).
func (g *grower) draw(mark int) {
	for i := range g.rows {
		last := g.x.Rows - len(g.rows) + i
		row := g.random.IntN(last + 1)
		if g.drawn[row] == mark {
			row = last
		}
		g.drawn[row] = mark
		g.rows[i] = row * g.x.Stride
	}
}

// grow writes the subtree of the given sample rows. Only the first usable columns can vary among them.
func (g *grower) grow(rows []int, usable, depth int) {
	var column int
	var low, high uint32
	if depth < g.depth && len(rows) > 1 {
		column, low, high, usable = g.pick(rows, usable)
	}
	if low == high {
		g.out = appendLeaf(g.out, len(rows))
		return
	}
	threshold := g.threshold(unkey(low), unkey(high))
	g.out = appendSplit(g.out, column, threshold)
	left := partition(rows, g.keys, key(threshold))
	g.grow(rows[:left], usable, depth+1)
	g.grow(rows[left:], usable, depth+1)
}

// pick returns a random column that varies among rows, its extremes, and how many columns are still usable: those found
// constant are moved behind the others, for the subtrees too. The extremes are equal when no column varies.
func (g *grower) pick(rows []int, usable int) (column int, low, high uint32, stillUsable int) {
	for ; usable > 0; usable-- {
		k := g.random.IntN(usable)
		column = g.columns[k]
		low, high = g.read(rows, column)
		if low < high {
			break
		}
		g.columns[k], g.columns[usable-1] = g.columns[usable-1], column
	}
	return column, low, high, usable
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

// read sets the keys of rows in a column, and returns the least and the greatest.
func (g *grower) read(rows []int, column int) (low, high uint32) {
	low = math.MaxUint32
	keys, values := g.keys[:len(rows)], g.x.Data[column:]
	for i, offset := range rows {
		k := key(float32(values[offset]))
		keys[i], low, high = k, min(low, k), max(high, k)
	}
	return low, high
}

// partition moves the rows with key <= threshold to the front and returns their number. It does not branch on keys.
func partition(rows []int, keys []uint32, threshold uint32) int {
	n := 0
	for i, k := range keys[:len(rows)] {
		rows[i], rows[n] = rows[n], rows[i]
		if k <= threshold {
			n++
		}
	}
	return n
}
