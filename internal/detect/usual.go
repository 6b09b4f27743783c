package detect

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

// Usual is where each feature's value, level and deviation lay in the training
// set, by the median, and how far they strayed from it, by the median absolute
// deviation: parts numbers per feature. Jump is how far each feature's value
// strays from its level, likewise; without a window there is none.
type Usual struct {
	Middle []float64 `json:"middle"`
	Unit   []float64 `json:"unit"`
	Jump   []float64 `json:"jump,omitempty"`
}

func fitUsual(contexts *mat.Dense, windowed bool) (u Usual) {
	n, width := contexts.Dims()
	for c := range width {
		if c%feature.ContextWidth >= parts {
			continue
		}
		x := mat.Col(nil, c, contexts)
		middle := median(x)
		u.Middle, u.Unit = append(u.Middle, middle), append(u.Unit, robustUnit(x, middle))
	}
	if !windowed {
		return u
	}
	z := mat.NewDense(n, width/feature.ContextWidth, nil)
	for i := range n {
		jumps(z.RawRowView(i), contexts.RawRowView(i))
	}
	for f := range width / feature.ContextWidth {
		u.Jump = append(u.Jump, robustUnit(mat.Col(nil, f, z), 0))
	}
	return u
}

// robustUnit is the median absolute deviation of x from middle, held above a
// twentieth of the standard deviation, since a quiet feature has none.
func robustUnit(x []float64, middle float64) float64 {
	_, deviation := meanDeviation(x)
	return math.Max(medianDistance(x, middle), math.Max(0.05*deviation, tiny*math.Max(1, math.Abs(middle))))
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

// standing is what an unusual state counts beside a jump: who departs now is the
// cause more often than who has been away for long.
const standing = 0.25

// distance is the larger of a feature's jump and, lessened, of how far value,
// level and deviation are from usual, in robust z-scores.
func (u *Usual) distance(f int, context []float64) (z float64) {
	c := context[f*feature.ContextWidth:]
	for k := range parts {
		i := f*parts + k
		z = math.Max(z, math.Abs(clamp((c[k]-u.Middle[i])/u.Unit[i], maxScore)))
	}
	if u.Jump == nil {
		return z
	}
	return math.Max(standing*z, math.Abs(clamp((c[feature.Value]-c[feature.Level])/u.Jump[f], maxScore)))
}

// suspect ranks the features by who is to blame: how unusual a feature is by
// itself, weighed by the root of its push. Either alone names operators' causes
// less often (docs/BENCHMARKS.md): the push of a broken relation is spread over
// all that take part in it, and a feature may be unusual and not matter. The score
// makes vectors of one incident comparable: the strangest say most.
func (v *Verdict) suspect(u *Usual, context []float64) {
	v.Suspicion = v.Suspicion[:0]
	for f, push := range v.Shap {
		v.Suspicion = append(v.Suspicion, v.Score*u.distance(f, context)*math.Sqrt(math.Max(0, push)))
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
