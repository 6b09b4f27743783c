package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// What the forest sees has mean 0 and deviation 1, and says what it said before:
// splits do not depend on a unit.
func TestStandardize(t *testing.T) {
	x := host(t, 3000, 3, 1, nil)
	o := DefaultOptions()
	plain := fit(t, x, o)
	o.Standardize = true
	m := fit(t, x, o)
	require.Nil(t, plain.Standard)
	require.NoError(t, m.Validate(names(3)))

	n, _ := x.Dims()
	rows, w := mat.NewDense(n, m.Forest.Columns(), nil), newWork(m)
	for i := range n {
		m.row(rows.RawRowView(i), w, x.RawRowView(i))
	}
	for c := range m.Forest.Columns() {
		mean, deviation := stat.PopMeanStdDev(mat.Col(nil, c, rows), nil)
		require.InDelta(t, 0, mean, 1e-9)
		require.InDelta(t, 1, deviation, 1e-9)
	}

	require.NoError(t, plain.Prepare())
	require.NoError(t, m.Prepare())
	apart := 0
	for i := range n {
		a, b := explain(t, plain, x.RawRowView(i)), explain(t, m, x.RawRowView(i))
		if math.Abs(a.Score-b.Score) > 1e-9 {
			apart++
		}
		require.InDelta(t, a.Score, b.Score, 0.03)
	}
	t.Logf("%d of %d scores apart", apart, n)
	require.Less(t, apart, n/100, "a value may lie within a rounding of a split")
}

func TestStandardOfAnotherModelIsRefused(t *testing.T) {
	m := fit(t, host(t, 500, 2, 1, nil), DefaultOptions())
	columns := m.Forest.Columns()
	for name, standard := range map[string]Standard{
		"too few":       {Mean: make([]float64, columns), Scale: make([]float64, columns-1)},
		"scale below 0": {Mean: make([]float64, columns), Scale: append(make([]float64, columns-1), -1)},
	} {
		broken := *m
		broken.Standard = &standard
		require.ErrorContains(t, broken.Validate(names(2)), "the standard", name)
	}
}
