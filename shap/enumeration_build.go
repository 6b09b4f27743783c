package shap

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"telegraf-anomaly/forest"
)

// What an enumeration may cost.
const (
	mostPlayers = 5   // more have too many coalitions
	mostColumns = 256 // more take longer to look up than quadrature takes
	mostLeaves  = 128 // of a tree; the rows of columns grow with the square
	fewLeaves   = 8   // of a part: with fewer, nothing is gained by cutting on

	mostPlaces = 1 << 16 // of a player in a part
	mostCells  = 2600    // per tree, of all coalitions together, 8 bytes each
)

// newEnumeration prepares the enumeration of trees, or returns nil when players or columns are too many or a tree is too big.
func newEnumeration(trees [][]forest.Node, players []int, count int) *enumeration {
	b := newEnumerationBuilder(trees, players, count)
	if b == nil {
		return nil
	}
	b.build()
	return b.enumeration
}

// newEnumerationBuilder cuts trees into parts as big as the players' cells allow.
func newEnumerationBuilder(trees [][]forest.Node, players []int, count int) *enumerationBuilder {
	tooBig := func(nodes []forest.Node) bool { return len(nodes) >= 2*mostLeaves }
	if count > mostPlayers || len(players) > mostColumns || slices.ContainsFunc(trees, tooBig) {
		return nil
	}
	for leaves := partLeaves; leaves >= fewLeaves; leaves /= 2 {
		b := &enumerationBuilder{
			enumeration: &enumeration{players: make([]player, count), weights: joinWeights(count)}, trees: trees, owner: players,
		}
		if b.cut(leaves) {
			return b
		}
	}
	return nil
}

type enumerationBuilder struct {
	*enumeration
	trees [][]forest.Node
	owner []int       // per column: its player
	below [][]subtree // per tree and node
	parts []part
	part  int // the current one

	// What the current part is made of.
	path   []box       // per column, above the current node
	share  []float64   // per player: its cover share of the current path
	alone  [][]float64 // per player and place: v
	within [][]uint64  // per column and interval: leaves
}

// A subtree has an expected path length, a set of players who split in it, and leaves.
type subtree struct {
	value           float64
	players, leaves int
}

// A box is a range of intervals, both ends included.
type box struct{ from, to int }

// cut makes parts of so many leaves at most. It returns false if the players' cells would be too many.
func (b *enumerationBuilder) cut(leaves int) bool {
	cells := 0
	for t, nodes := range b.trees {
		b.below = append(b.below, make([]subtree, len(nodes)))
		all := b.sumUp(t, 0, 0).leaves
		count := (all + leaves - 1) / leaves
		for i := range count {
			p := b.newPart(t, all*i/count, all*(i+1)/count)
			if slices.Max(p.places) > mostPlaces {
				return false
			}
			for _, n := range p.places {
				cells += 2 * n // a cell has two numbers
			}
			b.parts = append(b.parts, p)
		}
	}
	for len(b.parts)%abreast > 0 {
		b.parts = append(b.parts, b.newPart(0, 0, 0))
	}
	return cells <= mostCells*len(b.trees)
}

// sumUp sets what is below a node.
func (b *enumerationBuilder) sumUp(tree, i, depth int) subtree {
	nodes, below := b.trees[tree], b.below[tree]
	n := nodes[i]
	if n.Column < 0 {
		below[i] = subtree{value: float64(depth) + forest.C(n.Samples), leaves: 1}
	} else {
		l, r := b.sumUp(tree, n.Left, depth+1), b.sumUp(tree, n.Right, depth+1)
		share := float64(nodes[n.Left].Cover) / float64(n.Cover)
		below[i] = subtree{
			value:   r.value + float64(share*(l.value-r.value)),
			players: l.players | r.players | 1<<b.owner[n.Column],
			leaves:  l.leaves + r.leaves,
		}
	}
	return below[i]
}

func (b *enumerationBuilder) build() {
	for t := range b.trees {
		b.base += b.below[t][0].value
	}
	for c := range b.owner {
		b.columns = append(b.columns, b.newColumn(c))
	}
	for p := range b.players {
		b.players[p] = b.newPlayer(p)
	}
	b.addCoalitions()
	b.share, b.path = slices.Repeat([]float64{1}, len(b.players)), make([]box, len(b.owner))
	b.alone, b.within = make([][]float64, len(b.players)), make([][]uint64, len(b.owner))
	for t := range b.parts {
		b.fill(t)
	}
	b.scratch(len(b.parts))
}

// newColumn lays out the rows of a column.
func (b *enumerationBuilder) newColumn(c int) column {
	type cut struct {
		threshold float32
		part      int
	}
	var cuts []cut
	for t := range b.parts {
		for _, threshold := range b.parts[t].cuts[c] {
			cuts = append(cuts, cut{threshold, t})
		}
	}
	slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(a.threshold, b.threshold) })
	out := column{player: b.owner[c]}
	for i, cut := range cuts {
		if i == 0 || cut.threshold != cuts[i-1].threshold {
			out.thresholds = append(out.thresholds, cut.threshold)
		}
	}
	row := make([]uint64, len(b.parts)/abreast) // of values up to the current threshold
	out.rows = make([]uint64, 0, (len(out.thresholds)+1)*len(row))
	for i, cut := range cuts {
		if i == 0 || cut.threshold != cuts[i-1].threshold {
			out.rows = append(out.rows, row...)
		}
		row[cut.part/abreast] += b.stride(cut.part, c) << (16 * (cut.part % abreast))
	}
	out.rows = append(out.rows, row...)
	return out
}

// stride returns how many places of its player lie between neighbouring intervals of column c in a part.
func (b *enumerationBuilder) stride(part, c int) uint64 {
	stride := 1
	for d := c + 1; d < len(b.owner); d++ {
		if b.owner[d] == b.owner[c] {
			stride *= b.parts[part].intervals(d)
		}
	}
	return uint64(stride)
}

func (b *enumerationBuilder) newPlayer(p int) (out player) {
	cells := uint32(0)
	for t := range b.parts {
		out.first = append(out.first, cells)
		cells += uint32(b.parts[t].places[p])
	}
	out.cells = make([]cell, cells)
	return out
}

// addCoalitions lays out the coalitions of two and more, and gives tables to as many as the budget allows, small ones
// first: they reach most leaves.
func (b *enumerationBuilder) addCoalitions() {
	b.coalitions = make([]coalition, 1<<len(b.players))
	budget := float64(mostCells * len(b.trees))
	for p := range b.players {
		budget -= float64(2 * len(b.players[p].cells))
	}
	for size := 2; size <= len(b.players); size++ {
		for members := range b.coalitions {
			if bits.OnesCount(uint(members)) == size {
				b.coalitions[members] = b.newCoalition(members, &budget)
			}
		}
	}
}

func (b *enumerationBuilder) newCoalition(members int, budget *float64) coalition {
	lowest := members & -members
	c := coalition{rest: members ^ lowest, lowest: lowest, everyone: members == len(b.coalitions)-1}
	total := 0.0
	for t := range b.parts {
		c.sizes = append(c.sizes, uint32(b.parts[t].places[bits.TrailingZeros(uint(lowest))]))
		c.first = append(c.first, uint32(min(total, math.MaxUint32)))
		total += b.parts[t].size(members)
	}
	if total <= *budget {
		*budget -= total
		c.table = make([]float64, int(total))
		return c
	}
	c.sizes, c.first = nil, nil
	c.kept, c.leaves = make([]uint64, len(b.parts)), make([]values, len(b.parts))
	return c
}
