package detect

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

const (
	explained = 0.90 // share of the variance that the kept components carry
	parts     = 3    // value, level and deviation of a feature enter the analysis
	tiny      = 1e-9 // a column whose deviation is below this is constant
)

// Residual is a principal component analysis of all features' values, levels
// and deviations together. What the leading components cannot reproduce of one
// feature is its residual: it grows when the feature leaves its usual company,
// as network traffic without cpu load does. See Jackson and Mudholkar, "Control
// procedures for residuals associated with principal component analysis",
// Technometrics 21 (1979).
type Residual struct {
	Mean       []float64   `json:"mean"` // parts numbers per feature
	Scale      []float64   `json:"scale"`
	Components [][]float64 `json:"components"` // one row per kept component
	Typical    float64     `json:"typical"`    // median squared prediction error of the training rows
}

// fitResidual analyses the contexts. It returns nil if fewer than two columns vary.
func fitResidual(contexts *mat.Dense) *Residual {
	n, _ := contexts.Dims()
	z := analysed(contexts)
	_, p := z.Dims()
	r := &Residual{Mean: make([]float64, p), Scale: make([]float64, p)}
	varying := 0
	for c := range p {
		r.Mean[c], r.Scale[c] = meanDeviation(mat.Col(nil, c, z))
		if r.Scale[c] > tiny*math.Max(1, math.Abs(r.Mean[c])) {
			varying++
		} else {
			r.Scale[c] = 0
		}
	}
	if varying < 2 {
		return nil
	}
	for i := range n {
		r.standardize(z.RawRowView(i), z.RawRowView(i))
	}
	if !r.components(z, varying) {
		return nil
	}
	spe := make([]float64, n)
	work := newResidualWork(r)
	for i := range n {
		spe[i] = r.apply(work, contexts.RawRowView(i))
	}
	r.Typical = median(spe)
	return r
}

// analysed returns the columns value, level, deviation of every feature.
func analysed(contexts *mat.Dense) *mat.Dense {
	n, width := contexts.Dims()
	features := width / feature.ContextWidth
	z := mat.NewDense(n, features*parts, nil)
	for i := range n {
		gather(z.RawRowView(i), contexts.RawRowView(i))
	}
	return z
}

func gather(dst, context []float64) {
	for f := range len(dst) / parts {
		copy(dst[f*parts:(f+1)*parts], context[f*feature.ContextWidth:])
	}
}

// standardize makes columns comparable; constant ones become 0.
func (r *Residual) standardize(dst, src []float64) {
	for c := range dst {
		if r.Scale[c] > 0 {
			dst[c] = (src[c] - r.Mean[c]) / r.Scale[c]
		} else {
			dst[c] = 0
		}
	}
}

// components keeps the fewest components that explain enough, never all.
func (r *Residual) components(z *mat.Dense, varying int) bool {
	n, p := z.Dims()
	cov := mat.NewSymDense(p, nil)
	cov.SymOuterK(1/float64(n), z.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(cov, true) {
		return false
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	total, sum := mat.Trace(cov), 0.0
	for k := p - 1; k >= 0 && len(r.Components) < varying-1 && sum < explained*total; k-- {
		sum += values[k]
		r.Components = append(r.Components, mat.Col(nil, k, &vectors))
	}
	return true
}

// residualWork is scratch space for apply.
type residualWork struct {
	z       []float64
	squares []float64 // per feature: squared residual over its parts
}

func newResidualWork(r *Residual) *residualWork {
	return &residualWork{z: make([]float64, len(r.Mean)), squares: make([]float64, len(r.Mean)/parts)}
}

// apply leaves each feature's squared residual in w and returns their sum, the
// squared prediction error.
func (r *Residual) apply(w *residualWork, context []float64) (spe float64) {
	gather(w.z, context)
	r.standardize(w.z, w.z)
	for _, component := range r.Components {
		// Orthonormal components may be taken away one after the other.
		dot := 0.0
		for c, v := range component {
			dot += float64(v * w.z[c])
		}
		for c, v := range component {
			w.z[c] -= float64(dot * v)
		}
	}
	for f := range w.squares {
		sum := 0.0
		for _, v := range w.z[f*parts : (f+1)*parts] {
			sum += float64(v * v)
		}
		w.squares[f] = sum
		spe += sum
	}
	return spe
}
