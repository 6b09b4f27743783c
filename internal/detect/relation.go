package detect

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// Relation is a ridge regression of every feature's level on the levels of all
// the others. With Q the inverse of their correlation matrix (plus the ridge),
// the residual of feature j is (Q z)_j / Q_jj: one inverse for all regressions.
// See Whittaker, Graphical Models in Applied Multivariate Statistics (1990), 5.7.
type Relation struct {
	Standard             // of levels
	Q        [][]float64 `json:"q"` // rows divided by their diagonal
	Band     []Band      `json:"band"`
}

const ridge = 0.01

func fitRelation(contexts *mat.Dense) *Relation {
	n, width := contexts.Dims()
	features := width / feature.ContextWidth
	if features < 2 {
		return nil
	}
	z := mat.NewDense(n, features, nil)
	for i := range n {
		levels(z.RawRowView(i), contexts.RawRowView(i))
	}
	r := &Relation{Standard: fitStandard(z)}
	r.applyAll(z)
	if !r.invert(z) {
		return nil
	}
	residuals := make([][]float64, features)
	for f := range residuals {
		residuals[f] = make([]float64, n)
		for i := range n {
			residuals[f][i] = r.residual(f, z.RawRowView(i))
		}
		r.Band = append(r.Band, relationBand(residuals[f], features))
	}
	return r
}

func (r *Relation) invert(z *mat.Dense) bool {
	q, ok := precision(z)
	if !ok {
		return false
	}
	for f := range q.SymmetricDim() {
		row := mat.Row(nil, f, q)
		for k := range row {
			row[k] /= q.At(f, f)
		}
		r.Q = append(r.Q, row)
	}
	return true
}

// precision is the inverse of the correlation matrix of standardized rows, with
// the ridge on its diagonal.
func precision(z *mat.Dense) (*mat.SymDense, bool) {
	n, features := z.Dims()
	corr := mat.NewSymDense(features, nil)
	corr.SymOuterK(1/float64(n), z.T())
	for f := range features {
		corr.SetSym(f, f, 1+ridge) // of a constant, too
	}
	var chol mat.Cholesky
	if !chol.Factorize(corr) {
		return nil, false
	}
	var q mat.SymDense
	return &q, chol.InverseTo(&q) == nil
}

func levels(dst, context []float64) {
	for f := range dst {
		dst[f] = context[f*feature.ContextWidth+feature.Level]
	}
}

func (r *Relation) residual(f int, z []float64) (sum float64) {
	for k, q := range r.Q[f] {
		sum += float64(q * z[k])
	}
	return sum
}

// relationBand is wider than a range's the more features there are, since each
// has its own chance to stray. Its unit is robust, so that one incident in the
// training rows does not hide the next.
func relationBand(residuals []float64, features int) Band {
	_, deviation := meanDeviation(residuals)
	middle := median(residuals)
	tail := 0.003 / float64(features)
	low, high := quantiles(residuals, tail, 1-tail)
	return Band{Low: low, High: high, Unit: math.Max(medianDistance(residuals, middle), math.Max(0.1*deviation, tiny))}
}
