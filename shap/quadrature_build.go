package shap

import "telegraf-anomaly/forest"

func newQuadrature(trees [][]forest.Node, players []int) *quadrature {
	b := &quadratureBuilder{players: players, last: make([]step, len(players))}
	for p := range b.last {
		b.last[p].share = 1
	}
	for _, nodes := range trees {
		b.tree = tree{splits: len(b.splits), nodes: len(b.leaves)}
		b.leaves = append(b.leaves, 0)
		b.add(nodes, 0, 0, 0, 0)
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
	b.scratch = b.newScratch()
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
