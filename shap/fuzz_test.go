package shap_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
	"telegraf-anomaly/shap"
)

// Any forest that the decoder lets in can be explained, whatever the grouping, and the explanation adds up.
func FuzzExplain(f *testing.F) {
	for _, name := range []string{"tiny_plain", "tiny_bootstrap", "tiny_one", "tiny_two", "tiny_maxfeat"} {
		section, err := foresttest.Load(f, name).Forest(f).MarshalBinary()
		require.NoError(f, err)
		for _, players := range []uint8{1, 2, 5, 6, 64} {
			f.Add(section, players, 0.1, -0.7)
		}
	}
	f.Fuzz(func(t *testing.T, section []byte, players uint8, even, odd float64) {
		decoded := new(forest.Forest)
		if err := decoded.UnmarshalBinary(section); err != nil || decoded.Columns() > 1000 || decoded.Trees() > 100 {
			return
		}
		if math.IsNaN(even) || math.IsNaN(odd) {
			return
		}
		x, player := make([]float64, decoded.Columns()), make([]int, decoded.Columns())
		for c := range x {
			x[c] = even
			if c%2 == 1 {
				x[c] = odd
			}
			player[c] = c % min(int(players)+1, len(x))
		}
		e, err := shap.New(decoded, player)
		require.NoError(t, err)
		phi := e.PathLength(nil, x)
		require.InDelta(t, decoded.PathLength(x), e.Base()+floats.Sum(phi), 1e-9)
	})
}
