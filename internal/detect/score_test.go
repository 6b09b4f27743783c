package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/shap"
)

// The stored fields prove themselves, whatever comes in: the logarithm of the
// score is the base and the shares, and the verdict follows from score and
// threshold.
func TestExplanationAddsUp(t *testing.T) {
	m := fit(t, host(t, 400, 3, 1, nil), DefaultOptions())
	s := NewScorer(m)
	rapid.Check(t, func(t *rapid.T) {
		var v Verdict
		require.NoError(t, s.Explain(&v, drawContext(t, 3)))
		require.InDelta(t, math.Log2(v.Score), v.Base+floats.Sum(v.Shap), 1e-9)
		require.True(t, v.Score > 0 && v.Score <= 1, "score %v", v.Score)
		require.Equal(t, v.Score > v.Threshold+1e-9, v.Anomaly)
		for _, x := range append(append(v.Shap, v.Suspicion...), v.Score, v.Bits, v.Base, v.Threshold) {
			require.False(t, math.IsNaN(x) || math.IsInf(x, 0), "%+v", v)
		}
	})
}

func TestScoreAgreesWithExplain(t *testing.T) {
	m := fit(t, host(t, 400, 3, 1, nil), DefaultOptions())
	s := NewScorer(m)
	rapid.Check(t, func(t *rapid.T) {
		c := drawContext(t, 3)
		var v Verdict
		require.NoError(t, s.Explain(&v, c))
		require.InDelta(t, v.Score, s.Score(c).Score, 1e-12)
	})
}

// A scorer keeps nothing from one vector to the next.
func TestScorerHasNoMemory(t *testing.T) {
	x := host(t, 300, 3, 2, nil)
	m := fit(t, x, DefaultOptions())
	used := NewScorer(m)
	var v Verdict
	for i := range 300 {
		require.NoError(t, used.Explain(&v, x.RawRowView(i)))
		if i%30 == 0 {
			require.Equal(t, explain(t, m, x.RawRowView(i)), v)
		}
	}
}

// With everything off and no window the model is the isolation forest of the
// paper on the bare values: threshold, scores and shares are those of packages
// forest and shap, bit for bit.
func TestClassicIsThePlainForest(t *testing.T) {
	x := host(t, 500, 3, 3, nil)
	o := DefaultOptions().Classic()
	o.Contamination = 0.05
	m, err := Fit(x, abc, false, o)
	require.NoError(t, err)

	bare := mat.NewDense(500, 3, nil)
	for i := range 500 {
		for f := range 3 {
			bare.Set(i, f, x.At(i, f*feature.ContextWidth+feature.Value))
		}
	}
	plain, err := forest.Fit(bare, forest.Options{Trees: o.Trees, SampleSize: o.SampleSize})
	require.NoError(t, err)
	scores := plain.Scores(nil, bare)
	threshold, err := forest.Threshold(scores, 0.05)
	require.NoError(t, err)
	require.InDelta(t, threshold, m.Threshold, 1e-12)
	e, err := shap.New(plain, nil)
	require.NoError(t, err)
	scorer := NewScorer(m)
	for i := range 500 {
		var v Verdict
		require.NoError(t, scorer.Explain(&v, x.RawRowView(i)))
		require.InDelta(t, scores[i], v.Score, 1e-12)
		require.Equal(t, e.Bits(nil, bare.RawRowView(i)), v.Shap)
		require.Equal(t, e.BaseBits(), v.Base)
	}
}

// Bits below 0 keep the order of bits of any size, and nothing changes up to the
// knee.
func TestBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-5, 50).Draw(t, "a")
		b := rapid.Float64Range(-5, 50).Draw(t, "b")
		require.Less(t, below(a), 0.0)
		if b-a > 1e-9 {
			require.Less(t, below(a), below(b))
		}
		require.InDelta(t, a, above(below(a)), 1e-9*math.Max(1, a*a))
		require.InDelta(t, a, ToBits(ToScore(a)), 1e-9*math.Max(1, a*a))
		if a <= knee {
			require.Equal(t, a, below(a))
		}
	})
	require.InDelta(t, 1, (below(knee+1e-6)-below(knee))/1e-6, 1e-4, "the slope does not jump")
	require.False(t, math.IsInf(ToBits(1), 0), "a threshold of 1 is a number")
}

