package shap

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

func treesOf(f *forest.Forest) [][]forest.Node {
	trees := make([][]forest.Node, f.Trees())
	for t := range trees {
		trees[t] = f.Nodes(t)
	}
	return trees
}

func groups(players, columnsEach int) []int {
	out := make([]int, players*columnsEach)
	for c := range out {
		out[c] = c / columnsEach
	}
	return out
}

func round32(x []float64) []float32 {
	out := make([]float32, len(x))
	for c, v := range x {
		out[c] = float32(v)
	}
	return out
}

// The two methods have nothing in common but the definition.
func TestEnumerationEqualsQuadrature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 12, 8)
		players := foresttest.Players(t, f.Columns(), mostPlayers)
		count, err := countPlayers(players, f.Columns())
		require.NoError(t, err)
		trees := treesOf(f)
		enumeration, quadrature := newEnumeration(trees, players, count), newQuadrature(trees, players)
		if enumeration == nil {
			t.Skip("a tree of more than 128 leaves")
		}
		for range 5 {
			row := round32(foresttest.Row(t, f.Columns()))
			a, b := make([]float64, count), make([]float64, count)
			enumeration.explain(a, row)
			quadrature.explain(b, row)
			require.InDeltaSlice(t, a, b, 1e-11)
		}
	})
}

func TestEnumerationEqualsQuadratureOnGrownForests(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {2, 1}, {2, 6}, {3, 1}, {3, 3}, {4, 3}, {5, 3}} {
		t.Run(fmt.Sprintf("%d players of %d columns", shape[0], shape[1]), func(t *testing.T) {
			players := groups(shape[0], shape[1])
			f, err := forest.Fit(foresttest.Normal(2000, len(players), 1), forest.Options{Trees: groupSize})
			require.NoError(t, err)
			enumeration, quadrature := newEnumeration(treesOf(f), players, shape[0]), newQuadrature(treesOf(f), players)
			require.NotNil(t, enumeration)
			rows := foresttest.Normal(200, len(players), 2)
			worst := 0.0
			for i := range 200 {
				a, b := make([]float64, shape[0]), make([]float64, shape[0])
				enumeration.explain(a, round32(rows.RawRowView(i)))
				quadrature.explain(b, round32(rows.RawRowView(i)))
				for p := range a {
					worst = max(worst, math.Abs(a[p]-b[p])/groupSize)
				}
			}
			t.Logf("largest difference %.1e edges", worst)
			require.Less(t, worst, 1e-12)
		})
	}
}

// What each method is for; see New.
func TestMethodIsChosenBySize(t *testing.T) {
	for _, c := range []struct {
		name        string
		players     []int
		trees       int
		sampleSize  int
		enumerated  int
		quadratures int
	}{
		{"default schema", groups(3, 3), 100, 256, 2, 0},
		{"five features", groups(5, 3), 100, 256, 2, 0},
		{"six features", groups(6, 3), 100, 256, 0, 2},
		{"wide features", groups(2, 128), 10, 32, 1, 0},
		{"very wide features", groups(2, 129), 10, 32, 0, 1},
		{"many trees", groups(3, 3), 170, 256, 4, 0},
		{"big trees", groups(3, 3), 60, 1024, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := foresttest.Normal(1500, len(c.players), 1)
			f, err := forest.Fit(x, forest.Options{Trees: c.trees, SampleSize: c.sampleSize})
			require.NoError(t, err)
			e, err := New(f, c.players)
			require.NoError(t, err)
			enumerated := 0
			for _, m := range e.methods {
				if _, ok := m.(*enumeration); ok {
					enumerated++
				}
			}
			require.Equal(t, c.enumerated, enumerated)
			require.Len(t, e.methods, c.enumerated+c.quadratures)
			require.InDelta(t, f.PathLength(x.RawRowView(0)), e.Base()+sum(e.PathLength(nil, x.RawRowView(0))), 1e-12)
		})
	}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// A tree too big for a leafSet changes the method of its own group only.
func TestOneBigTreeAmongSmallOnes(t *testing.T) {
	small, err := forest.Fit(foresttest.Normal(500, 2, 1), forest.Options{Trees: groupSize})
	require.NoError(t, err)
	big, err := forest.Fit(foresttest.Normal(500, 2, 2), forest.Options{Trees: 1, SampleSize: 500})
	require.NoError(t, err)
	f, err := forest.New(2, 500, append(treesOf(small), big.Nodes(0)))
	require.NoError(t, err)
	e, err := New(f, nil)
	require.NoError(t, err)
	require.IsType(t, new(enumeration), e.methods[0])
	require.IsType(t, new(quadrature), e.methods[1])
	x := []float64{1, 2}
	require.InDelta(t, f.PathLength(x), e.Base()+sum(e.PathLength(nil, x)), 1e-12)
}

// A cell's leaves are those whose splits on the player's columns agree with the row.
func TestCellsHoldReachableLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := foresttest.Forest(t, 4, 6)
		players := foresttest.Players(t, f.Columns(), mostPlayers)
		count, err := countPlayers(players, f.Columns())
		require.NoError(t, err)
		b := newEnumerationBuilder(treesOf(f), players, count)
		require.NotNil(t, b)
		b.build()
		x := round32(foresttest.Row(t, f.Columns()))
		b.explain(make([]float64, count), x)
		for p := range count {
			for i, part := range b.parts {
				for leaf, want := range agreeing(treesOf(f)[part.tree], players, p, x)[part.from:part.to] {
					require.Equal(t, want, b.reach[1<<p].leaves[i]>>leaf&1 == 1)
				}
			}
		}
	})
}

