package detect

import (
	"math"

	"telegraf-anomaly/internal/feature"
)

// maxRun bounds the flat-line term; a feature that stood still for as long in
// the training set is allowed to.
const maxRun = 240

// addTerms computes τ per feature, in bits, from a context and the residuals
// that row left in w. A joint term is shared among the features in proportion to
// what each contributed inside its logarithm, so the shares add up to the term.
func (m *Model) addTerms(w *work, context []float64) {
	clear(w.terms)
	if m.Options.RangeWeight > 0 {
		for f := range m.Features {
			w.distance[f] = m.band(f).Distance(context[f*feature.ContextWidth+feature.Value])
		}
		w.shareMax(m.Options.RangeWeight)
	}
	if m.Options.ResidualWeight > 0 && m.Residual != nil && m.Residual.Typical > tiny {
		w.shareExcess(m.Options.ResidualWeight, sum(w.residual.whitened)/m.Residual.Typical, w.residual.whitened)
	}
	if m.Options.RelationWeight > 0 && m.Relation != nil {
		levels(w.z, context)
		m.Relation.apply(w.z)
		for f := range m.Features {
			w.distance[f] = m.Relation.Band[f].Distance(m.Relation.residual(f, w.z))
		}
		w.share(m.many(m.Options.RelationWeight)*math.Log1p(sum(w.distance)), w.distance)
	}
	if m.Options.JumpWeight > 0 && m.Jump != nil {
		jumps(w.z, context)
		m.Jump.apply(w.z)
		for f, z := range w.z {
			w.distance[f] = z * z
		}
		w.shareExcess(m.many(m.Options.JumpWeight), m.Jump.distance(w.z)/m.Jump.Calm, w.distance)
	}
	if m.Options.FlatWeight > 0 {
		for f := range m.Features {
			w.terms[f] += float64(m.Options.FlatWeight * m.flat(f, context[f*feature.ContextWidth+feature.Run]))
		}
	}
}

// many lessens a weight where there are more than three features: many have many
// relations to stray from, and more often one that jumps.
func (m *Model) many(weight float64) float64 {
	return weight * math.Min(1, math.Sqrt(3/float64(len(m.Features))))
}

// band is the training range of feature f on the scale on which it is seen.
func (m *Model) band(f int) Band {
	if m.Curves != nil && m.Curves[f].Knee > 0 {
		return m.Curves[f].Range
	}
	return m.Range[f]
}

// flat grows with the logarithm of how much longer than ever before a feature
// has stood still.
func (m *Model) flat(f int, run float64) float64 {
	if m.Still[f] >= maxRun {
		return 0
	}
	return math.Log1p(math.Max(0, math.Min(run, maxRun)/math.Max(1, m.Still[f])-1))
}

// shareMax adds a term of the largest distance, shared by distance.
func (w *work) shareMax(weight float64) {
	largest := 0.0
	for _, d := range w.distance {
		largest = math.Max(largest, d)
	}
	w.share(weight*math.Log1p(largest), w.distance)
}

// shareExcess adds a term of how far ratio is above 1, shared by parts.
func (w *work) shareExcess(weight, ratio float64, parts []float64) {
	w.share(weight*math.Log1p(math.Max(0, ratio-1)), parts)
}

// share splits bits over the features in proportion to parts.
func (w *work) share(bits float64, parts []float64) {
	total := sum(parts)
	if !(total > 0) || bits == 0 {
		return
	}
	for f, p := range parts {
		w.terms[f] += float64(bits * (p / total))
	}
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}
