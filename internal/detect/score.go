package detect

import (
	"math"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/shap"
)

// A Verdict is what a Scorer says of one vector.
type Verdict struct {
	Score     float64   // anomaly_score, in (0, 1]
	Bits      float64   // its logarithm before the cut at 1: ranks what has score 1
	Base      float64   // shap_base
	Shap      []float64 // shap_<feature>, bits
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

// Explain scores and explains a complete context. v.Shap is reused.
func (s *Scorer) Explain(v *Verdict, context []float64) error {
	if s.explainer == nil {
		e, err := shap.New(s.model.Forest, s.model.Players())
		if err != nil {
			return err
		}
		s.explainer = e
	}
	s.model.row(s.row, s.work, context)
	s.model.addTerms(s.work, context)
	if cap(v.Shap) < len(s.work.terms) {
		v.Shap = make([]float64, len(s.work.terms))
	}
	v.Shap = s.explainer.Bits(v.Shap[:len(s.work.terms)], s.row)
	v.Base = s.explainer.BaseBits()
	bits := v.Base
	for f, t := range s.work.terms {
		v.Shap[f] += t
		bits += v.Shap[f]
	}
	v.set(bits, s.model.Threshold)
	return nil
}

// score is the score alone. It agrees with Explain to rounding, not to the bit.
func (s *Scorer) score(context []float64) float64 {
	s.model.row(s.row, s.work, context)
	s.model.addTerms(s.work, context)
	bits := s.bits()
	return math.Exp2(math.Min(bits, 0))
}

func (s *Scorer) bits() float64 {
	norm := s.model.Forest.NormPath()
	return -s.model.Forest.PathLength(s.row)/norm + sum(s.work.terms)
}

// Score is Explain without the explanation: Base and Shap stay empty. It agrees
// with Explain to rounding, not to the bit.
func (s *Scorer) Score(context []float64) (v Verdict) {
	s.model.row(s.row, s.work, context)
	s.model.addTerms(s.work, context)
	v.set(s.bits(), s.model.Threshold)
	return v
}

func (v *Verdict) set(bits, threshold float64) {
	v.Bits, v.Score, v.Threshold = bits, math.Exp2(math.Min(bits, 0)), threshold
	v.Anomaly = forest.Anomalous(v.Score, threshold)
}
