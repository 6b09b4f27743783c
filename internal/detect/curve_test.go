package detect

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
)

// draws gives rows of one feature with a daily pattern, made by next out of the
// pattern, from -1 to 1, and normal noise.
func draws(rows int, next func(day, noise float64) float64) [][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	values := make([][]float64, rows)
	for i := range values {
		values[i] = []float64{next(math.Sin(2*math.Pi*float64(i)/1440), r.NormFloat64())}
	}
	return values
}

func traffic(day, noise float64) float64 { return 20e6 * math.Exp(0.5*day+0.2*noise) }

func TestWhatMultipliesIsSeenAsALogarithm(t *testing.T) {
	for name, c := range map[string]struct {
		rows int
		next func(day, noise float64) float64
		log  bool
	}{
		"traffic":                  {3000, traffic, true},
		"even noise":               {3000, func(day, noise float64) float64 { return 40 + 20*day + 3*noise }, false},
		"a square root's noise":    {3000, func(day, noise float64) float64 { return math.Pow(math.Exp(0.5*day)+0.2*noise, 2) / 2 }, false},
		"noise on a flat level":    {3000, func(_, noise float64) float64 { return 20e6 * math.Exp(0.01*noise) }, false},
		"it idles every other day": {3000, func(day, noise float64) float64 { return max(0, traffic(day, noise)*math.Ceil(day)) }, false},
		"below 0":                  {3000, func(day, noise float64) float64 { return -traffic(day, noise) }, false},
		"too little to tell":       {60, traffic, false},
	} {
		curve := fitCurve(contexts(t, draws(c.rows, c.next)), 0)
		require.Equal(t, c.log, curve.Knee > 0, "%s: %+v", name, curve)
	}
}

// The scale is smooth, keeps every order, and can be left again.
func TestCurveIsAScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Curve{}
		if rapid.Bool().Draw(t, "log") {
			c = Log(rapid.Float64Range(1e-3, 1e9).Draw(t, "usual"))
		}
		x := rapid.Float64Range(-1e10, 1e10).Draw(t, "x")
		y := x + rapid.Float64Range(1e-3, 1e10).Draw(t, "more")
		require.Greater(t, c.At(y), c.At(x))
		require.InEpsilon(t, 1+math.Abs(x), 1+math.Abs(c.Back(c.At(x))), 1e-9)
		step := 1e-6 * (math.Abs(x) + max(c.Knee, 1))
		require.InEpsilon(t, (c.At(x+step)-c.At(x-step))/(2*step), c.Slope(x), 1e-3)
	})
}

// What it is for: half the traffic of a quiet hour is as strange as twice that of
// a busy one, and a drop that never leaves the range counts.
func TestALogarithmSeesADrop(t *testing.T) {
	drop := func(values [][]float64) [][]float64 {
		for i := range 20 {
			values[2160+i][0] *= 0.4 // in the evening, when it is in the middle of its range
		}
		return values
	}
	both := func(change func([][]float64) [][]float64) *mat.Dense { // load keeps it company
		values := draws(3000, traffic)
		load := draws(3000, func(day, noise float64) float64 { return 40 + 20*day + noise })
		for i, row := range change(values) {
			values[i] = append(row, load[i][0])
		}
		return contexts(t, values)
	}
	train, test := both(func(v [][]float64) [][]float64 { return v }), both(drop)
	m := fit(t, train, DefaultOptions())
	require.Positive(t, m.Curves[0].Knee)
	require.False(t, explain(t, m, train.RawRowView(2165)).Anomaly)
	v := explain(t, m, test.RawRowView(2165))
	require.True(t, v.Anomaly, "%+v", v)
	require.Greater(t, v.Shap[0], v.Shap[1])
}

func TestExplanationAddsUpOnACurve(t *testing.T) {
	m := fit(t, contexts(t, draws(2000, traffic)), DefaultOptions())
	require.Positive(t, m.Curves[0].Knee)
	s := NewScorer(m)
	rapid.Check(t, func(t *rapid.T) {
		var v Verdict
		c := drawContext(t, 1)
		require.NoError(t, s.Explain(&v, c))
		require.InDelta(t, math.Log2(v.Score), v.Base+floats.Sum(v.Shap), 1e-9)
		require.InDelta(t, v.Score, s.Score(c).Score, 1e-12)
		require.False(t, math.IsNaN(v.Score))
	})
}

func TestCurveSeesDeviationsThroughItsSlope(t *testing.T) {
	c := Log(1000)
	context := []float64{2000, 1000, 50, 3}
	seen := append([]float64(nil), context...)
	c.see(seen, context)
	require.InDelta(t, c.At(2000), seen[feature.Value], 1e-12)
	require.InDelta(t, c.At(1000), seen[feature.Level], 1e-12)
	require.InDelta(t, c.At(1025)-c.At(975), seen[feature.Deviation], 1e-4)
	require.Equal(t, 3.0, seen[feature.Run])
	c.see(context, context)
	require.Equal(t, seen, context, "in place, too")
}

func TestCurvesOfAnotherModelAreRefused(t *testing.T) {
	m := fit(t, contexts(t, draws(2000, traffic)), DefaultOptions())
	for name, curves := range map[string][]Curve{
		"too many":     {{}, {}},
		"knee below 0": {{Knee: -1}},
		"no unit":      {{Knee: 1}},
	} {
		broken := *m
		broken.Curves = curves
		require.ErrorContains(t, broken.Validate(names(1)), "curve", name)
	}
}
