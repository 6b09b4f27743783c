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
// hot child and away from the cold one, whose cover share along j's splits is z. Then with r = 1 − (1−t) z/F
//
//	G_hot = r G, G_cold = (1−r) G, T = r T_hot + (1−r) T_cold, φ_j += ∫ G z/F² (T_hot − T_cold) dt
//
// and once the row has left the path of j, r is the plain cover share of the hot child, and φ_j gets nothing.
type quadrature struct {
	splits []split
	leaves []float64 // per node: its value if it is a leaf
	passes []pass
	roots  []int32
}

// A split is an inner node. Nodes are numbered with siblings side by side; splits are in preorder.
type split struct {
	node, left int32 // node numbers; the right child is left+1
	above      int32 // the next split above by the same player, or -1
	side       int32 // the side of that split's children this one is below: 0 left, 1 right
	column     uint16
	player     int32
	threshold  float32
	share      [2]float64 // cover share of each child along the player's splits
	fraction   [2]float64 // cover share of each child in this split alone
}

// A pass holds four points of the rule and what depends on them.
type pass struct {
	weight  vector
	rest    vector   // 1−t
	inverse []vector // per split: 1/F(t); a last one, 1/(1−t), serves splits whose player the row has left
}

type scratch struct {
	hot  []int32  // per split: the side the row goes to
	live []bool   // per split: the row satisfies all splits above of the same player
	g    []vector // per node: G(t)
	t    []vector // per node: T(t)
	r, c []vector // per split: r, and the factor of T_hot − T_cold in φ
}

func newQuadrature(f *forest.Forest, players []int) (quadrature, float64) {
	b := &quadratureBuilder{players: players, last: make([]int32, len(players)), side: make([]int32, len(players)), share: make([]float64, len(players))}
	base := 0.0
	for p := range players {
		b.last[p], b.share[p] = -1, 1
	}
	for t := range f.Trees() {
		nodes := f.Nodes(t)
		root := int32(len(b.leaves))
		b.leaves = append(b.leaves, 0)
		b.roots = append(b.roots, root)
		base += b.add(nodes, 0, root, 0, 0)
	}
	points := lanes
	for points*2 < b.depth {
		points += lanes
	}
	nodes, weights := legendre(points)
	for i := 0; i < points; i += lanes {
		b.passes = append(b.passes, b.newPass(vector(nodes[i:]), vector(weights[i:])))
	}
	return b.quadrature, base / float64(f.Trees())
}

type quadratureBuilder struct {
	quadrature
	players []int
	depth   int       // most players on a path
	last    []int32   // per player: its last split on the current path, or -1
	side    []int32   // per player: the side taken there
	share   []float64 // per player: cover share along its splits on the current path
}

// add lays out the subtree at nodes[i] and returns the expected path length below it.
func (b *quadratureBuilder) add(nodes []forest.Node, i int, slot int32, depth, distinct int) float64 {
	n := nodes[i]
	if n.Column < 0 {
		b.depth = max(b.depth, distinct)
		b.leaves[slot] = float64(depth) + forest.C(n.Samples)
		return b.leaves[slot]
	}
	p := b.players[n.Column]
	last, side, share := b.last[p], b.side[p], b.share[p]
	if last < 0 {
		distinct++
	}
	left := int32(len(b.leaves))
	b.leaves = append(b.leaves, 0, 0)
	s := split{node: slot, left: left, above: last, side: side, column: uint16(n.Column), player: int32(p), threshold: float32(n.Threshold)}
	expected := 0.0
	at := int32(len(b.splits))
	b.splits = append(b.splits, s)
	for k, child := range []int{n.Left, n.Right} {
		s.fraction[k] = float64(nodes[child].Cover) / float64(n.Cover)
		s.share[k] = share * s.fraction[k]
		b.last[p], b.side[p], b.share[p] = at, int32(k), s.share[k]
		expected += float64(s.fraction[k] * b.add(nodes, child, left+int32(k), depth+1, distinct))
	}
	b.last[p], b.side[p], b.share[p] = last, side, share
	b.splits[at] = s
	return expected
}

func (b *quadratureBuilder) newPass(nodes, weights vector) pass {
	p := pass{weight: weights, inverse: make([]vector, len(b.splits)+1)}
	for q, t := range nodes {
		p.rest[q] = 1 - t
		p.inverse[len(b.splits)][q] = 1 / p.rest[q]
		for i, s := range b.splits {
			z := 1.0
			if s.above >= 0 {
				z = b.splits[s.above].share[s.side]
			}
			p.inverse[i][q] = 1 / (z + float64(t*(1-z)))
		}
	}
	return p
}

func (q *quadrature) newScratch() scratch {
	s := scratch{
		hot:  make([]int32, len(q.splits)),
		live: make([]bool, len(q.splits)),
		g:    make([]vector, len(q.leaves)),
		t:    make([]vector, len(q.leaves)),
		r:    make([]vector, len(q.splits)),
		c:    make([]vector, len(q.splits)),
	}
	for i, v := range q.leaves {
		s.t[i] = vector{v, v, v, v}
	}
	return s
}

// explain sets phi to the sums over trees.
func (q *quadrature) explain(phi []float64, row []float32, s *scratch) {
	clear(phi)
	q.route(row, s)
	for i := range q.passes {
		q.down(&q.passes[i], s)
		q.up(phi, s)
	}
}

func (q *quadrature) route(row []float32, s *scratch) {
	for i := range q.splits {
		n := &q.splits[i]
		s.hot[i] = 0
		if row[n.column] > n.threshold {
			s.hot[i] = 1
		}
		s.live[i] = n.above < 0 || s.live[n.above] && s.hot[n.above] == n.side
	}
}

func (q *quadrature) down(p *pass, s *scratch) {
	for _, root := range q.roots {
		s.g[root] = p.weight
	}
	for i := range q.splits {
		n := &q.splits[i]
		hot := s.hot[i]
		z, inverse, factor := n.share[1-hot], &p.inverse[i], 1.0
		if !s.live[i] {
			z, inverse, factor = n.fraction[1-hot], &p.inverse[len(q.splits)], 0
		}
		g, r, c := &s.g[n.node], &s.r[i], &s.c[i]
		gHot, gCold := &s.g[n.left+hot], &s.g[n.left+1-hot]
		for k := range lanes {
			d := z * inverse[k]
			r[k] = 1 - float64(p.rest[k]*d)
			c[k] = factor * d * inverse[k] * g[k]
			gHot[k] = r[k] * g[k]
			gCold[k] = g[k] - gHot[k]
		}
	}
}

func (q *quadrature) up(phi []float64, s *scratch) {
	for i := len(q.splits) - 1; i >= 0; i-- {
		n := &q.splits[i]
		hot := s.hot[i]
		tHot, tCold, t := &s.t[n.left+hot], &s.t[n.left+1-hot], &s.t[n.node]
		sum := 0.0
		for k := range lanes {
			difference := tHot[k] - tCold[k]
			t[k] = tCold[k] + float64(s.r[i][k]*difference)
			sum += float64(s.c[i][k] * difference)
		}
		phi[n.player] += sum
	}
}
