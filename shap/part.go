package shap

import (
	"math/bits"
	"slices"

	"telegraf-anomaly/forest"
)

// A part is some neighbouring leaves of a tree, with the splits above them.
type part struct {
	tree     int
	from, to int         // its leaves, by their order in the tree, the last one not included
	cuts     [][]float32 // per column: the thresholds of its splits, ascending, distinct
	places   []int       // per player: combinations of intervals of its columns
}

func (p *part) intervals(column int) int { return len(p.cuts[column]) + 1 }

// holds reports whether any of n leaves, the first of which is given, belongs to the part.
func (p *part) holds(first, n int) bool { return first < p.to && first+n > p.from }

// size is the number of combinations of the members' places.
func (p *part) size(members int) float64 {
	n := 1.0
	for ; members != 0; members &= members - 1 {
		n *= float64(p.places[bits.TrailingZeros(uint(members))])
	}
	return n
}

func (b *enumerationBuilder) newPart(tree, from, to int) part {
	p := part{tree: tree, from: from, to: to, cuts: make([][]float32, len(b.owner)), places: slices.Repeat([]int{1}, len(b.players))}
	b.collect(&p, 0, 0)
	for c, player := range b.owner {
		slices.Sort(p.cuts[c])
		p.cuts[c] = slices.Compact(p.cuts[c])
		p.places[player] = min(p.places[player]*p.intervals(c), mostPlaces+1)
	}
	return p
}

// collect adds the thresholds of the subtree of node i, whose first leaf is given.
func (b *enumerationBuilder) collect(p *part, i, first int) {
	n := b.trees[p.tree][i]
	if n.Column < 0 || !p.holds(first, b.below[p.tree][i].leaves) {
		return
	}
	p.cuts[n.Column] = append(p.cuts[n.Column], float32(n.Threshold))
	b.collect(p, n.Left, first)
	b.collect(p, n.Right, first+b.below[p.tree][n.Left].leaves)
}

// fill computes what everybody reaches in a part.
func (b *enumerationBuilder) fill(t int) {
	b.part = t
	p := &b.parts[t]
	for c := range b.path {
		b.path[c] = box{0, len(p.cuts[c])}
		b.within[c] = cleared(b.within[c], p.intervals(c))
	}
	for player, n := range p.places {
		b.alone[player] = cleared(b.alone[player], n)
	}
	b.walk(0, 0, 1<<(1<<len(b.players))-2) // all but nobody
	for player := range b.players {
		b.complete(player)
	}
	for members := range b.coalitions {
		if table := b.tableOf(members); table != nil {
			b.integrate(table, members)
		}
	}
}

func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// walk adds the subtree of node i, whose first leaf is given, to the coalitions whose bits are set in open. One that has no
// split in the subtree takes it for a leaf, the first.
func (b *enumerationBuilder) walk(i, first int, open uint64) {
	p := &b.parts[b.part]
	n, below := b.trees[p.tree][i], b.below[p.tree]
	if !p.holds(first, below[i].leaves) {
		return
	}
	for left := open; left != 0; left &= left - 1 {
		if members := bits.TrailingZeros64(left); below[i].players&members == 0 {
			if first >= p.from {
				b.add(members, first-p.from, below[i].value)
			}
			open ^= 1 << members
		}
	}
	if n.Column < 0 {
		b.reachable(first - p.from)
		return
	}
	b.split(p, n, first, open)
}

// split goes on to both sides of a split.
func (b *enumerationBuilder) split(p *part, n forest.Node, first int, open uint64) {
	nodes, c, player := b.trees[p.tree], n.Column, b.owner[n.Column]
	path, share := b.path[c], b.share[player]
	k, _ := slices.BinarySearch(p.cuts[c], float32(n.Threshold))
	sides := [2]box{{path.from, min(path.to, k)}, {max(path.from, k+1), path.to}}
	for side, child := range []int{n.Left, n.Right} {
		b.path[c] = sides[side]
		b.share[player] = share * float64(nodes[child].Cover) / float64(n.Cover)
		b.walk(child, first, open)
		first += b.below[p.tree][child].leaves
	}
	b.path[c], b.share[player] = path, share
}

// reachable adds a leaf to the intervals that the current path leaves open.
func (b *enumerationBuilder) reachable(leaf int) {
	for c, path := range b.path {
		for k := path.from; k <= path.to; k++ {
			b.within[c][k] |= 1 << leaf
		}
	}
}

// add adds the value of a subtree, with its first leaf, to what a coalition reaches on the current path.
func (b *enumerationBuilder) add(members, leaf int, value float64) {
	for p, share := range b.share {
		if members>>p&1 == 0 {
			value *= share
		}
	}
	if table := b.tableOf(members); table != nil {
		b.mark(table, b.columnsOf(members), value)
		return
	}
	c := &b.coalitions[members]
	c.kept[b.part] |= 1 << leaf
	c.leaves[b.part][leaf] = value
}

// tableOf returns the current part of the coalition's table, or nil if it has none.
func (b *enumerationBuilder) tableOf(members int) []float64 {
	if bits.OnesCount(uint(members)) == 1 {
		return b.alone[bits.TrailingZeros(uint(members))]
	}
	if c := &b.coalitions[members]; c.table != nil {
		return c.table[c.first[b.part]:][:int(b.parts[b.part].size(members))]
	}
	return nil
}

// columnsOf returns the columns of a coalition as the digits of its places, the most significant first.
func (b *enumerationBuilder) columnsOf(members int) (columns []int) {
	for p := len(b.players) - 1; p >= 0; p-- {
		for c, q := range b.owner {
			if p == q && members>>p&1 == 1 {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

// mark adds a value to those places of a table that the current path reaches, as differences, of which integrate makes
// values. columns are the digits of the places.
func (b *enumerationBuilder) mark(table []float64, columns []int, value float64) {
	if len(columns) == 0 {
		table[0] += value
		return
	}
	path, intervals := b.path[columns[0]], b.parts[b.part].intervals(columns[0])
	if path.from > path.to {
		return
	}
	below := len(table) / intervals
	b.mark(table[path.from*below:][:below], columns[1:], value)
	if path.to+1 < intervals {
		b.mark(table[(path.to+1)*below:][:below], columns[1:], -value)
	}
}

// integrate makes values of a table's differences, one digit after the other.
func (b *enumerationBuilder) integrate(table []float64, members int) {
	span := len(table)
	for _, c := range b.columnsOf(members) {
		below := span / b.parts[b.part].intervals(c)
		for start := 0; start < len(table); start += span {
			for i := start + below; i < start+span; i++ {
				table[i] += table[i-below]
			}
		}
		span = below
	}
}

// complete makes the cells of a player.
func (b *enumerationBuilder) complete(p int) {
	b.integrate(b.alone[p], 1<<p)
	cells := b.players[p].cells[b.players[p].first[b.part]:][:len(b.alone[p])]
	for i, v := range b.alone[p] {
		cells[i].value = v
	}
	b.allow(cells, b.columnsOf(1<<p), ^uint64(0))
}

// allow sets the leaves of cells, of which columns are the digits, to those of a set that their intervals leave open.
func (b *enumerationBuilder) allow(cells []cell, columns []int, set uint64) {
	if len(columns) == 0 {
		cells[0].leaves = set
		return
	}
	within := b.within[columns[0]]
	below := len(cells) / len(within)
	for k, leaves := range within {
		b.allow(cells[k*below:][:below], columns[1:], set&leaves)
	}
}
