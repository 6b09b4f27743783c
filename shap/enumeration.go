package shap

import "math/bits"

// enumeration explains few players: it computes v of every coalition, which is what the definition asks for.
//
// A coalition reaches a leaf unless one of its members fails a split above it, and there the leaf has its value times the
// cover shares of the splits of all others: v is a sum over the leaves it reaches. Which leaves those are is a matter of
// bits. Between two neighbouring thresholds of a column the reachable leaves of a tree do not change; a column's row of
// sets is found with one search among the thresholds of all trees, a player's set is the intersection over its
// columns, a coalition's that over its members.
//
// The more members, the fewer leaves are left. For small coalitions the sum itself is a table, with one cell for each
// combination of intervals, as far as mostCells allows.
type enumeration struct {
	trees, players int
	columns        []column
	firstLeaf      []int32     // per tree
	weights        []float64   // see joinWeights
	coalitions     []coalition // by the bits of their members; the first, nobody, is not used
	base           float64     // v of nobody, summed over trees
	reach          []reach     // scratch: what the current row makes of each coalition
}

// A column finds, for a value, its interval in every tree.
type column struct {
	player     int
	first      bool      // of its player's columns
	thresholds []float32 // of all trees, ascending, distinct
	rows       []uint16  // (thresholds+1) × trees: the interval in each tree, as a number in intervals
	intervals  []interval
}

// An interval lies between two neighbouring thresholds of a column in a tree.
type interval struct {
	leaves leafSet
	cell   uint32 // its position among the tree's intervals of this column, times the stride in the player's cells
}

// A leafSet holds leaves of one tree by their number, 0 to 63 and 64 to 127.
type leafSet struct{ low, high uint64 }

func (s *leafSet) add(leaf int) {
	if leaf < 64 {
		s.low |= 1 << leaf
	} else {
		s.high |= 1 << (leaf - 64)
	}
}

func (s leafSet) and(t leafSet) leafSet { return leafSet{s.low & t.low, s.high & t.high} }

// A coalition has the means to compute its v: either cells of ready sums, or leaves to add up.
type coalition struct {
	rest, lowest int       // the members but the first, and the first: two smaller coalitions
	cells        []float64 // per tree and cell: v
	firstCell    []int32   // per tree
	columns      []int     // the digits of its cells' numbers, the most significant first
	sizes        []uint32  // per tree: number of cells
	kept         []leafSet // per tree: the leaves that count; others go with one of them, wherever the row goes
	leaves       []float64 // per leaf: what it, and those that go with it, add to v when reached
}

func (c *coalition) cellsOf(tree int) []float64 { return c.cells[c.firstCell[tree]:][:c.sizes[tree]] }

// reach is what a row makes of a coalition in each tree.
type reach struct {
	leaves []leafSet
	cells  []uint32
}

func (e *enumeration) newReach() []reach {
	out := make([]reach, len(e.coalitions))
	for i := range out {
		out[i] = reach{leaves: make([]leafSet, e.trees), cells: make([]uint32, e.trees)}
	}
	return out
}

func (e *enumeration) clone() method {
	c := *e
	c.reach = e.newReach()
	return &c
}

// explain adds the values of all trees to phi.
func (e *enumeration) explain(phi []float64, row []float32) {
	for c := range e.columns {
		e.columns[c].restrict(row[c], &e.reach[1<<e.columns[c].player])
	}
	var v [1 << mostPlayers]float64
	v[0] = e.base
	for members := 1; members < len(e.reach); members++ {
		c, r := &e.coalitions[members], &e.reach[members]
		if c.rest != 0 {
			r.join(&e.reach[c.rest], &e.reach[c.lowest], e.coalitions[c.lowest].sizes)
		}
		v[members] = c.value(r, e.firstLeaf)
	}
	shapley(phi, v[:len(e.reach)], e.weights)
}

// restrict intersects the reach of the column's player with the intervals that x falls in.
func (c *column) restrict(x float32, r *reach) {
	trees := len(r.leaves)
	row := c.rows[rank(c.thresholds, x)*trees:][:trees]
	leaves, cells := r.leaves[:len(row)], r.cells[:len(row)]
	if c.first {
		for t, i := range row {
			leaves[t], cells[t] = c.intervals[i].leaves, c.intervals[i].cell
		}
		return
	}
	for t, i := range row {
		in := &c.intervals[i]
		leaves[t], cells[t] = leaves[t].and(in.leaves), cells[t]+in.cell
	}
}

// rank returns how many of the ascending thresholds x exceeds.
func rank(thresholds []float32, x float32) int {
	low := 0
	for n := len(thresholds); n > 0; {
		half := (n + 1) / 2
		if x > thresholds[low+half-1] {
			low += half
		}
		n -= half
	}
	return low
}

// join sets r to the reach of two coalitions together, the second of which has the given numbers of cells.
func (r *reach) join(a, b *reach, sizes []uint32) {
	n := len(sizes)
	leaves, aLeaves, bLeaves := r.leaves[:n], a.leaves[:n], b.leaves[:n]
	cells, aCells, bCells := r.cells[:n], a.cells[:n], b.cells[:n]
	for t, size := range sizes {
		leaves[t] = aLeaves[t].and(bLeaves[t])
		cells[t] = aCells[t]*size + bCells[t]
	}
}

// value returns v of the coalition, summed over trees.
func (c *coalition) value(r *reach, firstLeaf []int32) float64 {
	sum := 0.0
	if c.cells != nil {
		for t, cell := range r.cells {
			sum += c.cells[c.firstCell[t]+int32(cell)]
		}
		return sum
	}
	for t, kept := range c.kept {
		set, leaves := r.leaves[t].and(kept), c.leaves[firstLeaf[t]:]
		for low := set.low; low != 0; low &= low - 1 {
			sum += leaves[bits.TrailingZeros64(low)]
		}
		for high := set.high; high != 0; high &= high - 1 {
			sum += leaves[64+bits.TrailingZeros64(high)]
		}
	}
	return sum
}

// shapley adds to phi the values of the game v, which is numbered by the bits of the coalitions' members.
func shapley(phi, v, weights []float64) {
	for p := range phi {
		for members := range v {
			if with := members | 1<<p; with != members {
				phi[p] += float64(weights[bits.OnesCount(uint(members))] * (v[with] - v[members]))
			}
		}
	}
}

// joinWeights returns, for k members, the share of orders of n players in which these k come first and a given other
// player next: k!(n−k−1)!/n!.
func joinWeights(n int) []float64 {
	weights := make([]float64, n)
	weights[0] = 1 / float64(n)
	for k := 1; k < n; k++ {
		weights[k] = weights[k-1] * float64(k) / float64(n-k)
	}
	return weights
}
