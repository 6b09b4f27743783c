package forest

import (
	"fmt"
	"math"
)

// Limits of a forest. They follow from the 8-byte node (16-bit columns and child offsets) and keep hostile input small.
const (
	MaxColumns    = 1 << 16 // columns of a row
	MaxSampleSize = 1 << 15 // ψ, hence at most 2ψ−1 < 1<<16 nodes in a tree
	MaxTrees      = 1 << 14
	maxDepth      = 32 // Fit needs ceil(log2(MaxSampleSize)) = 15; imported trees may be deeper
)

// A Forest is an immutable Isolation Forest. All its methods but [Forest.UnmarshalBinary] may be called concurrently.
//
// nodes, depths, samples and covers are parallel: all nodes of all trees, one tree after the other, siblings side by side.
type Forest struct {
	columns    int
	sampleSize int
	norm       float64   // c(sampleSize)
	c          []float64 // c(n) up to the biggest leaf
	trees      int
	roots      []int32  // of the trees, and then of 1 to 10 empty leaves, so that all lanes always have something to walk
	depth      int      // edges from a root to the deepest leaf
	nodes      []node   // and that empty leaf
	depths     []uint8  // edges from the root to a leaf; 0 for inner nodes
	samples    []uint16 // training rows in a leaf; 0 for inner nodes
	covers     []uint16 // training draws in a leaf; nil when they equal samples
}

// A Node is one node of a tree in the explicit form that [New] takes and [Forest.Nodes] returns: a tree is a slice of
// nodes in depth-first preorder, so Left is always the next node and Right follows the left subtree.
type Node struct {
	Column      int     // column the node splits on, -1 for a leaf
	Threshold   float64 // a row goes left when float32(x) <= Threshold; 0 for a leaf
	Left, Right int     // indices in the same slice, -1 for a leaf
	Samples     int     // distinct training rows in the node: decides c(n) at a leaf
	Cover       int     // training draws in the node, its weight in Shapley values: Samples, unless drawn with replacement
}

// New builds a forest from explicit trees, for imports and tests. It checks everything: preorder, columns, finite
// thresholds, depth (at most 32), 1 <= Samples <= Cover <= sampleSize, and that the counts of children add up to their
// parent's. Thresholds are rounded down to float32, which keeps every decision, because rows are compared as float32.
func New(columns, sampleSize int, trees [][]Node) (*Forest, error) {
	if err := checkShape(columns, sampleSize, len(trees)); err != nil {
		return nil, err
	}
	size := 0
	for _, nodes := range trees {
		size += len(nodes)
	}
	b := newBuilder(columns, sampleSize, len(trees), size, haveCovers(trees))
	for t, nodes := range trees {
		if err := b.addTree(nodes); err != nil {
			return nil, fmt.Errorf("forest: tree %d: %w", t, err)
		}
	}
	return b.finish(), nil
}

func checkShape(columns, sampleSize, trees int) error {
	switch {
	case columns < 1 || columns > MaxColumns:
		return fmt.Errorf("forest: %d columns, want 1 to %d", columns, MaxColumns)
	case sampleSize < 1 || sampleSize > MaxSampleSize:
		return fmt.Errorf("forest: sample size %d, want 1 to %d", sampleSize, MaxSampleSize)
	case trees < 1 || trees > MaxTrees:
		return fmt.Errorf("forest: %d trees, want 1 to %d", trees, MaxTrees)
	}
	return nil
}

// Columns returns the number of values in a row.
func (f *Forest) Columns() int { return f.columns }

// Trees returns the number of trees.
func (f *Forest) Trees() int { return f.trees }

// SampleSize returns ψ, the number of training rows drawn for each tree.
func (f *Forest) SampleSize() int { return f.sampleSize }

// NormPath returns c(ψ) in edges, the path length that scores 0.5. It is 0 when ψ = 1.
func (f *Forest) NormPath() float64 { return f.norm }

// Nodes returns a copy of one tree, 0 <= tree < [Forest.Trees], in the form [New] takes. Thresholds are the stored float32.
func (f *Forest) Nodes(tree int) []Node {
	root, end := f.roots[tree], f.roots[tree+1]
	out := make([]Node, 0, end-root)
	f.appendNodes(&out, root)
	return out
}

// appendNodes appends the subtree at slot i and returns the position of its top.
func (f *Forest) appendNodes(out *[]Node, i int32) int {
	at := len(*out)
	if f.samples[i] > 0 {
		*out = append(*out, Node{Column: -1, Left: -1, Right: -1, Samples: int(f.samples[i]), Cover: f.cover(i)})
		return at
	}
	n := f.nodes[i]
	*out = append(*out, Node{Column: n.column(), Threshold: float64(n.threshold())})
	left := f.appendNodes(out, i+n.left())
	right := f.appendNodes(out, i+n.left()+1)
	top, l, r := &(*out)[at], (*out)[left], (*out)[right]
	top.Left, top.Right = left, right
	top.Samples, top.Cover = l.Samples+r.Samples, l.Cover+r.Cover
	return at
}

// cover returns the training draws in the leaf at slot i.
func (f *Forest) cover(i int32) int {
	if f.covers == nil {
		return int(f.samples[i])
	}
	return int(f.covers[i])
}

// haveCovers reports whether the cover of any leaf differs from its samples.
func haveCovers(trees [][]Node) bool {
	for _, nodes := range trees {
		for _, n := range nodes {
			if n.Column == -1 && n.Cover != n.Samples {
				return true
			}
		}
	}
	return false
}

// floor32 rounds a threshold down to float32: for every float32 x, x <= t exactly when x <= floor32(t).
func floor32(t float64) float32 {
	f := float32(t)
	if float64(f) > t {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}
