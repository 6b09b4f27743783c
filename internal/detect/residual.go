package detect

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
)

const (
	explained = 0.90 // share of the variance that the kept components carry
	parts     = 3    // value, level and deviation of a feature enter the analysis
	maxScore  = 1e6  // deviations from the mean beyond which nothing gets worse
	minNoise  = 1e-3 // of a standardized column
	tiny      = 1e-9 // a column whose deviation is below this is constant
)

// Residual is a probabilistic principal component analysis of all features'
// values, levels and deviations together (Tipping and Bishop, "Probabilistic
// principal component analysis", J. R. Stat. Soc. B 61, 1999): a normal
// distribution whose covariance keeps the leading components as they are and
// takes the same Noise for every other direction.
//
// It gives two things per feature. What the leading components cannot reproduce
// is the feature's residual: it grows when the feature leaves its usual company,
// as network traffic without cpu load does. And the squared Mahalanobis distance
// of the whole is a sum over features, once the standardized row is whitened by
// the symmetric root of the inverse covariance (the corr-max split of Garthwaite
// and Koch, "Evaluating the contributions of individual variables to a quadratic
// form", Aust. N. Z. J. Stat. 58, 2016).
type Residual struct {
	Standard               // of parts numbers per feature
	Components [][]float64 `json:"components"` // one row per kept component
	Variance   []float64   `json:"variance"`   // along each of them
	Noise      float64     `json:"noise"`      // variance along every other direction
	Typical    float64     `json:"typical"`    // median squared distance of the training rows
}

// fitResidual analyses the contexts. It returns nil if fewer than two columns vary.
func fitResidual(contexts *mat.Dense) *Residual {
	n, _ := contexts.Dims()
	z := analysed(contexts)
	r := &Residual{Standard: fitStandard(z)}
	varying := r.varying()
	if varying < 2 {
		return nil
	}
	r.applyAll(z)
	if !r.components(z, varying) {
		return nil
	}
	distance := make([]float64, n)
	work := newResidualWork(r)
	for i := range n {
		r.apply(work, contexts.RawRowView(i))
		distance[i] = sum(work.whitened)
	}
	r.Typical = median(distance)
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

// components keeps the fewest components that explain enough, never all. The
// floor of the noise keeps one exact relation, as between a metric and its copy,
// from drowning the rest.
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
		r.Variance = append(r.Variance, values[k])
	}
	r.Noise = math.Max((total-sum)/float64(varying-len(r.Components)), minNoise)
	return true
}

// residualWork is scratch space for apply, and its result: per feature, summed
// over its parts, the squared residual and the squared whitened value.
type residualWork struct {
	z, white          []float64
	squares, whitened []float64
}

func newResidualWork(r *Residual) *residualWork {
	p := len(r.Mean)
	return &residualWork{
		z: make([]float64, p), white: make([]float64, p), squares: make([]float64, p/parts), whitened: make([]float64, p/parts),
	}
}

// apply analyses one context.
func (r *Residual) apply(w *residualWork, context []float64) {
	gather(w.z, context)
	r.Standard.apply(w.z)
	clear(w.white)
	for k, component := range r.Components {
		// Orthonormal components may be taken away one after the other.
		dot := 0.0
		for c, v := range component {
			dot += float64(v * w.z[c])
		}
		unit := dot / math.Sqrt(r.Variance[k])
		for c, v := range component {
			w.z[c] -= float64(dot * v)
			w.white[c] += float64(unit * v)
		}
	}
	noise := 1 / math.Sqrt(r.Noise)
	for c, residual := range w.z {
		w.white[c] += float64(noise * residual)
	}
	for f := range w.squares {
		w.squares[f] = squares(w.z[f*parts : (f+1)*parts])
		w.whitened[f] = squares(w.white[f*parts : (f+1)*parts])
	}
}

func squares(x []float64) (s float64) {
	for _, v := range x {
		s += float64(v * v)
	}
	return s
}
