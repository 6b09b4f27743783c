package forest

import (
	"fmt"
	"math"
	"slices"
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
// x has [Forest.Columns] values, else PathLength panics. Values are compared as float32. A NaN goes the same way at every
// split on its column; callers should not let it come this far. PathLength does not allocate;
// rows wider than 256 borrow their buffer.
func (f *Forest) PathLength(x []float64) float64 {
	if len(x) != f.columns {
		panic(fmt.Sprintf("forest: row has %d values, want %d", len(x), f.columns))
	}
	if len(x) > narrow {
		return f.widePathLength(x)
	}
	var keys [narrow]uint32
	for c, v := range x {
		keys[c&(narrow-1)] = key(float32(v))
	}
	return f.sumNarrow(&keys) / float64(f.Trees())
}

var wideRows = sync.Pool{New: func() any { return new([]uint32) }}

func (f *Forest) widePathLength(x []float64) float64 {
	keys := wideRows.Get().(*[]uint32)
	defer wideRows.Put(keys)
	*keys = slices.Grow((*keys)[:0], len(x))
	for _, v := range x {
		*keys = append(*keys, key(float32(v)))
	}
	return f.sumWide(*keys) / float64(f.Trees())
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