// agreeing tells of each leaf of a tree, by their order, whether no split of player p above it contradicts x.
func agreeing(nodes []forest.Node, players []int, p int, x []float32) (out []bool) {
	var visit func(i int, agrees bool)
	visit = func(i int, agrees bool) {
		n := nodes[i]
		if n.Column < 0 {
			out = append(out, agrees)
			return
		}
		left, others := float64(x[n.Column]) <= n.Threshold, players[n.Column] != p
		visit(n.Left, agrees && (others || left))
		visit(n.Right, agrees && (others || !left))
	}
	visit(0, true)
	return out
}

// Tables and leaves are two ways to v.
func TestTablesEqualLeaves(t *testing.T) {
	f, err := forest.Fit(foresttest.Normal(1000, 5, 1), forest.Options{Trees: 10})
	require.NoError(t, err)
	players := []int{0, 1, 2, 2, 2}
	e := newEnumeration(treesOf(f), players, 3)
	require.NotNil(t, e.coalitions[0b011].table)
	require.Nil(t, e.coalitions[0b101].table)
	rows := foresttest.Normal(50, 5, 2)
	for i := range 50 {
		x := rows.RawRowView(i)
		e.explain(make([]float64, 3), round32(x))
		for members := range e.coalitions {
			if c := &e.coalitions[members]; c.rest != 0 {
				v := c.value(&e.reach[members], &e.reach[c.rest], &e.reach[c.lowest])
				require.InDelta(t, followed(f, players, x, members), v, 1e-10)
			}
		}
	}
}

// followed is v of a coalition by its definition, summed over trees.
func followed(f *forest.Forest, players []int, x []float64, members int) (sum float64) {
	var below func(nodes []forest.Node, i, depth int) float64
	below = func(nodes []forest.Node, i, depth int) float64 {
		n := nodes[i]
		if n.Column < 0 {
			return float64(depth) + forest.C(n.Samples)
		}
		share := float64(nodes[n.Left].Cover) / float64(n.Cover)
		if members>>players[n.Column]&1 == 1 {
			share = 0
			if float64(float32(x[n.Column])) <= n.Threshold {
				share = 1
			}
		}
		return share*below(nodes, n.Left, depth+1) + (1-share)*below(nodes, n.Right, depth+1)
	}
	for _, nodes := range treesOf(f) {
		sum += below(nodes, 0, 0)
	}
	return sum
}

// No matter how many there are; one bit behind the last stands for none.
func TestValuesOfASet(t *testing.T) {
	var v values
	for leaf := range partLeaves {
		v[leaf] = math.Exp2(float64(leaf % 50))
	}
	for _, leaves := range [][]int{{}, {0}, {63}, {1, 7, 40}, {0, 1, 2, 63}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 60}} {
		set, want := uint64(0), 0.0
		for _, leaf := range leaves {
			set |= 1 << leaf
			want += v[leaf]
		}
		require.Equal(t, want, v.of(set), "%d leaves", len(leaves))
	}
}

// Half as many points as players on the longest path, four at a time.
func TestPasses(t *testing.T) {
	for _, c := range []struct{ players, passes int }{{1, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 3}, {32, 4}} {
		var nodes []forest.Node
		for d := range c.players {
			n := c.players + 1 - d
			nodes = append(nodes, forest.Node{Column: d, Left: d + 1, Right: 2*c.players - d, Samples: n, Cover: n})
		}
		for range c.players + 1 {
			nodes = append(nodes, forest.Node{Column: -1, Samples: 1, Cover: 1})
		}
		require.Len(t, newQuadrature([][]forest.Node{nodes}, groups(c.players, 1)).passes, c.passes, "%d players", c.players)
	}
}

func TestRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		thresholds := make([]float32, n)
		for i := range thresholds {
			thresholds[i] = float32(i)
		}
		x := rapid.Float32Range(-2, 42).Draw(t, "x")
		want := 0
		for want < n && x > thresholds[want] {
			want++
		}
		require.Equal(t, want, rank(thresholds, x))
	})
}

// Of one player the whole, of three the weights 1/3, 1/6, 1/3.
func TestJoinWeights(t *testing.T) {
	require.Equal(t, []float64{1}, joinWeights(1))
	require.InDeltaSlice(t, []float64{1. / 3, 1. / 6, 1. / 3}, joinWeights(3), 1e-16)
	require.InDeltaSlice(t, []float64{1. / 5, 1. / 20, 1. / 30, 1. / 20, 1. / 5}, joinWeights(5), 1e-16)
}

// What the doc comment of New says about memory.
func TestTablesAreSmall(t *testing.T) {
	for _, shape := range [][2]int{{3, 1}, {3, 3}, {4, 3}, {5, 3}, {10, 1}, {38, 1}} {
		players := groups(shape[0], shape[1])
		f, err := forest.Fit(foresttest.Normal(2000, len(players), 1), forest.Options{})
		require.NoError(t, err)
		var e, clone *Explainer
		all := held(func() { e, _ = New(f, players) })
		scratch := held(func() { clone = e.Clone() })
		t.Logf("%d players of %d columns: %d kB, of which scratch %d kB", shape[0], shape[1], all>>10, scratch>>10)
		require.Less(t, all, 40<<10*f.Trees())
		runtime.KeepAlive(e)
		runtime.KeepAlive(clone)
	}
}

// held returns the bytes on the heap that work leaves behind.
func held(work func()) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	work()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}
