package forest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// edges are the values where an order of bit patterns could differ from the order of floats.
var edges = []float32{
	float32(math.Inf(-1)), -math.MaxFloat32, -1, -math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1)), 0,
	math.SmallestNonzeroFloat32, 1, math.Nextafter32(1, 2), math.MaxFloat32, float32(math.Inf(1)),
}

func TestKeysHaveTheOrderOfFloats(t *testing.T) {
	value := rapid.OneOf(rapid.SampledFrom(edges), rapid.Float32())
	rapid.Check(t, func(t *rapid.T) {
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		require.Equal(t, a < b, key(a) < key(b))
		require.Equal(t, a == b, key(a) == key(b))
		require.Equal(t, a, unkey(key(a))) // equal as floats: −0 comes back as 0
	})
}

func TestNextIsAComparison(t *testing.T) {
	value := rapid.OneOf(rapid.SampledFrom(edges[1:len(edges)-1]), rapid.Float32())
	rapid.Check(t, func(t *rapid.T) {
		threshold, x := value.Draw(t, "threshold"), value.Draw(t, "x")
		n := newNode(threshold, rapid.Uint16().Draw(t, "column"), rapid.Uint16Range(1, math.MaxUint16).Draw(t, "left"))
		want := 1000 + int(n.left())
		if x > threshold {
			want++
		}
		require.Equal(t, want, n.next(1000, key(x)))
	})
}

func TestNothingLeavesALeaf(t *testing.T) {
	for _, x := range append(edges, float32(math.NaN()), math.Float32frombits(math.MaxUint32), math.Float32frombits(math.MaxInt32)) {
		require.Equal(t, 7, leafNode.next(7, key(x)), "x = %v", x)
	}
}

func TestNodeKeepsItsParts(t *testing.T) {
	n := newNode(-2.5, math.MaxUint16, math.MaxUint16-1)
	require.Equal(t, float32(-2.5), n.threshold())
	require.Equal(t, math.MaxUint16, n.column())
	require.Equal(t, int32(math.MaxUint16-1), n.left())
}

func TestFloor32(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want float32
	}{
		{1, 1}, {1 + 1e-12, 1}, {1 - 1e-12, math.Nextafter32(1, 0)}, {-1 - 1e-12, math.Nextafter32(-1, -2)},
		{1e-60, 0}, {-1e-60, -math.SmallestNonzeroFloat32}, {1e300, math.MaxFloat32}, {0.1, math.Nextafter32(0.1, 0)},
	} {
		require.Equal(t, c.want, floor32(c.in), "%v", c.in)
	}
}
