package shap

import "telegraf-anomaly/forest"

// lanes is the number of quadrature points that one pass over the forest carries.
const lanes = 4

type vector = [lanes]float64

// quadrature explains any number of players by integration.
//
// For one leaf of value v, let player k of its path keep the share z of training cover along its splits, and let o be 1
// when the row satisfies them all and 0 when not. The leaf is reached by coalition S with weight Π_{k∈S} o_k Π_{k∉S} z_k.
// Replace "k joins S" by "k joins with probability t": the expected weight is Π_k F_k(t) with F_k(t) = z_k + t(o_k − z_k),
// and Shapley values are the integral over t in [0,1] of its derivative in direction k (Owen's multilinear extension,
// "Multilinear extensions of games", Management Science 18, 1972):
//
//	φ_j = Σ_leaves v ∫ (o_j − z_j) Π_{k≠j} F_k(t) dt
//
// With at most D players on a path the integrand is a polynomial of degree D−1, so that ⌈D/2⌉ points of Gauss-Legendre
// are exact. Four points do for D = 8, the depth of a forest with ψ = 256; deeper ones take several passes.
//
// A pass needs no leaf alone. Going down, G(t) is the product of the F_k so far; going up, T(t) is the expected value
// below a node when everybody above has joined or not. At a split of player j, whose F so far is F, the row goes to the
// hot child and away from the cold one, whose cover share along j's splits is z. Then with e = z (1−t)/F
//
//	G_hot = (1−e) G, G_cold = e G, T = (1−e) T_hot + e T_cold, φ_j += ∫ G z/F² (T_hot − T_cold) dt
//
// and once the row has left the path of j, e is the plain cover share of the cold child, and φ_j gets nothing.
// Both cases need one number per split and point, E = (1−t)/F or 1, when G starts at the rule's weight over (1−t)²:
// then e = z E and the integrand is G e E (T_hot − T_cold).
type quadrature struct {
	trees  []tree
	splits []split
	leaves []float64 // per node: its value if it is a leaf
	passes []pass
}

// A tree is a segment of splits and of nodes. Its nodes are numbered from its root, siblings side by side; its splits are
// in preorder.
type tree struct{ splits, splitsEnd, nodes, nodesEnd int }

// A split is an inner node. Node and split numbers are those in its tree.
type split struct {
	threshold  float32
	column     uint16
	player     uint16
	node, left uint16     // the right child is left+1
	above      uint16     // 1 + the next split above by the same player, or 0
	side       uint8      // which child of that split this one is below: 0 left, 1 right
	share      [4]float64 // of cover: the children's along the player's splits, then in this split alone
}

// A pass holds four points of the rule and what depends on them.
type pass struct {
	weight vector   // of the rule, over (1−t)²
	ratio  []vector // per split of the forest: E; and last the E of any split whose player's path the row has left
}

// scratch holds what one explanation needs. All but t serve one tree after the other.
type scratch struct {
	sides []uint8  // per split + 1, see below
	g     []vector // per node: G(t)
	t     []vector // per node of the forest: T(t); those of leaves stay
}

// The side of a split is 0 or 1, the child that the row goes to; or 2 or 3, when the row has failed a split above of the
// same player. sides[0] stands for no split above: whatever is below it is on its side 0.
const failed = 2

func newQuadrature(f *forest.Forest, players []int) *quadrature {
	b := &quadratureBuilder{players: players, last: make([]step, f.Columns())}
	for p := range b.last {
		b.last[p].share = 1
	}
	for t := range f.Trees() {
		b.tree = tree{splits: len(b.splits), nodes: len(b.leaves)}
		b.leaves = append(b.leaves, 0)
		b.add(f.Nodes(t), 0, 0, 0, 0)
		b.tree.splitsEnd, b.tree.nodesEnd = len(b.splits), len(b.leaves)
		b.trees = append(b.trees, b.tree)
	}
	points := lanes
	for points*2 < b.depth {
		points += lanes
	}
	nodes, weights := legendre(points)
	for i := 0; i < points; i += lanes {
		b.passes = append(b.passes, b.newPass(vector(nodes[i:]), vector(weights[i:])))
	}
	return &b.quadrature
}

type quadratureBuilder struct {
	quadrature
	tree    tree // the current one
	players []int
	last    []step // per player: where it was met last on the current path
	depth   int    // most players on a path
}

// A step is one side of a split, and the cover share along all splits of its player that lead there.
type step struct {
	above uint16 // 1 + the split, or 0
	side  uint8
	share float64
}

