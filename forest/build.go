package forest

import (
	"errors"
	"fmt"
	"math"
)

// builder lays trees out in a Forest. Its callers walk a tree in preorder: each slot is given either split or leaf.
type builder struct {
	f     *Forest
	kinds map[leaf]int32
	cover int // sum over the leaves of the current tree
}

func newBuilder(columns, sampleSize, trees, nodes int) *builder {
	return &builder{kinds: map[leaf]int32{}, f: &Forest{
		columns:    columns,
		sampleSize: sampleSize,
		norm:       C(sampleSize),
		roots:      make([]int32, 0, trees+1),
		nodes:      make([]node, 0, nodes),
		kind:       make([]int32, 0, nodes),
	}}
}

// grow appends n empty slots and returns the first.
func (b *builder) grow(n int) int32 {
	first := int32(len(b.f.nodes))
	for range n {
		b.f.nodes = append(b.f.nodes, node{})
		b.f.kind = append(b.f.kind, inner)
	}
	return first
}

// root opens a tree.
func (b *builder) root() int32 {
	slot := b.grow(1)
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
	left := b.grow(2)
	if left-slot > math.MaxUint16 {
		return 0, errors.New("more nodes than a sample can make")
	}
	b.f.nodes[slot] = node{threshold: threshold, column: uint16(column), left: uint16(left - slot)}
	return left, nil
}

func (b *builder) leaf(slot int32, depth, samples, cover int) error {
	if samples < 1 || samples > cover || cover > b.f.sampleSize {
		return fmt.Errorf("leaf of %d samples and cover %d, want 1 <= samples <= cover <= %d", samples, cover, b.f.sampleSize)
	}
	if b.cover += cover; b.cover > b.f.sampleSize {
		return fmt.Errorf("the leaves' covers sum to more than the sample size %d", b.f.sampleSize)
	}
	l := leaf{value: float64(depth) + C(samples), samples: uint16(samples), cover: uint16(cover), depth: uint8(depth)}
	k, ok := b.kinds[l]
	if !ok {
		k = int32(len(b.f.leaves))
		b.f.leaves, b.kinds[l] = append(b.f.leaves, l), k
	}
	b.f.nodes[slot].threshold = float32(math.Inf(1))
	b.f.kind[slot] = k
	b.f.depth = max(b.f.depth, depth)
	return nil
}

func (b *builder) finish() *Forest {
	b.f.roots = append(b.f.roots, int32(len(b.f.nodes)))
	return b.f
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
