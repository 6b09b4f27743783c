package shap

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
	scratch
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
	ratio  []vector // per split of all trees: E; and last the E of any split whose player's path the row has left
}

// scratch holds what the current row makes of the trees. All but t serve one tree after the other.
type scratch struct {
	sides []uint8  // per split + 1, see below
	g     []vector // per node: G(t)
	t     []vector // per node of all trees: T(t); those of leaves stay
}

// The side of a split is 0 or 1, the child that the row goes to; or 2 or 3, when the row has failed a split above of the
// same player. sides[0] stands for no split above: whatever is below it is on its side 0.
const failed = 2

func (q *quadrature) clone() method {
	c := *q
	c.scratch = q.newScratch()
	return &c
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

// explain adds the values of all trees to phi.
func (q *quadrature) explain(phi []float64, row []float32) {
	for p := range q.passes {
		pass := &q.passes[p]
		for i := range q.trees {
			q.g[0] = pass.weight
			q.down(pass, &q.trees[i], row)
			q.up(pass, &q.trees[i], phi)
		}
	}
}

// down sets sides and G of a tree.
func (q *quadrature) down(p *pass, t *tree, row []float32) {
	splits, ratio, lostRatio := q.splits[t.splits:t.splitsEnd], p.ratio[t.splits:], len(q.splits)-t.splits
	g, sides := q.g, q.sides
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
func (q *quadrature) up(p *pass, tree *tree, phi []float64) {
	splits, ratio, lostRatio := q.splits[tree.splits:tree.splitsEnd], p.ratio[tree.splits:], len(q.splits)-tree.splits
	g, t, sides := q.g, q.t[tree.nodes:tree.nodesEnd], q.sides
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
