package shap

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// n points integrate every power up to 2n−1 exactly, and not 2n.
func TestLegendreIsExact(t *testing.T) {
	for n := 1; n <= 16; n++ {
		nodes, weights := legendre(n)
		for degree := range 2 * n {
			sum := 0.0
			for i, x := range nodes {
				require.True(t, 0 < x && x < 1)
				sum += weights[i] * math.Pow(x, float64(degree))
			}
			require.InDelta(t, 1/float64(degree+1), sum, 1e-14, "%d points, degree %d", n, degree)
		}
	}
}
