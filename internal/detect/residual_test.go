package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// reference is the textbook's way: with V the kept components, Λ their variances
// and σ² the noise, residual = z − V Vᵀ z and distance = zᵀ C⁻¹ z for
// C = V Λ Vᵀ + σ² (I − V Vᵀ).
func reference(t *testing.T, r *Residual, z []float64) (residual []float64, distance float64) {
	p, k := len(z), len(r.Components)
	v := mat.NewDense(p, k, nil)
	for c, component := range r.Components {
		v.SetCol(c, component)
	}
	var vvt, c, vl mat.Dense
	vvt.Mul(v, v.T())
	vl.Mul(v, mat.NewDiagDense(k, r.Variance))
	c.Mul(&vl, v.T())
	for i := range p {
		for j := range p {
			one := 0.0
			if i == j {
				one = 1
			}
			c.Set(i, j, c.At(i, j)+r.Noise*(one-vvt.At(i, j)))
		}
	}
	x := mat.NewVecDense(p, z)
	var image, solved mat.VecDense
	image.MulVec(&vvt, x)
	image.SubVec(x, &image)
	require.NoError(t, solved.SolveVec(&c, x))
	return mat.Col(nil, 0, &image), mat.Dot(x, &solved)
}

func TestResidualAgainstTheTextbook(t *testing.T) {
	for _, features := range []int{1, 2, 3, 8} {
		x := host(t, 300, features, uint64(features), nil)
		r := fitResidual(x)
		require.NotNil(t, r)
		w := newResidualWork(r)
		z := make([]float64, len(r.Mean))
		for i := range 300 {
			gather(z, x.RawRowView(i))
			r.Standard.apply(z)
			residual, distance := reference(t, r, z)
			r.apply(w, x.RawRowView(i))
			for f := range features {
				require.InDelta(t, squares(residual[f*parts:(f+1)*parts]), w.squares[f], 1e-9)
				require.GreaterOrEqual(t, w.whitened[f], 0.0)
			}
			require.InDelta(t, distance, sum(w.whitened), 1e-8*math.Max(1, distance), "shares add up to the distance")
		}
	}
}

// The kept components are orthonormal, as few as carry 90 % of the variance, and
// the noise is the mean variance of the rest.
func TestComponents(t *testing.T) {
	x := host(t, 500, 4, 9, nil)
	r := fitResidual(x)
	kept := 0.0
	for i, a := range r.Components {
		kept += r.Variance[i]
		for j, b := range r.Components {
			want := 0.0
			if i == j {
				want = 1
			}
			require.InDelta(t, want, floats.Dot(a, b), 1e-9)
		}
	}
	total := float64(len(r.Mean))
	require.GreaterOrEqual(t, kept, explained*total)
	require.Less(t, kept-r.Variance[len(r.Variance)-1], explained*total)
	require.InDelta(t, (total-kept)/(total-float64(len(r.Components))), r.Noise, 1e-9)
}

// A constant column says nothing and disturbs nothing; two columns are needed to
// relate anything.
func TestResidualOfConstantColumns(t *testing.T) {
	still := host(t, 200, 2, 1, func(_ int, row []float64) { row[1] = 5 })
	r := fitResidual(still)
	w := newResidualWork(r)
	r.apply(w, still.RawRowView(100))
	require.Zero(t, w.squares[1])
	require.Zero(t, w.whitened[1])
	require.Nil(t, fitResidual(host(t, 200, 2, 1, func(_ int, row []float64) { row[0], row[1] = 5, 5 })))
}
