package detect

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
)

var abc = []string{"a", "b", "c"}

// host makes the contexts of a host whose features follow one load, each with
// noise of its own; change alters a row before its context is made.
func host(t testing.TB, rows, features int, seed uint64, change func(i int, row []float64)) *mat.Dense {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	values := make([][]float64, rows)
	load := 0.0
	for i := range values {
		load = 0.95*load + 0.3*r.NormFloat64()
		values[i] = make([]float64, features)
		for f := range features {
			values[i][f] = 50 + 5*load + float64(f+1)*r.NormFloat64()
		}
		if change != nil {
			change(i, values[i])
		}
	}
	return contexts(t, values)
}

// contexts sends rows of values down the road that all vectors take.
func contexts(t testing.TB, values [][]float64) *mat.Dense {
	t.Helper()
	s := feature.Schema{Interval: time.Minute, Window: 15 * time.Minute}
	for f := range values[0] {
		s.Features = append(s.Features, feature.Feature{Name: names(len(values[0]))[f], Measurement: "m", Fields: []string{"x"}})
	}
	require.NoError(t, s.Normalize())
	q, err := feature.NewSequence(&s, "")
	require.NoError(t, err)
	var out []float64
	for i, row := range values {
		out = append(out, q.Add(int64(i)*int64(time.Minute), row).Context...)
	}
	return mat.NewDense(len(values), len(values[0])*feature.ContextWidth, out)
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('a' + i))
	}
	return out
}

func fit(t testing.TB, x *mat.Dense, o Options) *Model {
	t.Helper()
	_, width := x.Dims()
	m, err := Fit(x, names(width/feature.ContextWidth), true, o)
	require.NoError(t, err)
	return m
}

func explain(t testing.TB, m *Model, context []float64) Verdict {
	t.Helper()
	var v Verdict
	require.NoError(t, NewScorer(m).Explain(&v, context))
	return v
}

// at changes one number of a feature in a copy of a context.
func at(context []float64, f, place int, x float64) []float64 {
	c := append([]float64(nil), context...)
	c[f*feature.ContextWidth+place] = x
	return c
}

// drawContext gives contexts usual and absurd.
func drawContext(t *rapid.T, features int) []float64 {
	number := rapid.OneOf(rapid.Float64Range(0, 100), rapid.Float64Range(-1e6, 1e6), rapid.Just(0.0), rapid.SampledFrom([]float64{1e308, -1e308, math.NaN(), math.Inf(1), math.Inf(-1)}))
	c := make([]float64, 0, features*feature.ContextWidth)
	for range features {
		c = append(c, number.Draw(t, "value"), number.Draw(t, "level"), math.Abs(number.Draw(t, "deviation")),
			float64(rapid.IntRange(0, 1000).Draw(t, "run")))
	}
	return c
}
