package detect

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/feature"
)

// Same rows, same options, same model, on any number of cores.
func TestFitIsDeterministic(t *testing.T) {
	x := host(t, 400, 3, 1, nil)
	encoded := func(workers int) string {
		o := DefaultOptions()
		o.Workers = workers
		m := fit(t, x, o)
		data, err := json.Marshal(m)
		require.NoError(t, err)
		trees, err := m.Forest.MarshalBinary()
		require.NoError(t, err)
		return string(data) + string(trees)
	}
	for _, workers := range []int{2, 3, 8} {
		require.Equal(t, encoded(1), encoded(workers))
	}
}

func TestFitLeavesTheRowsAlone(t *testing.T) {
	x := host(t, 200, 2, 1, func(i int, row []float64) {
		if i == 50 {
			row[0] = 1e308
		}
	})
	before := mat.DenseCopyOf(x)
	fit(t, x, DefaultOptions())
	require.True(t, mat.Equal(before, x))
}

// A model goes into a file as JSON and a forest, and comes out judging alike.
func TestModelSurvivesJSON(t *testing.T) {
	x := host(t, 300, 3, 1, nil)
	m := fit(t, x, DefaultOptions())
	data, err := json.Marshal(m)
	require.NoError(t, err)
	var again Model
	require.NoError(t, json.Unmarshal(data, &again))
	again.Forest = m.Forest
	require.NoError(t, again.Validate(abc))
	for i := 0; i < 300; i += 30 {
		require.Equal(t, explain(t, m, x.RawRowView(i)), explain(t, &again, x.RawRowView(i)))
	}
}

// Whatever a training set looks like, it makes a model that can be stored and
// whose numbers are numbers, or an error that says why not.
func TestOddTrainingSets(t *testing.T) {
	for _, c := range []struct {
		name     string
		features int
		change   func(i int, row []float64)
		columns  columns
	}{
		{"usual", 3, nil, fullColumns},
		{"one feature", 1, nil, fullColumns},
		{"a constant feature", 3, func(_ int, row []float64) { row[1] = 42 }, fullColumns},
		{"a feature that is 0", 3, func(_ int, row []float64) { row[1] = 0 }, fullColumns},
		{"two equal features", 2, func(_ int, row []float64) { row[1] = row[0] }, fullColumns},
		{"one value among constants", 2, func(i int, row []float64) {
			if row[0], row[1] = 1, 1; i == 100 {
				row[0] = 2
			}
		}, fullColumns},
		{"tiny numbers", 2, func(_ int, row []float64) { row[0] *= 1e-300 }, fullColumns},
		{"huge numbers", 2, func(_ int, row []float64) { row[0] *= 1e300 }, fullColumns},
		{"the largest number, once", 2, func(i int, row []float64) {
			if i == 100 {
				row[0] = math.MaxFloat64
			}
		}, fullColumns},
		{"20 features", 20, nil, fullColumns},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := host(t, 200, c.features, 1, c.change)
			m := fit(t, x, DefaultOptions())
			require.Equal(t, c.columns, m.Columns)
			require.NoError(t, m.Validate(names(c.features)))
			_, err := json.Marshal(m)
			require.NoError(t, err, "JSON has no NaN and no infinity")
			for _, odd := range []float64{0, 1, -1, 1e308, -1e308, 5e-324} {
				v := explain(t, m, at(x.RawRowView(150), 0, feature.Value, odd))
				require.InDelta(t, math.Log2(v.Score), v.Base+sum(v.Shap), 1e-9, "%v", odd)
			}
		})
	}
}

func TestFitRefuses(t *testing.T) {
	good := DefaultOptions()
	with := func(change func(*Options)) Options {
		o := good
		change(&o)
		return o
	}
	for _, c := range []struct {
		name    string
		rows    *mat.Dense
		names   []string
		options Options
		is      error
		says    string
	}{
		{"too few rows", host(t, MinRows-1, 2, 1, nil), names(2), good, ErrRows, "15, want at least 16"},
		{"nothing varies", host(t, 100, 2, 1, func(_ int, row []float64) { row[0], row[1] = 1, 2 }), names(2), good, forest.ErrConstant, ""},
		{"names and columns", host(t, 100, 2, 1, nil), abc, good, nil, "contexts have 8 columns, want 12 for 3 features"},
		{"a weight below 0", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.FlatWeight = -1 }), nil, "flat_weight = -1 must be between 0 and 10 bits"},
		{"a weight that is none", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.RangeWeight = math.NaN() }), nil, "range_weight"},
		{"contamination", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.Contamination = 0.6 }), nil, "contamination = 0.6"},
		{"no threshold asked for", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.Contamination = 0 }), nil, "one of contamination and alarms_per_week"},
		{"a budget below 0", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.AlarmsPerWeek = -1 }), nil, "alarms_per_week = -1"},
		{"a budget without a clock", host(t, 100, 2, 1, nil), names(2), with(func(o *Options) { o.AlarmsPerWeek = 1 }), nil, "needs the interval"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(c.rows, c.names, true, c.options)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
}

// All columns of a feature are one player.
func TestPlayers(t *testing.T) {
	m := fit(t, host(t, 100, 2, 1, nil), DefaultOptions())
	require.Equal(t, []int{0, 0, 0, 1, 1, 1}, m.Players())
	bare, err := Fit(host(t, 100, 2, 1, nil), names(2), false, DefaultOptions())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, bare.Players())
}

// A prepared model explains as one that is not, for any number of scorers, and one
// that has forgotten explains still.
func TestPreparing(t *testing.T) {
	c := contexts(t, draws(500, traffic))
	m, want := fit(t, c, DefaultOptions()), Verdict{}
	require.NoError(t, NewScorer(m).Explain(&want, c.RawRowView(7)))
	require.NoError(t, m.Prepare())
	prepared, another := NewScorer(m), NewScorer(m)
	check := func(s *Scorer) {
		var v Verdict
		require.NoError(t, s.Explain(&v, c.RawRowView(7)))
		require.Equal(t, want, v)
	}
	check(prepared)
	check(another)
	m.Forget()
	check(prepared)
	check(NewScorer(m))
}
