package forest

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// eulerGamma is γ with the digits scikit-learn uses.
const eulerGamma = 0.5772156649015329

// C returns the average depth, in edges, of an unsuccessful search in a binary search tree of n keys: what a leaf with n
// training rows still hides, and at ψ the unit of the score. It is 0 for n <= 1, 1 for n = 2 and
//
//	2(ln(n−1) + γ) − 2(n−1)/n
//
// beyond, as in Liu et al. (2008), equation 1, and scikit-learn's _average_path_length. The logarithm approximates a
// harmonic number: C(3) is 1.2074 where the exact depth is 5/3.
func C(n int) float64 {
	switch {
	case n <= 1:
		return 0
	case n == 2:
		return 1
	}
	m := float64(n - 1)
	return float64(2*(math.Log(m)+eulerGamma)) - float64(2*m)/float64(n)
}

// PathLength returns E[h](x), the mean over trees of the leaf's depth plus C of its training rows, in edges.
// x has [Forest.Columns] values, else PathLength panics. Values are compared as float32. A NaN goes left at every split on
// its column; callers should not let it come this far. PathLength does not allocate.
func (f *Forest) PathLength(x []float64) float64 {
	if len(x) != f.columns {
		panic(fmt.Sprintf("forest: row has %d values, want %d", len(x), f.columns))
	}
	if len(x) > rowOnStack {
		return f.widePathLength(x)
	}
	var buf [rowOnStack]float32
	return f.mean(round32(buf[:], x))
}

// rowOnStack is the widest row that is rounded in a buffer on the stack; wider ones borrow from widePool.
const rowOnStack = 64

var widePool = sync.Pool{New: func() any { return new([]float32) }}

func (f *Forest) widePathLength(x []float64) float64 {
	buf := widePool.Get().(*[]float32)
	defer widePool.Put(buf)
	if len(*buf) < len(x) {
		*buf = make([]float32, len(x))
	}
	return f.mean(round32(*buf, x))
}

// round32 rounds x to float32 in buf, which is at least as long.
func round32(buf []float32, x []float64) []float32 {
	buf = buf[:len(x)]
	for i, v := range x {
		buf[i] = float32(v)
	}
	return buf
}

// Score returns the anomaly score 2^(−E[h](x)/c(ψ)) of Liu et al. (2008), equation 2, in (0,1]: about 0.5 for a row whose
// path is as long as average, towards 1 for a row that is isolated at once. When ψ = 1 every score is 0.5.
// It takes x as [Forest.PathLength] does, and does not allocate.
func (f *Forest) Score(x []float64) float64 { return f.score(f.PathLength(x)) }

func (f *Forest) score(pathLength float64) float64 {
	if f.norm == 0 {
		return 0.5
	}
	return math.Exp2(-pathLength / f.norm)
}

// PathLengths sets dst[i] to the [Forest.PathLength] of row i of x and returns dst. It allocates dst when nil, and panics
// when the length of dst is not the number of rows or the width of x is not [Forest.Columns].
func (f *Forest) PathLengths(dst []float64, x *mat.Dense) []float64 {
	rows, _ := x.Dims()
	if dst == nil {
		dst = make([]float64, rows)
	}
	if len(dst) != rows {
		panic(fmt.Sprintf("forest: destination of %d values for %d rows", len(dst), rows))
	}
	for i := range dst {
		dst[i] = f.PathLength(x.RawRowView(i))
	}
	return dst
}

// Scores sets dst[i] to the [Forest.Score] of row i of x and returns dst, as [Forest.PathLengths] does.
func (f *Forest) Scores(dst []float64, x *mat.Dense) []float64 {
	dst = f.PathLengths(dst, x)
	for i, h := range dst {
		dst[i] = f.score(h)
	}
	return dst
}

// mean returns the mean path length of a rounded row. Several trees walk side by side: a step waits for memory, not for
// arithmetic, and the steps of different trees do not wait for each other.
func (f *Forest) mean(row []float32) float64 {
	nodes, sum, t := f.nodes, 0.0, 0
	roots := f.roots[:f.Trees()]
	for ; t+4 <= len(roots); t += 4 {
		a, b, c, d := int(roots[t]), int(roots[t+1]), int(roots[t+2]), int(roots[t+3])
		for range f.depth {
			a, b, c, d = step(nodes, row, a), step(nodes, row, b), step(nodes, row, c), step(nodes, row, d)
		}
		sum += f.value(a) + f.value(b) + f.value(c) + f.value(d)
	}
	for ; t < len(roots); t++ {
		a := int(roots[t])
		for range f.depth {
			a = step(nodes, row, a)
		}
		sum += f.value(a)
	}
	return sum / float64(len(roots))
}

// step goes one edge down from node i, without a branch; from a leaf it stays.
func step(nodes []node, row []float32, i int) int {
	n := &nodes[i]
	right := 0
	if row[n.column] > n.threshold {
		right = 1
	}
	return i + int(n.left) + right
}

// value returns the path length of the leaf at slot i.
func (f *Forest) value(i int) float64 { return float64(f.depths[i]) + f.c[f.samples[i]] }
