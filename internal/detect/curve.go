package detect

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/feature"
)

// A Curve is the scale on which the model sees a feature: its own, or, for one
// that multiplies rather than adds, as traffic does, a logarithm. Half the usual
// traffic at noon is then as strange as twice the usual, and the model's other
// numbers, which take noise for even, hold at night as well as by day.
type Curve struct {
	// Knee is where the logarithm goes over into a straight line through 0, so
	// that an idle feature has one too: asinh(x/Knee). 0: the feature's own scale.
	Knee  float64 `json:"knee,omitempty"`
	Range Band    `json:"range,omitzero"` // on the logarithmic scale, where there is one
}

// Log is the curve with its knee at a tenth of what is usual.
func Log(usual float64) Curve { return Curve{Knee: math.Max(0.1*usual, tiny)} }

// At takes a value to the curve's scale.
func (c Curve) At(x float64) float64 {
	if c.Knee == 0 {
		return x
	}
	return math.Asinh(x / c.Knee)
}

// Back is the inverse of At.
func (c Curve) Back(y float64) float64 {
	if c.Knee == 0 {
		return y
	}
	return c.Knee * math.Sinh(y)
}

// Slope is the derivative of At, with which small deviations around x shrink.
func (c Curve) Slope(x float64) float64 {
	if c.Knee == 0 {
		return 1
	}
	return 1 / math.Hypot(x, c.Knee)
}

// see writes the value, level and deviation of one feature's context on the
// curve's scale to dst.
func (c Curve) see(dst, context []float64) {
	slope := c.Slope(context[feature.Level]) // first: dst may be context
	dst[feature.Value], dst[feature.Level] = c.At(context[feature.Value]), c.At(context[feature.Level])
	dst[feature.Deviation] = context[feature.Deviation] * slope
}

// What shows that a feature multiplies: the noise grows with the level in
// proportion, or nearly so, over a range of levels that is wide enough to tell.
// With a power of 1 the logarithm makes the noise even, with 0 the feature's own
// scale does, see Tukey, Exploratory Data Analysis (1977), on the plot of spread
// against level. Metrics of the labelled collections have powers of .0 to .6 or,
// where it is the logarithm that was generated, of 1.0.
const (
	minPower, maxPower = 0.75, 1.25
	minAgreement       = 0.9 // correlation of the logarithms
	minSpan            = 0.2 // of the logarithm of the level, from the lowest group to the highest
	levelGroups        = 8
	perLevelGroup      = 8 // rows, at least

	rarely = 0.01 // share of values that may lie below the knee: what often idles has no level
)

// fitCurve chooses the scale of feature f.
func fitCurve(contexts *mat.Dense, f int) Curve {
	values := mat.Col(nil, f*feature.ContextWidth+feature.Value, contexts)
	level, spread := spreadByLevel(contexts, f)
	c := Log(median(values))
	if low, _ := quantiles(values, rarely, 1); len(level) < levelGroups || low < c.Knee || level[len(level)-1]-level[0] < minSpan {
		return Curve{}
	}
	_, power := stat.LinearRegression(level, spread, nil, false)
	if power < minPower || power > maxPower || stat.Correlation(level, spread, nil) < minAgreement {
		return Curve{}
	}
	for i, x := range values {
		values[i] = c.At(x)
	}
	c.Range = rangeBand(values)
	return c
}

// spreadByLevel groups the rows by feature f's level and returns the median
// logarithms of level and deviation in each group, from the lowest level up.
func spreadByLevel(contexts *mat.Dense, f int) (level, spread []float64) {
	n, _ := contexts.Dims()
	type moment struct{ level, spread float64 }
	var moments []moment
	for i := range n {
		c := contexts.RawRowView(i)[f*feature.ContextWidth:]
		if c[feature.Level] > 0 && c[feature.Deviation] > 0 {
			moments = append(moments, moment{math.Log(c[feature.Level]), math.Log(c[feature.Deviation])})
		}
	}
	if len(moments) < levelGroups*perLevelGroup {
		return nil, nil
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Compare(a.level, b.level) })
	for g := range levelGroups {
		group := moments[g*len(moments)/levelGroups : (g+1)*len(moments)/levelGroups]
		spreads := make([]float64, len(group))
		for i, m := range group {
			spreads[i] = m.spread
		}
		level, spread = append(level, group[len(group)/2].level), append(spread, median(spreads))
	}
	return level, spread
}

// see writes what the model sees of a context to dst, which may be the same.
func (m *Model) see(dst, context []float64) {
	copy(dst, context)
	for f, c := range m.Curves {
		if c.Knee > 0 {
			from, to := f*feature.ContextWidth, (f+1)*feature.ContextWidth
			c.see(dst[from:to], context[from:to])
		}
	}
}

// seen is see for a training set, in a copy where it has to.
func (m *Model) seen(contexts *mat.Dense) *mat.Dense {
	if m.Curves == nil {
		return contexts
	}
	out := mat.DenseCopyOf(contexts)
	n, _ := out.Dims()
	for i := range n {
		m.see(out.RawRowView(i), out.RawRowView(i))
	}
	return out
}

// Seen names the scale on which the model sees feature f.
func (m *Model) Seen(f int) string {
	if m.Curves != nil && m.Curves[f].Knee > 0 {
		return "logarithm"
	}
	return "itself"
}

// bend chooses the curves; nil if every feature is seen on its own scale.
func (m *Model) bend(contexts *mat.Dense) {
	curves := make([]Curve, len(m.Features))
	for f := range curves {
		if curves[f] = fitCurve(contexts, f); curves[f].Knee > 0 {
			m.Curves = curves
		}
	}
}
