package shap

import "math/bits"

// enumeration explains few players: it computes v of every coalition, which is what the definition asks for.
//
// A coalition reaches a leaf unless one of its members fails a split above it, and there the leaf has its value times the
// cover shares of the splits of all others: v is a sum over the leaves it reaches. So trees can be cut into parts, of up to
// partLeaves neighbouring leaves with the splits above them, each a small game of its own.
//
// Between two neighbouring thresholds of a column nothing changes in a part. A player with several columns has a cell for
// each combination of such intervals, with v of this player alone and the leaves that it reaches. A row's cells are found
// with one search per column, among the thresholds of all parts. What several players reach together is the intersection;
// v of them is a table again, as far as mostCells allows, or the sum of the leaves' values.
type enumeration struct {
	columns    []column
	players    []player
	coalitions []coalition // by the bits of their members; there is nothing in those of fewer than two
	weights    []float64   // see joinWeights
	base       float64     // v of nobody, summed over trees

	// Scratch: what the current row makes of the parts.
	ranks  []int      // per column
	places [][]uint64 // per player, the places in several parts to a number
	reach  []reach    // by the bits of the members
}

// abreast is how many parts are worked on at once. Their number is a multiple of it.
const abreast = 4

// partLeaves is how many leaves a part has, at most: a set of them is a word.
const partLeaves = 64

// A column finds, for a value, its interval in every part.
type column struct {
	player     int
	thresholds []float32 // of all parts, ascending, distinct
	rows       []uint64  // (thresholds+1) × parts/abreast: what the interval adds to the player's place in each part
}

// A player by itself: for each part, a cell for each place that a row can have there.
type player struct {
	first []uint32 // per part
	cells []cell
}

type cell struct {
	value  float64 // v of the player alone
	leaves uint64  // that it reaches
}

// A coalition of at least two has the means to compute its v: either a table, or leaves to add up.
type coalition struct {
	rest, lowest int       // the members but the first, and the first: two smaller coalitions
	sizes        []uint32  // per part: the first member's number of places
	table        []float64 // v, by part and place
	first        []uint32  // per part: where its places begin in the table
	kept         []uint64  // per part: the leaves that count; others go with one of them, wherever the row goes
	leaves       []values  // per part: what each leaf, and those that go with it, add to v when reached
	everyone     bool      // reaches a single leaf of a tree
}

// values has one per leaf, and one for none, which is 0.
type values [partLeaves + 1]float64

// reach is what a row makes of a coalition in each part.
type reach struct {
	leaves []uint64
	places []uint32 // of a player, or in a table
}

func (e *enumeration) clone() method {
	c := *e
	c.scratch(len(e.players[0].first))
	return &c
}

func (e *enumeration) scratch(parts int) {
	e.ranks, e.places = make([]int, len(e.columns)), make([][]uint64, len(e.players))
	for p := range e.places {
		e.places[p] = make([]uint64, parts/abreast)
	}
	e.reach = make([]reach, 1<<len(e.players))
	for i := range e.reach {
		e.reach[i] = reach{leaves: make([]uint64, parts), places: make([]uint32, parts)}
	}
}

// explain adds the values of all trees to phi.
func (e *enumeration) explain(phi []float64, row []float32) {
	for p := range e.places {
		clear(e.places[p])
	}
	for c := range e.columns { // all first: searches wait for memory, and do so side by side
		e.ranks[c] = rank(e.columns[c].thresholds, row[c])
	}
	for c := range e.columns {
		e.columns[c].move(e.places[e.columns[c].player], e.ranks[c])
	}
	var v [1 << mostPlayers]float64
	v[0] = e.base
	for p := range e.players {
		v[1<<p] = e.players[p].value(e.places[p], &e.reach[1<<p])
	}
	for members := range e.coalitions {
		if c := &e.coalitions[members]; c.rest != 0 {
			v[members] = c.value(&e.reach[members], &e.reach[c.rest], &e.reach[c.lowest])
		}
	}
	shapley(phi, v[:len(e.coalitions)], e.weights)
}

// move adds the interval that x falls in to the places of the column's player. No place is as big as 1<<16, so that a sum
// does not run from one part into the next.
func (c *column) move(places []uint64, rank int) {
	row := c.rows[rank*len(places):][:len(places)]
	for i, four := range row {
		places[i] += four
	}
}

// rank returns how many of the ascending thresholds x exceeds. Whether it does is as good as random each time: there is no
// branch to guess.
func rank(thresholds []float32, x float32) int {
	low := 0
	for n := len(thresholds); n > 0; {
		half := (n + 1) / 2
		low += half & -toInt(x > thresholds[low+half-1])
		n -= half
	}
	return low
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// value returns v of the player alone, summed over parts, and sets what it reaches.
func (p *player) value(places []uint64, r *reach) (sum float64) {
	for i, four := range places {
		first, leaves, to := p.first[abreast*i:][:abreast], r.leaves[abreast*i:][:abreast], r.places[abreast*i:][:abreast]
		to[0], to[1], to[2], to[3] = uint32(uint16(four)), uint32(uint16(four>>16)), uint32(uint16(four>>32)), uint32(four>>48)
		a, b, c, d := &p.cells[first[0]+to[0]], &p.cells[first[1]+to[1]], &p.cells[first[2]+to[2]], &p.cells[first[3]+to[3]]
		leaves[0], leaves[1], leaves[2], leaves[3] = a.leaves, b.leaves, c.leaves, d.leaves
		sum += (a.value + b.value) + (c.value + d.value)
	}
	return sum
}

// value returns v of the coalition, summed over parts, and sets what it reaches: what both of its own do.
func (c *coalition) value(r, rest, lowest *reach) (sum float64) {
	leaves, a, b := r.leaves, rest.leaves[:len(r.leaves)], lowest.leaves[:len(r.leaves)]
	for t := range leaves {
		leaves[t] = a[t] & b[t]
	}
	if c.table != nil {
		return c.lookUp(r.places, rest.places, lowest.places)
	}
	if c.everyone {
		for t, set := range leaves {
			sum += c.leaves[t][bits.TrailingZeros64(set)]
		}
		return sum
	}
	for t, kept := range c.kept {
		sum += c.leaves[t].of(leaves[t] & kept)
	}
	return sum
}

// lookUp finds v in the table.
func (c *coalition) lookUp(places, rest, lowest []uint32) (sum float64) {
	for t, size := range c.sizes {
		places[t] = rest[t]*size + lowest[t]
		sum += c.table[c.first[t]+places[t]]
	}
	return sum
}

// of returns the sum over a set of leaves. Few sets have more than eight; to find out how many there are would cost more
// than to add nothing.
func (v *values) of(set uint64) float64 {
	sum, set := v.four(0, set)
	sum, set = v.four(sum, set)
	for set != 0 {
		sum, set = v.four(sum, set)
	}
	return sum
}

// four adds the next four leaves of a set, or as many as it has, and returns the others.
func (v *values) four(sum float64, set uint64) (float64, uint64) {
	sum += v[bits.TrailingZeros64(set)]
	set &= set - 1
	sum += v[bits.TrailingZeros64(set)]
	set &= set - 1
	sum += v[bits.TrailingZeros64(set)]
	set &= set - 1
	sum += v[bits.TrailingZeros64(set)]
	return sum, set & (set - 1)
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
