package detect

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// Usual is where each feature's value, level and deviation lay in the training
// set, by the median, and how far they strayed from it, by the median absolute
// deviation: parts numbers per feature.
type Usual struct {
	Middle []float64 `json:"middle"`
	Unit   []float64 `json:"unit"`
}

func fitUsual(contexts *mat.Dense) (u Usual) {
	_, width := contexts.Dims()
	for c := range width {
		if c%feature.ContextWidth >= parts {
			continue
		}
		x := mat.Col(nil, c, contexts)
		_, deviation := meanDeviation(x)
		middle := median(x)
		unit := math.Max(medianDistance(x, middle), math.Max(0.05*deviation, tiny*math.Max(1, math.Abs(middle))))
		u.Middle, u.Unit = append(u.Middle, middle), append(u.Unit, unit)
	}
	return u
}

// medianDistance is the median absolute deviation from middle, scaled to agree
// with the standard deviation of a normal distribution.
func medianDistance(x []float64, middle float64) float64 {
	distance := make([]float64, len(x))
	for i, v := range x {
		distance[i] = math.Abs(v - middle)
	}
	return 1.4826 * median(distance)
}

// distance is the largest of a feature's robust z-scores.
func (u *Usual) distance(f int, context []float64) (z float64) {
	for k := range parts {
		i := f*parts + k
		z = math.Max(z, math.Abs(clamp((context[f*feature.ContextWidth+k]-u.Middle[i])/u.Unit[i], maxScore)))
	}
	return z
}

// suspect ranks the features by who is to blame: how unusual a feature is by
// itself, weighed by the root of its push. Either alone names operators' causes
// less often (docs/BENCHMARKS.md): the push of a broken relation is spread over
// all that take part in it, and a feature may be unusual and not matter.
func (v *Verdict) suspect(u *Usual, context []float64) {
	v.Suspicion = v.Suspicion[:0]
	for f, push := range v.Shap {
		v.Suspicion = append(v.Suspicion, u.distance(f, context)*math.Sqrt(math.Max(0, push)))
	}
}

// Suspect is the feature that leads the ranking by Suspicion, which Explain has
// filled in; where that says nothing, the one that pushes most.
func (v *Verdict) Suspect() int {
	ranking := v.Suspicion
	if len(ranking) == 0 || floats.Max(ranking) == 0 {
		ranking = v.Shap
	}
	return floats.MaxIdx(ranking)
}
