package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
)

func TestBandDistance(t *testing.T) {
	b := Band{Low: 10, High: 20, Unit: 2}
	for _, c := range []struct{ x, want float64 }{
		{10, 0}, {15, 0}, {20, 0}, {8, 1}, {24, 2}, {math.NaN(), 0}, {1e308, maxDistance}, {-1e308, maxDistance},
		{math.Inf(1), maxDistance}, {219, 99.5}, {220, 100}, {221, 100},
	} {
		require.Equal(t, c.want, b.Distance(c.x), "%v", c.x)
	}
}

func TestRangeBand(t *testing.T) {
	ramp := make([]float64, 1001)
	for i := range ramp {
		ramp[i] = float64(i)
	}
	b := rangeBand(ramp)
	require.InDelta(t, 1, b.Low, 1e-9)
	require.InDelta(t, 999, b.High, 1e-9)
	_, deviation := meanDeviation(ramp)
	require.Equal(t, deviation, b.Unit)
	require.Equal(t, Band{Low: 8, High: 8, Unit: 0.4}, rangeBand([]float64{8, 8, 8}), "a constant: a twentieth of its value")
	require.Equal(t, tiny, rangeBand([]float64{0, 0}).Unit)
}

// Each term, alone: what sets it off, and whom it blames.
func TestEachTerm(t *testing.T) {
	still := func(i int, row []float64) { // c stands still for up to five rows
		if i%20 < 5 {
			row[2] = 50
		}
	}
	x := host(t, 2000, 3, 21, still)
	calm := x.RawRowView(777)
	for _, c := range []struct {
		name    string
		options func(*Options)
		odd     []float64
		blamed  int
	}{
		{"range", func(o *Options) { o.RangeWeight = 0.3 }, at(calm, 1, feature.Value, 500), 1},
		{"residual", func(o *Options) { o.ResidualWeight = 0.2 }, at(calm, 0, feature.Value, 500), 0},
		{"relation", func(o *Options) { o.RelationWeight = 0.3 }, at(calm, 0, feature.Level, 80), 0},
		{"jump", func(o *Options) { o.JumpWeight = 0.3 }, at(calm, 1, feature.Value, 90), 1},
		{"flat", func(o *Options) { o.FlatWeight = 0.3 }, at(calm, 2, feature.Run, 100), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := DefaultOptions().Classic()
			c.options(&o)
			m := fit(t, x, o)
			terms := func(context []float64) []float64 {
				w := newWork(m)
				m.row(make([]float64, m.Forest.Columns()), w, context)
				m.addTerms(w, context)
				return w.terms
			}
			require.Less(t, sum(terms(calm)), 0.15)
			odd := terms(c.odd)
			require.Greater(t, sum(odd), 0.3)
			for f := range odd {
				require.GreaterOrEqual(t, odd[c.blamed]+1e-9, odd[f], "%v", odd)
			}
			off := fit(t, x, DefaultOptions().Classic())
			require.Less(t, explain(t, off, c.odd).Score, explain(t, m, c.odd).Score)
		})
	}
}

// The formulas, by hand.
func TestTermFormulas(t *testing.T) {
	m := &Model{
		Features: []string{"a", "b"}, Still: []float64{4, maxRun}, Range: []Band{{0, 1, 1}, {0, 1, 2}},
		Options: Options{RangeWeight: 0.5, FlatWeight: 0.25},
	}
	w := newWork(m)
	m.addTerms(w, []float64{3, 0, 0, 12, 3, 0, 0, 1000})
	// Distances 2 and 1; the largest counts, shared 2 to 1. a stood still for three
	// times its longest, b may stand still for ever.
	joint := 0.5 * math.Log1p(2)
	require.InDeltaSlice(t, []float64{joint*2/3 + 0.25*math.Log1p(2), joint / 3}, w.terms, 1e-12)
}

// However a joint term is shared, nothing is lost and nobody gets a negative part.
func TestShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 8).Draw(t, "parts")
		bits := rapid.Float64Range(0, 10).Draw(t, "bits")
		w := &work{terms: make([]float64, len(parts))}
		w.share(bits, parts)
		if sum(parts) > 0 {
			require.InDelta(t, bits, sum(w.terms), 1e-12)
		} else {
			require.Zero(t, sum(w.terms))
		}
		for _, term := range w.terms {
			require.GreaterOrEqual(t, term, 0.0)
		}
	})
}

func TestUsual(t *testing.T) {
	x := mat.NewDense(5, feature.ContextWidth, []float64{
		1, 10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4, 10, 0, 0, 100, 10, 0, 0,
	})
	u := fitUsual(x, false)
	require.Equal(t, []float64{3, 10, 0}, u.Middle)
	_, deviation := meanDeviation([]float64{1, 2, 3, 4, 100})
	require.InDelta(t, math.Max(1.4826, 0.05*deviation), u.Unit[0], 1e-12)
	require.Greater(t, u.Unit[1], 0.0, "a constant has a unit all the same")
	require.InDelta(t, 2/u.Unit[0], u.distance(0, []float64{1, 10, 0, 0}), 1e-12)
	require.Nil(t, u.Jump, "without a window a value is its own level")

	u = fitUsual(x, true)
	_, deviation = meanDeviation([]float64{-9, -8, -7, -6, 90})
	require.InDelta(t, math.Max(8*1.4826, 0.05*deviation), u.Jump[0], 1e-12, "the middle jump is of 8")
}
