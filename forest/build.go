package forest

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// builder lays trees out in a Forest. Its callers walk a tree in preorder: each slot is given either split or leaf.
type builder struct {
	f     *Forest
	cover int // sum over the leaves of the current tree
}

// newBuilder makes room for a number of nodes, and the empty leaf.
func newBuilder(columns, sampleSize, trees, nodes int, covers bool) *builder {
	f := &Forest{
		columns:    columns,
		sampleSize: sampleSize,
		norm:       C(sampleSize),
		roots:      make([]int32, 0, trees+lanes),
		nodes:      make([]node, 0, nodes+1),
		depths:     make([]uint8, 0, nodes+1),
		samples:    make([]uint16, 0, nodes+1),
	}
	if covers {
		f.covers = make([]uint16, 0, nodes+1)
	}
	return &builder{f: f}
}

// slots appends n <= 2 empty slots and returns the first.
func (b *builder) slots(n int) int32 {
	f := b.f
	first := int32(len(f.nodes))
	f.nodes = append(f.nodes, []node{0, 0}[:n]...)
	f.depths = append(f.depths, []uint8{0, 0}[:n]...)
	f.samples = append(f.samples, []uint16{0, 0}[:n]...)
	if f.covers != nil {
		f.covers = append(f.covers, []uint16{0, 0}[:n]...)
	}
	return first
}

// root opens a tree.
func (b *builder) root() int32 {
	slot := b.slots(1)
	b.f.roots = append(b.f.roots, slot)
	b.cover = 0
	return slot
}

// split makes slot an inner node and returns its left child's slot; the right child's is the next.
func (b *builder) split(slot int32, depth, column int, threshold float32) (int32, error) {
	if depth == maxDepth {
		return 0, fmt.Errorf("a split below depth %d", depth)
	}
	if column < 0 || column >= b.f.columns {
		return 0, fmt.Errorf("column %d, want 0 to %d", column, b.f.columns-1)
	}
	if t := float64(threshold); math.IsNaN(t) || math.IsInf(t, 0) {
		return 0, fmt.Errorf("threshold %v is not finite", t)
	}
	left := b.slots(2)
	if left-slot > math.MaxUint16 {
		return 0, errors.New("more nodes than a sample can make")
	}
	b.f.nodes[slot] = newNode(threshold, uint16(column), uint16(left-slot))
	return left, nil
}

func (b *builder) leaf(slot int32, depth, samples, cover int) error {
	if samples < 1 || samples > cover || cover > b.f.sampleSize {
		return fmt.Errorf("leaf of %d samples and cover %d, want 1 <= samples <= cover <= %d", samples, cover, b.f.sampleSize)
	}
	if b.cover += cover; b.cover > b.f.sampleSize {
		return fmt.Errorf("the leaves' covers sum to more than the sample size %d", b.f.sampleSize)
	}
	f := b.f
	f.nodes[slot] = leafNode
	f.depths[slot], f.samples[slot] = uint8(depth), uint16(samples)
	if f.covers != nil {
		f.covers[slot] = uint16(cover)
	}
	f.depth = max(f.depth, depth)
	return nil
}

func (b *builder) finish() *Forest {
	f := b.f
	f.trees = len(f.roots)
	empty := b.slots(1)
	f.nodes[empty] = leafNode
	f.roots = append(f.roots, empty)
	for len(f.roots)%lanes != 1 {
		f.roots = append(f.roots, empty)
	}
	f.c = make([]float64, slices.Max(f.samples)+1)
	for n := range f.c {
		f.c[n] = C(n)
	}
	return f
}

func (b *builder) addTree(nodes []Node) error {
	next, err := b.addNodes(nodes, 0, b.root(), 0)
	if err != nil {
		return err
	}
	if next != len(nodes) {
		return fmt.Errorf("%d nodes, but its preorder ends after %d", len(nodes), next)
	}
	return nil
}

// addNodes adds the subtree at nodes[i] and returns the index after it.
func (b *builder) addNodes(nodes []Node, i int, slot int32, depth int) (int, error) {
	if i >= len(nodes) {
		return 0, fmt.Errorf("node %d is missing", i)
	}
	n := nodes[i]
	if n.Column == -1 {
		if err := b.leaf(slot, depth, n.Samples, n.Cover); err != nil {
			return 0, fmt.Errorf("node %d: %w", i, err)
		}
		return i + 1, nil
	}
	left, err := b.split(slot, depth, n.Column, floor32(n.Threshold))
	if err != nil {
		return 0, fmt.Errorf("node %d: %w", i, err)
	}
	right, err := b.addNodes(nodes, i+1, left, depth+1)
	if err != nil {
		return 0, err
	}
	end, err := b.addNodes(nodes, right, left+1, depth+1)
	if err != nil {
		return 0, err
	}
	return end, checkInner(nodes, i, right)
}

// checkInner checks what an explicit inner node repeats: where its children are, and the sums of their counts.
func checkInner(nodes []Node, i, right int) error {
	n, l, r := nodes[i], nodes[i+1], nodes[right]
	switch {
	case n.Left != i+1 || n.Right != right:
		return fmt.Errorf("node %d has children %d and %d, in preorder they are %d and %d", i, n.Left, n.Right, i+1, right)
	case n.Samples != l.Samples+r.Samples || n.Cover != l.Cover+r.Cover:
		return fmt.Errorf("node %d: samples %d and cover %d are not the sums of its children's", i, n.Samples, n.Cover)
	}
	return nil
}
