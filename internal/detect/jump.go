package detect

import (
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// Jump is how the features leave their levels from one interval to the next. Its
// measure is the squared Mahalanobis distance zᵀQz of all features' value − level,
// standardized, so that three small steps at once, which a burst makes and noise
// does not, count for more than one.
type Jump struct {
	Standard             // of value − level
	Q        [][]float64 `json:"q"`    // inverse of the correlation matrix, plus the ridge
	Calm     float64     `json:"calm"` // squared distance that few training rows exceed
}

// calm is the share of the training rows whose steps are taken for noise.
const calm = 0.995

// fitJump takes the unit of what never jumped from its range, for which a change
// is as far outside.
func fitJump(contexts *mat.Dense, ranges func(f int) Band) *Jump {
	n, width := contexts.Dims()
	z := mat.NewDense(n, width/feature.ContextWidth, nil)
	for i := range n {
		jumps(z.RawRowView(i), contexts.RawRowView(i))
	}
	j := &Jump{Standard: fitStandard(z)}
	for f, scale := range j.Scale {
		if scale == 0 {
			j.Scale[f] = ranges(f).Unit
		}
	}
	j.applyAll(z)
	q, ok := precision(z)
	if !ok {
		return nil
	}
	for f := range q.SymmetricDim() {
		j.Q = append(j.Q, mat.Row(nil, f, q))
	}
	distances := make([]float64, n)
	for i := range n {
		distances[i] = j.distance(z.RawRowView(i))
	}
	if _, j.Calm = quantiles(distances, 0, calm); j.Calm <= tiny {
		return nil
	}
	return j
}

// jumps takes each feature's value − level out of a context.
func jumps(dst, context []float64) {
	for f := range dst {
		c := context[f*feature.ContextWidth:]
		dst[f] = c[feature.Value] - c[feature.Level]
	}
}

// distance is the squared distance of standardized jumps.
func (j *Jump) distance(z []float64) (d float64) {
	for f, row := range j.Q {
		for k, q := range row {
			d += float64(float64(z[f]*q) * z[k])
		}
	}
	return d
}