// Shrunk terms stay terms: none negative, in the old proportion, and the order of
// vectors by forest and terms together stays.
func TestSettle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := -rapid.Float64Range(0.01, 2).Draw(t, "forest")
		terms := rapid.SliceOfN(rapid.Float64Range(0, 5), 3, 3).Draw(t, "terms")
		before := append([]float64(nil), terms...)
		settle(f, terms)
		require.Less(t, f+sum(terms), 0.0)
		for i := range terms {
			require.GreaterOrEqual(t, terms[i], 0.0)
			require.LessOrEqual(t, terms[i], before[i]+1e-12)
			require.InDelta(t, terms[i]*before[0], before[i]*terms[0], 1e-9)
		}
		if f+sum(before) <= knee {
			require.InDeltaSlice(t, before, terms, 1e-12)
		}
	})
}

// What the score would be without a push: all of it leaves the base, none of it
// the score, and a small part of a compressed verdict is still a small part.
func TestWithout(t *testing.T) {
	x := host(t, 400, 3, 4, nil)
	m := fit(t, x, DefaultOptions())
	v := explain(t, m, at(x.RawRowView(100), 0, feature.Value, 1e6))
	require.Greater(t, v.Score, 0.84, "compressed")
	rise := math.Log2(v.Score) - v.Base
	require.InDelta(t, v.Score, v.Without(0), 1e-12)
	require.InDelta(t, math.Exp2(v.Base), v.Without(rise), 1e-9)
	require.Greater(t, v.Without(rise/10), m.Threshold)
	quiet := Verdict{Score: math.Exp2(-1.2), Base: -1, Bits: -1.2}
	require.InDelta(t, math.Exp2(-1.3), quiet.Without(0.1), 1e-12)
}

// The first suspect of a feature that went its own way is that feature.
func TestSuspicion(t *testing.T) {
	x := host(t, 600, 3, 5, nil)
	m := fit(t, x, DefaultOptions())
	for f := range 3 {
		v := explain(t, m, at(x.RawRowView(300), f, feature.Value, 500))
		require.Equal(t, f, floats.MaxIdx(v.Suspicion), "%v", v.Suspicion)
	}
	v := Verdict{Score: 0.5, Shap: []float64{-0.5, 0, 0.25}}
	u := Usual{Middle: make([]float64, 9), Unit: []float64{1, 1, 1, 1, 1, 1, 2, 2, 2}}
	context := []float64{9, 9, 9, 0, 9, 9, 9, 0, 8, 2, 1, 0}
	v.suspect(&u, context)
	require.Equal(t, []float64{0, 0, 1}, v.Suspicion, "8 in units of 2, times the root of the push and the score")
	u.Jump = []float64{1, 1, 12}
	v.suspect(&u, context)
	require.Equal(t, []float64{0, 0, 0.25}, v.Suspicion, "a jump by 6 in units of 12 is less than a quarter of 4")
	u.Jump[2] = 2
	v.suspect(&u, context)
	require.Equal(t, []float64{0, 0, 0.75}, v.Suspicion, "in units of 2 it is more")
}

func TestSuspect(t *testing.T) {
	for name, c := range map[string]struct {
		suspicion, shap []float64
		want            int
	}{
		"it leads the second ranking":        {[]float64{1, 3, 2}, []float64{.5, .1, .2}, 1},
		"or, where that is silent, the push": {[]float64{0, 0, 0}, []float64{-.3, -.1, -.2}, 1},
	} {
		require.Equal(t, c.want, (&Verdict{Suspicion: c.suspicion, Shap: c.shap}).Suspect(), name)
	}
}
