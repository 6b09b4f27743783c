package main

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
)

// random flags one row in a hundred.
func random(_ context.Context, m *machine, seed uint64) (*verdicts, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	n := len(m.test.Series[0].Rows)
	v := &verdicts{score: make([]float64, n), blame: make([][]float64, n)}
	for i := range v.score {
		v.score[i] = r.Float64()
	}
	v.flag = eval.Flags(v.score, 0.99)
	return v, nil
}

// robust scores a row by its largest distance from a median, in units of the
// median absolute deviation.
func robust(_ context.Context, m *machine, _ uint64) (*verdicts, error) {
	features := len(m.test.Schema.Features)
	middle, unit := make([]float64, features), make([]float64, features)
	for f := range features {
		x := mat.Col(nil, f*feature.ContextWidth+feature.Value, m.train.Contexts)
		middle[f] = median(x)
		unit[f] = math.Max(1.4826*median(deviations(x, middle[f])), math.Max(0.05*stat.StdDev(x, nil), 1e-9))
	}
	z := func(context []float64) []float64 {
		out := make([]float64, features)
		for f := range out {
			out[f] = math.Abs(context[f*feature.ContextWidth+feature.Value]-middle[f]) / unit[f]
		}
		return out
	}
	return baseline(m, z, floats.Max)
}

func deviations(x []float64, middle float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Abs(v - middle)
	}
	return out
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return stat.Quantile(0.5, stat.LinInterp, s, nil)
}

// principal scores a row by what the principal components that carry 90 % of the
// variance of values, means and deviations cannot reproduce.
func principal(_ context.Context, m *machine, _ uint64) (*verdicts, error) {
	p := newProjection(m.train.Contexts)
	return baseline(m, p.errors, floats.Sum)
}

type projection struct {
	mean, scale []float64
	leading     mat.Matrix // columns are components
}

func newProjection(contexts *mat.Dense) *projection {
	n, width := contexts.Dims()
	columns := 3 * width / feature.ContextWidth
	p := &projection{mean: make([]float64, columns), scale: make([]float64, columns)}
	z := mat.NewDense(n, columns, nil)
	for i := range n {
		gather(z.RawRowView(i), contexts.RawRowView(i))
	}
	for c := range columns {
		p.mean[c], p.scale[c] = stat.MeanStdDev(mat.Col(nil, c, z), nil)
	}
	for i := range n {
		p.standardize(z.RawRowView(i))
	}
	var pc stat.PC
	if !pc.PrincipalComponents(z, nil) {
		panic("quality: no principal components")
	}
	var vectors mat.Dense
	pc.VectorsTo(&vectors)
	variance := pc.VarsTo(nil)
	keep, sum := 0, 0.0
	for total := floats.Sum(variance); sum < 0.9*total; keep++ {
		sum += variance[keep]
	}
	p.leading = vectors.Slice(0, columns, 0, keep)
	return p
}

func gather(dst, context []float64) {
	for f := range len(dst) / 3 {
		copy(dst[3*f:3*f+3], context[f*feature.ContextWidth:])
	}
}

func (p *projection) standardize(z []float64) {
	for c := range z {
		if z[c] -= p.mean[c]; p.scale[c] > 1e-9 {
			z[c] /= p.scale[c]
		} else {
			z[c] = 0
		}
	}
}

// errors are the squared reconstruction errors per feature.
func (p *projection) errors(context []float64) []float64 {
	z := make([]float64, len(p.mean))
	gather(z, context)
	p.standardize(z)
	var inner, image mat.VecDense
	v := mat.NewVecDense(len(z), z)
	inner.MulVec(p.leading.T(), v)
	image.MulVec(p.leading, &inner)
	out := make([]float64, len(z)/3)
	for c := range z {
		d := z[c] - image.AtVec(c)
		out[c/3] += d * d
	}
	return out
}

// baseline flags the test rows that score above 99 % of the training rows.
func baseline(m *machine, blame func(context []float64) []float64, total func([]float64) float64) (*verdicts, error) {
	n, _ := m.train.Contexts.Dims()
	trained := make([]float64, n)
	for i := range trained {
		trained[i] = total(blame(m.train.Contexts.RawRowView(i)))
	}
	slices.Sort(trained)
	threshold := stat.Quantile(0.99, stat.LinInterp, trained, nil)
	v := &verdicts{}
	for context := range m.contexts() {
		b := blame(context)
		v.score, v.blame = append(v.score, total(b)), append(v.blame, b)
	}
	v.flag = eval.Flags(v.score, threshold)
	return v, nil
}
