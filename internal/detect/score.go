package detect

import (
	"math"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/shap"
)

// A Verdict is what a Scorer says of one vector.
type Verdict struct {
	Score     float64   // anomaly_score, in (0, 1]
	Bits      float64   // ToBits(Score)
	Base      float64   // shap_base
	Shap      []float64 // shap_<feature>, bits
	Suspicion []float64 // per feature: who is to blame, to be ranked; not additive
	Threshold float64
	Anomaly   bool
}

// A Scorer applies a Model. It owns scratch space: one Scorer per goroutine.
type Scorer struct {
	model     *Model
	explainer *shap.Explainer
	work      *work
	row       []float64
}

// NewScorer returns a Scorer for m.
func NewScorer(m *Model) *Scorer {
	return &Scorer{model: m, work: newWork(m), row: make([]float64, m.Forest.Columns())}
}

// Explain scores and explains a complete context. The slices of v are reused.
func (s *Scorer) Explain(v *Verdict, context []float64) error {
	if s.explainer == nil {
		e, err := s.model.explain()
		if err != nil {
			return err
		}
		s.explainer = e
	}
	s.look(context)
	if cap(v.Shap) < len(s.work.terms) {
		v.Shap = make([]float64, len(s.work.terms))
	}
	v.Shap = s.explainer.Bits(v.Shap[:len(s.work.terms)], s.row)
	v.Base = s.explainer.BaseBits()
	settle(v.Base+sum(v.Shap), s.work.terms)
	for f, t := range s.work.terms {
		v.Shap[f] += t
	}
	v.set(v.Base+sum(v.Shap), s.model.Threshold)
	v.suspect(&s.model.Usual, context)
	return nil
}

// Score is Explain without the explanation: Base, Shap and Suspicion stay empty. It agrees
// with Explain to rounding, not to the bit.
func (s *Scorer) Score(context []float64) (v Verdict) {
	s.look(context)
	forest := -s.model.Forest.PathLength(s.row) / s.model.Forest.NormPath()
	settle(forest, s.work.terms)
	v.set(forest+sum(s.work.terms), s.model.Threshold)
	return v
}

// look takes in a context: what the forest sees of it, and its terms.
func (s *Scorer) look(context []float64) {
	if s.model.Curves != nil {
		s.model.see(s.work.seen, context)
		context = s.work.seen
	}
	s.model.row(s.row, s.work, context)
	s.model.addTerms(s.work, context)
}

// settle shrinks terms, all in the same proportion, so that what they add to the
// forest's bits stays below 0: a score that reached 1 could be exceeded no more,
// and a quiet training set of some machines has such rows already.
func settle(forest float64, terms []float64) {
	total := sum(terms)
	if !(total > 0) {
		return
	}
	shrink := math.Max(0, below(forest+total)-forest) / total
	for f := range terms {
		terms[f] *= shrink
	}
}

// knee is where bits begin to be compressed, a score of 0.84. Forests do not
// reach it but for a few rows.
const knee = -0.25

// below maps bits to bits below 0 without changing their order: up to the knee
// nothing changes, beyond it a hyperbola of the same slope approaches 0.
func below(bits float64) float64 {
	if bits <= knee {
		return bits
	}
	return -knee * knee / (bits - 2*knee)
}

// above is the inverse of below.
func above(bits float64) float64 {
	if bits <= knee {
		return bits
	}
	return 2*knee - knee*knee/math.Min(bits, -1e-12)
}

// ToBits stretches a score in (0, 1] to bits on a scale without an upper end,
// for sums and extrapolation; ToScore is the way back.
func ToBits(score float64) float64 { return above(math.Log2(score)) }

// ToScore compresses bits of any size to a score in (0, 1).
func ToScore(bits float64) float64 { return math.Exp2(below(bits)) }

// Without returns the score that would be left if pushes of the explanation that
// sum to push were not there. They are stretched as the score is before they are
// subtracted, else any small push would seem to carry the whole verdict.
func (v *Verdict) Without(push float64) float64 {
	rise := math.Log2(v.Score) - v.Base
	if !(rise > 0) {
		return math.Exp2(math.Log2(v.Score) - push)
	}
	return ToScore(v.Bits - (v.Bits-v.Base)*push/rise)
}

func (v *Verdict) set(bits, threshold float64) {
	v.Bits, v.Score, v.Threshold = above(bits), math.Exp2(bits), threshold
	v.Anomaly = forest.Anomalous(v.Score, threshold)
}
