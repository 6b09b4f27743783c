package detect

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// The distance is that of a normal distribution with the jumps' correlations.
func TestJumpIsAMahalanobisDistance(t *testing.T) {
	x := host(t, 500, 3, 4, nil)
	j := fitJump(x, none)
	z := mat.NewDense(500, 3, nil)
	above := 0
	for i := range 500 {
		jumps(z.RawRowView(i), x.RawRowView(i))
		j.apply(z.RawRowView(i))
		above += count(j.distance(z.RawRowView(i)) > j.Calm)
	}
	require.Equal(t, 3, above, "of 500 rows half a percent lies above what is calm")
	var corr, q mat.Dense
	corr.Mul(z.T(), z)
	corr.Scale(1.0/500, &corr)
	for f := range 3 {
		corr.Set(f, f, corr.At(f, f)+ridge)
	}
	require.NoError(t, q.Inverse(&corr))
	for i := range 500 {
		row := z.RowView(i)
		require.InDelta(t, mat.Inner(row, &q, row), j.distance(z.RawRowView(i)), 1e-9)
	}
}

// What is for noise in one feature is strange in three at once.
func TestStepsAtOnceAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	x := host(t, 2000, 3, 8, func(_ int, row []float64) { // nothing in common
		for f := range row {
			row[f] = 50 + r.NormFloat64()
		}
	})
	o := DefaultOptions().Classic()
	o.JumpWeight = 0.2
	m := fit(t, x, o)
	step := func(features int) float64 {
		c := at(x.RawRowView(1000), 0, feature.Run, 0)
		for f := range 3 {
			c[f*feature.ContextWidth+feature.Value] = c[f*feature.ContextWidth+feature.Level]
		}
		for f := range features {
			c[f*feature.ContextWidth+feature.Value] += 2.5 * m.Jump.Scale[f]
		}
		w := newWork(m)
		m.row(make([]float64, m.Forest.Columns()), w, c)
		m.addTerms(w, c)
		return sum(w.terms)
	}
	require.Zero(t, step(1))
	require.Positive(t, step(3))
}

// What never leaves its level has no measure of leaving it.
func TestJumpOfConstants(t *testing.T) {
	constant := func(_ int, row []float64) { row[0], row[1] = 5, 5 }
	require.Nil(t, fitJump(host(t, 100, 2, 1, constant), none))

	one := func(_ int, row []float64) { row[0] = 5 }
	j := fitJump(host(t, 100, 2, 1, one), func(int) Band { return Band{Unit: 0.25} })
	z := []float64{0.5, 0}
	j.apply(z)
	require.Equal(t, 2.0, z[0], "a change of what never changed counts in the unit of its range")
}

func none(int) Band { return Band{} }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
