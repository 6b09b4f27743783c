package forest

import "math"

// A node is one step of the walk in 8 bytes, read at once: the threshold's key, the column, and the distance to the left
// child, whose neighbour is the right child. A leaf has distance 0 and a key that nothing exceeds, so that walking on from
// a leaf stays there, and the walk needs no branch.
type node uint64

const leafNode = node(math.MaxUint32) << 32

func newNode(threshold float32, column uint16, left uint16) node {
	return node(key(threshold))<<32 | node(column)<<16 | node(left)
}

func (n node) threshold() float32 { return unkey(uint32(n >> 32)) }
func (n node) column() int        { return int(n >> 16 & math.MaxUint16) }
func (n node) left() int32        { return int32(n & math.MaxUint16) }

// next returns where the walk goes from node n at slot i when the row's column has key x: one slot further when x exceeds
// the threshold, which is when the subtraction borrows.
func (n node) next(i int, x uint32) int {
	return i + int(n&math.MaxUint16) + int((uint64(n>>32)-uint64(x))>>63)
}

// key maps floats to integers of the same order: integers compare without a branch. Both zeros have one key.
func key(v float32) uint32 {
	b := math.Float32bits(v + 0)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func unkey(k uint32) float32 {
	return math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
}

const (
	narrow = 256 // rows up to this width are walked with an array of their keys, whose index needs no check
	lanes  = 10  // trees that are walked side by side
)

// sumNarrow returns the sum of path lengths of a row of at most narrow keys. Ten trees walk side by side: a step waits for
// memory, not for arithmetic, and the steps of different trees do not wait for each other.
func (f *Forest) sumNarrow(row *[narrow]uint32) float64 {
	nodes, sum := f.nodes, 0.0
	step := func(i int) int {
		n := nodes[i]
		return n.next(i, row[n>>16&(narrow-1)])
	}
	for r := f.roots; len(r) >= lanes; r = r[lanes:] {
		a, b, c, d, e := int(r[0]), int(r[1]), int(r[2]), int(r[3]), int(r[4])
		g, h, i, j, k := int(r[5]), int(r[6]), int(r[7]), int(r[8]), int(r[9])
		for range f.depth {
			a, b, c, d, e = step(a), step(b), step(c), step(d), step(e)
			g, h, i, j, k = step(g), step(h), step(i), step(j), step(k)
		}
		sum += f.value(a) + f.value(b) + f.value(c) + f.value(d) + f.value(e)
		sum += f.value(g) + f.value(h) + f.value(i) + f.value(j) + f.value(k)
	}
	return sum
}

// sumWide is sumNarrow for rows of any width, five lanes at a time: the check of the index
// takes the registers of the others.
func (f *Forest) sumWide(row []uint32) float64 {
	nodes, sum := f.nodes, 0.0
	step := func(i int) int {
		n := nodes[i]
		return n.next(i, row[n.column()])
	}
	for r := f.roots; len(r) > lanes/2; r = r[lanes/2:] {
		a, b, c, d, e := int(r[0]), int(r[1]), int(r[2]), int(r[3]), int(r[4])
		for range f.depth {
			a, b, c, d, e = step(a), step(b), step(c), step(d), step(e)
		}
		sum += f.value(a) + f.value(b) + f.value(c) + f.value(d) + f.value(e)
	}
	return sum
}

// value returns the path length of the leaf at slot i.
func (f *Forest) value(i int) float64 { return float64(f.depths[i]) + f.c[f.samples[i]] }
