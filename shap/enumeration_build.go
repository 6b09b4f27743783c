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
	mostPlayers = 5    // more have too many coalitions
	mostColumns = 256  // more take longer to look up than quadrature takes
	mostLeaves  = 128  // of a tree, the size of a leafSet
	mostCells   = 2600 // per tree, of all coalitions together, 8 bytes each
)

// newEnumeration prepares the enumeration of trees, or returns nil when players or columns are too many or a tree is too big.
func newEnumeration(trees [][]forest.Node, players []int, count int) *enumeration {
	tooBig := func(nodes []forest.Node) bool { return len(nodes) >= 2*mostLeaves }
	if count > mostPlayers || len(players) > mostColumns || slices.ContainsFunc(trees, tooBig) {
		return nil
	}
	b := &enumerationBuilder{
		enumeration: &enumeration{trees: len(trees), players: count, weights: joinWeights(count)},
		player:      players,
		path:        make([]box, len(players)),
		share:       slices.Repeat([]float64{1}, count),
	}
	for _, nodes := range trees {
		b.cuts = append(b.cuts, cutsOf(nodes, len(players)))
	}
	b.addColumns()
	b.addCoalitions()
	for t, nodes := range trees {
		b.addTree(t, nodes)
	}
	b.reach = b.newReach()
	return b.enumeration
}

// cutsOf returns the distinct thresholds of a tree for each column, ascending.
func cutsOf(nodes []forest.Node, columns int) [][]float32 {
	cuts := make([][]float32, columns)
	for _, n := range nodes {
		if n.Column >= 0 {
			cuts[n.Column] = append(cuts[n.Column], float32(n.Threshold))
		}
	}
	for c := range cuts {
		slices.Sort(cuts[c])
		cuts[c] = slices.Compact(cuts[c])
	}
	return cuts
}

type enumerationBuilder struct {
	*enumeration
	player []int         // per column
	cuts   [][][]float32 // per tree and column
	tree   int           // the current one
	leaf   int           // number of the next leaf in it
	leaves int           // number of leaves before it
	below  []subtree     // per node of it
	path   []box         // per column, above the current node
	share  []float64     // per player: its cover share of the current path
}

// A subtree has an expected path length and a set of players who split in it.
type subtree struct {
	value   float64
	players int
}

// A box is a range of intervals, both ends included.
type box struct{ from, to int }

func (b *enumerationBuilder) addColumns() {
	for c, p := range b.player {
		column := b.newColumn(c)
		column.player, column.first = p, slices.Index(b.player, p) == c
		b.columns = append(b.columns, column)
	}
}

// newColumn lays out the intervals of a column, tree by tree, and the rows that find them.
func (b *enumerationBuilder) newColumn(c int) column {
	type cut struct {
		threshold float32
		tree      int
	}
	var cuts []cut
	var out column
	row := make([]uint16, b.trees) // of values up to the current threshold
	for t := range b.trees {
		row[t] = uint16(len(out.intervals))
		stride := b.stride(t, c)
		for k := range len(b.cuts[t][c]) + 1 {
			out.intervals = append(out.intervals, interval{cell: uint32(k) * stride})
		}
		for _, threshold := range b.cuts[t][c] {
			cuts = append(cuts, cut{threshold, t})
		}
	}
	slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(a.threshold, b.threshold) })
	out.rows = slices.Grow(out.rows, (len(cuts)+1)*b.trees)
	for i, cut := range cuts {
		if i == 0 || cut.threshold != cuts[i-1].threshold {
			out.thresholds = append(out.thresholds, cut.threshold)
			out.rows = append(out.rows, row...)
		}
		row[cut.tree]++
	}
	out.rows = append(out.rows, row...)
	return out
}

// stride returns how many cells of its player lie between neighbouring intervals of column c in tree t.
func (b *enumerationBuilder) stride(t, c int) uint32 {
	stride := uint32(1)
	for d := c + 1; d < len(b.player); d++ {
		if b.player[d] == b.player[c] {
			stride *= uint32(len(b.cuts[t][d]) + 1)
		}
	}
	return stride
}

// addCoalitions lays out all coalitions, and gives cells to as many as the budget allows, small coalitions first: they
// reach most leaves.
func (b *enumerationBuilder) addCoalitions() {
	b.coalitions = make([]coalition, 1<<b.players)
	budget := float64(mostCells * b.trees)
	for size := 1; size <= b.players; size++ {
		for members := range b.coalitions {
			if bits.OnesCount(uint(members)) == size {
				b.coalitions[members] = b.newCoalition(members, &budget)
			}
		}
	}
}

func (b *enumerationBuilder) newCoalition(members int, budget *float64) coalition {
	lowest := members & -members
	c := coalition{rest: members ^ lowest, lowest: lowest, columns: b.columnsOf(members)}
	total := 0.0
	for t := range b.trees {
		size := 1.0
		for _, column := range c.columns {
			size *= float64(len(b.cuts[t][column]) + 1)
		}
		c.sizes = append(c.sizes, uint32(min(size, math.MaxUint32)))
		c.firstCell = append(c.firstCell, int32(min(total, math.MaxInt32)))
		total += size
	}
	if total <= *budget {
		*budget -= total
		c.cells = make([]float64, int(total))
	}
	return c
}