// add lays out the subtree at nodes[i].
func (b *quadratureBuilder) add(nodes []forest.Node, i, slot, depth, distinct int) {
	n := nodes[i]
	if n.Column < 0 {
		b.depth = max(b.depth, distinct)
		b.leaves[b.tree.nodes+slot] = float64(depth) + forest.C(n.Samples)
		return
	}
	p := b.players[n.Column]
	last := b.last[p]
	if last.above == 0 {
		distinct++
	}
	at, left := len(b.splits), len(b.leaves)-b.tree.nodes
	b.leaves = append(b.leaves, 0, 0)
	b.splits = append(b.splits, split{
		threshold: float32(n.Threshold), column: uint16(n.Column), player: uint16(p),
		node: uint16(slot), left: uint16(left), above: last.above, side: last.side,
	})
	for k, child := range []int{n.Left, n.Right} {
		fraction := float64(nodes[child].Cover) / float64(n.Cover)
		b.splits[at].share[k], b.splits[at].share[2+k] = last.share*fraction, fraction
		b.last[p] = step{above: uint16(at - b.tree.splits + 1), side: uint8(k), share: last.share * fraction}
		b.add(nodes, child, left+k, depth+1, distinct)
	}
	b.last[p] = last
}

func (b *quadratureBuilder) newPass(nodes, weights vector) pass {
	p := pass{ratio: make([]vector, len(b.splits)+1)}
	for k, t := range nodes {
		p.weight[k] = weights[k] / ((1 - t) * (1 - t))
		p.ratio[len(b.splits)][k] = 1
	}
	for _, tree := range b.trees {
		splits := b.splits[tree.splits:tree.splitsEnd]
		for i, s := range splits {
			z := 1.0
			if s.above > 0 {
				z = splits[s.above-1].share[s.side]
			}
			for k, t := range nodes {
				p.ratio[tree.splits+i][k] = (1 - t) / (z + float64(t*(1-z)))
			}
		}
	}
	return p
}

func (q *quadrature) newScratch() scratch {
	largest := 0
	for _, t := range q.trees {
		largest = max(largest, t.nodesEnd-t.nodes)
	}
	s := scratch{sides: make([]uint8, largest/2+1), g: make([]vector, largest), t: make([]vector, len(q.leaves))}
	for i, v := range q.leaves {
		s.t[i] = vector{v, v, v, v}
	}
	return s
}

// explain sets phi to the sums over trees.
func (q *quadrature) explain(phi []float64, row []float32, s *scratch) {
	clear(phi)
	for p := range q.passes {
		pass := &q.passes[p]
		for i := range q.trees {
			s.g[0] = pass.weight
			q.down(pass, &q.trees[i], row, s)
			q.up(pass, &q.trees[i], phi, s)
		}
	}
}

// down sets sides and G of a tree.
func (q *quadrature) down(p *pass, t *tree, row []float32, s *scratch) {
	splits, ratio, lostRatio := q.splits[t.splits:t.splitsEnd], p.ratio[t.splits:], len(q.splits)-t.splits
	g, sides := s.g, s.sides
	for i := range splits {
		n := &splits[i]
		hot, lost, at := 0, 0, i
		if row[n.column] > n.threshold {
			hot = 1
		}
		if sides[n.above] != n.side {
			lost, at = failed, lostRatio
		}
		sides[i+1] = uint8(hot + lost)
		z, e, v := n.share[(lost+(hot^1))&3], &ratio[at], &g[n.node]
		c0, c1, c2, c3 := z*e[0]*v[0], z*e[1]*v[1], z*e[2]*v[2], z*e[3]*v[3]
		h0, h1, h2, h3 := v[0]-c0, v[1]-c1, v[2]-c2, v[3]-c3
		g[int(n.left)+hot] = vector{h0, h1, h2, h3}
		g[int(n.left)+(hot^1)] = vector{c0, c1, c2, c3}
	}
}

// up sets T of a tree and adds to phi.
func (q *quadrature) up(p *pass, tree *tree, phi []float64, s *scratch) {
	splits, ratio, lostRatio := q.splits[tree.splits:tree.splitsEnd], p.ratio[tree.splits:], len(q.splits)-tree.splits
	g, t, sides := s.g, s.t[tree.nodes:tree.nodesEnd], s.sides
	for i := len(splits) - 1; i >= 0; i-- {
		n, side, at := &splits[i], int(sides[i+1]), i
		if side >= failed {
			at = lostRatio
		}
		hot, cold := &t[int(n.left)+(side&1)], &t[int(n.left)+(side&1^1)]
		z, e, v := n.share[(side^1)&3], &ratio[at], &g[n.node]
		d0, d1, d2, d3 := z*e[0]*(hot[0]-cold[0]), z*e[1]*(hot[1]-cold[1]), z*e[2]*(hot[2]-cold[2]), z*e[3]*(hot[3]-cold[3])
		t[n.node] = vector{hot[0] - d0, hot[1] - d1, hot[2] - d2, hot[3] - d3}
		sum := float64(d0*e[0]*v[0]) + float64(d1*e[1]*v[1]) + float64(d2*e[2]*v[2]) + float64(d3*e[3]*v[3])
		phi[n.player] += float64(sum * onPath[side>>1&1])
	}
}

// onPath is the factor of a split's part in φ: nothing, once the row has failed a split above.
var onPath = [2]float64{1, 0}
