package shap

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"telegraf-anomaly/forest"
)

// What an enumeration may cost, in time and in memory.
const (
	mostPlayers = 4       // more have too many coalitions
	mostLeaves  = 128     // of a tree, the size of a leafSet
	rowBudget   = 4 << 20 // bytes of all columns' rows
	cellBudget  = 2 << 20 // bytes of all coalitions' cells
)

// newEnumeration prepares the enumeration of a forest, or returns nil when that would cost too much. The base is v of
// nobody.
func newEnumeration(f *forest.Forest, players []int, count int, base float64) *enumeration {
	b := &enumerationBuilder{
		enumeration: &enumeration{trees: f.Trees(), players: count, base: base * float64(f.Trees()), weights: joinWeights(count)},
		player:      players,
		path:        make([]box, len(players)),
		share:       slices.Repeat([]float64{1}, count),
	}
	for t := range f.Trees() {
		nodes := f.Nodes(t)
		b.nodes, b.cuts = append(b.nodes, nodes), append(b.cuts, cutsOf(nodes, f.Columns()))
	}
	if count > mostPlayers || !b.fits() {
		return nil
	}
	b.addColumns()
	b.addCoalitions()
	for t, nodes := range b.nodes {
		b.addTree(t, nodes)
	}
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
	player []int // per column
	nodes  [][]forest.Node
	cuts   [][][]float32 // per tree and column
	tree   int           // the current one
	leaf   int           // number of the next leaf in it
	leaves int           // number of leaves before it
	path   []box         // per column, above the current node
	share  []float64     // per player: its cover share of the current path
}

// A box is a range of intervals, both ends included.
type box struct{ from, to int }

// fits reports whether the numbers of leaves, intervals and rows stay within their bounds.
func (b *enumerationBuilder) fits() bool {
	bytes := 0
	for c := range b.player {
		cuts := 0
		for t := range b.cuts {
			cuts += len(b.cuts[t][c])
		}
		if cuts+b.trees > math.MaxUint16 {
			return false
		}
		bytes += 2 * b.trees * (cuts + 1)
	}
	tooBig := func(nodes []forest.Node) bool { return len(nodes) >= 2*mostLeaves }
	return bytes <= rowBudget && !slices.ContainsFunc(b.nodes, tooBig)
}

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
	var all []cut
	out := column{rows: make([]uint16, b.trees)}
	for t := range b.trees {
		out.rows[t] = uint16(len(out.intervals))
		stride := b.stride(t, c)
		for k, threshold := range b.cuts[t][c] {
			out.intervals = append(out.intervals, interval{cell: uint32(k) * stride})
			all = append(all, cut{threshold, t})
		}
		out.intervals = append(out.intervals, interval{cell: uint32(len(b.cuts[t][c])) * stride})
	}
	slices.SortFunc(all, func(a, b cut) int { return cmp.Compare(a.threshold, b.threshold) })
	for i, a := range all {
		if i == 0 || a.threshold != all[i-1].threshold {
			out.thresholds = append(out.thresholds, a.threshold)
			out.rows = append(out.rows, out.rows[len(out.rows)-b.trees:]...)
		}
		out.rows[len(out.rows)-b.trees+a.tree]++
	}
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
	budget := cellBudget / 8.0
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
	b.addNode(nodes, 0, 0)
	b.leaves += b.leaf
}

func (b *enumerationBuilder) addNode(nodes []forest.Node, i, depth int) {
	n := nodes[i]
	if n.Column < 0 {
		b.addLeaf(float64(depth) + forest.C(n.Samples))
		return
	}
	c, p := n.Column, b.player[n.Column]
	path, share := b.path[c], b.share[p]
	k, _ := slices.BinarySearch(b.cuts[b.tree][c], float32(n.Threshold))
	sides := [2]box{{path.from, min(path.to, k)}, {max(path.from, k+1), path.to}}
	for side, child := range []int{n.Left, n.Right} {
		b.path[c] = sides[side]
		b.share[p] = share * float64(nodes[child].Cover) / float64(n.Cover)
		b.addNode(nodes, child, depth+1)
	}
	b.path[c], b.share[p] = path, share
}

// addLeaf adds the current path's leaf to the intervals and coalitions that reach it.
func (b *enumerationBuilder) addLeaf(value float64) {
	for c, path := range b.path {
		intervals := b.columns[c].intervals[b.columns[c].rows[b.tree]:]
		for k := path.from; k <= path.to; k++ {
			intervals[k].leaves[b.leaf/64] |= 1 << (b.leaf % 64)
		}
	}
	for members := 1; members < len(b.coalitions); members++ {
		c, weight := &b.coalitions[members], value
		for p, share := range b.share {
			if members>>p&1 == 0 {
				weight *= share
			}
		}
		if c.cells == nil {
			c.leaves = append(c.leaves, weight)
		} else {
			b.fill(c.cells[c.firstCell[b.tree]:][:c.sizes[b.tree]], c.columns, weight)
		}
	}
	b.leaf++
}

// fill adds weight to those cells that the current path reaches; columns are the digits of their numbers.
func (b *enumerationBuilder) fill(cells []float64, columns []int, weight float64) {
	path, below := b.path[columns[0]], len(cells)/(len(b.cuts[b.tree][columns[0]])+1)
	for k := path.from; k <= path.to; k++ {
		if below == 1 {
			cells[k] += weight
		} else {
			b.fill(cells[k*below:][:below], columns[1:], weight)
		}
	}
}