// columnsOf returns the columns of a coalition as the digits of its cells' numbers, the most significant first.
func (b *enumerationBuilder) columnsOf(members int) []int {
	var columns []int
	for p := b.players - 1; p >= 0; p-- {
		for c, q := range b.player {
			if p == q && members>>p&1 == 1 {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

func (b *enumerationBuilder) addTree(t int, nodes []forest.Node) {
	for c := range b.path {
		b.path[c] = box{0, len(b.cuts[t][c])}
	}
	b.tree, b.leaf = t, 0
	b.firstLeaf = append(b.firstLeaf, int32(b.leaves))
	b.below = slices.Grow(b.below[:0], len(nodes))[:len(nodes)]
	b.base += b.sumUp(nodes, 0, 0).value
	for members := range b.coalitions {
		c := &b.coalitions[members]
		if c.cells == nil {
			c.kept = append(c.kept, leafSet{})
			c.leaves = append(c.leaves, make([]float64, (len(nodes)+1)/2)...)
		}
	}
	b.addNode(nodes, 0, 1<<len(b.coalitions)-2) // all but nobody
	b.leaves += b.leaf
	for _, c := range b.coalitions {
		if c.cells != nil {
			b.integrate(c.cellsOf(t), c.columns)
		}
	}
}

// sumUp sets what is below nodes[i].
func (b *enumerationBuilder) sumUp(nodes []forest.Node, i, depth int) subtree {
	n := nodes[i]
	if n.Column < 0 {
		b.below[i] = subtree{value: float64(depth) + forest.C(n.Samples)}
	} else {
		l, r := b.sumUp(nodes, n.Left, depth+1), b.sumUp(nodes, n.Right, depth+1)
		share := float64(nodes[n.Left].Cover) / float64(n.Cover)
		b.below[i] = subtree{
			value:   r.value + float64(share*(l.value-r.value)),
			players: l.players | r.players | 1<<b.player[n.Column],
		}
	}
	return b.below[i]
}

// addNode adds the subtree of nodes[i] to the coalitions whose bits are set in open. One that has no split in the subtree
// takes it for a leaf.
func (b *enumerationBuilder) addNode(nodes []forest.Node, i int, open uint64) {
	for left := open; left != 0; left &= left - 1 {
		if members := bits.TrailingZeros64(left); b.below[i].players&members == 0 {
			b.addTo(members, b.below[i].value)
			open ^= 1 << members
		}
	}
	n := nodes[i]
	if n.Column < 0 {
		b.addLeaf()
		return
	}
	c, p := n.Column, b.player[n.Column]
	path, share := b.path[c], b.share[p]
	k, _ := slices.BinarySearch(b.cuts[b.tree][c], float32(n.Threshold))
	sides := [2]box{{path.from, min(path.to, k)}, {max(path.from, k+1), path.to}}
	for side, child := range []int{n.Left, n.Right} {
		b.path[c] = sides[side]
		b.share[p] = share * float64(nodes[child].Cover) / float64(n.Cover)
		b.addNode(nodes, child, open)
	}
	b.path[c], b.share[p] = path, share
}

// addLeaf adds the next leaf to the intervals that the current path leaves open.
func (b *enumerationBuilder) addLeaf() {
	for c, path := range b.path {
		intervals := b.columns[c].intervals[b.columns[c].rows[b.tree]:]
		for k := path.from; k <= path.to; k++ {
			intervals[k].leaves.add(b.leaf)
		}
	}
	b.leaf++
}

// addTo adds the value of a subtree, the next leaf being its first, to what a coalition reaches on the current path.
func (b *enumerationBuilder) addTo(members int, value float64) {
	for p, share := range b.share {
		if members>>p&1 == 0 {
			value *= share
		}
	}
	c := &b.coalitions[members]
	if c.cells != nil {
		b.mark(c.cellsOf(b.tree), c.columns, value)
		return
	}
	c.kept[b.tree].add(b.leaf)
	c.leaves[b.leaves+b.leaf] = value
}

// mark adds a value to those cells that the current path reaches, as differences, of which integrate makes values. columns
// are the digits of the cells' numbers.
func (b *enumerationBuilder) mark(cells []float64, columns []int, value float64) {
	if len(columns) == 0 {
		cells[0] += value
		return
	}
	path, intervals := b.path[columns[0]], len(b.cuts[b.tree][columns[0]])+1
	if path.from > path.to {
		return
	}
	below := len(cells) / intervals
	b.mark(cells[path.from*below:][:below], columns[1:], value)
	if path.to+1 < intervals {
		b.mark(cells[(path.to+1)*below:][:below], columns[1:], -value)
	}
}

// integrate makes values of a tree's differences, one digit after the other.
func (b *enumerationBuilder) integrate(cells []float64, columns []int) {
	span := len(cells)
	for _, c := range columns {
		below := span / (len(b.cuts[b.tree][c]) + 1)
		for start := 0; start < len(cells); start += span {
			for i := start + below; i < start+span; i++ {
				cells[i] += cells[i-below]
			}
		}
		span = below
	}
}
