package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// One inverse gives the residuals of all ridge regressions: each is compared with
// its regression, solved by itself.
func TestRelationEqualsRidgeRegressions(t *testing.T) {
	const rows, features = 300, 4
	x := host(t, rows, features, 11, nil)
	r := fitRelation(x)
	z := mat.NewDense(rows, features, nil)
	for i := range rows {
		levels(z.RawRowView(i), x.RawRowView(i))
		r.Standard.apply(z.RawRowView(i))
	}
	for f := range features {
		var others mat.Dense
		for k := range features {
			if k != f {
				column := mat.NewDense(rows, 1, mat.Col(nil, k, z))
				if others.IsEmpty() {
					others.CloneFrom(column)
				} else {
					var wider mat.Dense
					wider.Augment(&others, column)
					others.CloneFrom(&wider)
				}
			}
		}
		var gram mat.Dense
		gram.Mul(others.T(), &others)
		gram.Scale(1.0/rows, &gram)
		for k := range features - 1 {
			gram.Set(k, k, gram.At(k, k)+ridge)
		}
		var moment, beta, predicted mat.VecDense
		moment.MulVec(others.T(), z.ColView(f))
		moment.ScaleVec(1.0/rows, &moment)
		require.NoError(t, beta.SolveVec(&gram, &moment))
		predicted.MulVec(&others, &beta)
		for i := range rows {
			require.InDelta(t, z.At(i, f)-predicted.AtVec(i), r.residual(f, z.RawRowView(i)), 1e-9)
		}
	}
}

func TestRelationNeedsTwoFeatures(t *testing.T) {
	require.Nil(t, fitRelation(host(t, 100, 1, 1, nil)))
}

// Two copies of one metric relate exactly; the ridge keeps that solvable.
func TestRelationOfCopies(t *testing.T) {
	r := fitRelation(host(t, 200, 2, 1, func(_ int, row []float64) { row[1] = row[0] }))
	require.NotNil(t, r)
	require.InDelta(t, -1/(1+ridge), r.Q[0][1], 1e-9)
}
