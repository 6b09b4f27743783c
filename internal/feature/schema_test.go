package feature

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

func number(v float64) *float64 { return &v }

func TestNormalizeFillsInDefaults(t *testing.T) {
	var s Schema
	require.NoError(t, s.Normalize())
	require.Equal(t, []string{"cpu", "memory", "network"}, s.Names())
	require.Equal(t, []string{"host"}, s.GroupBy)
	require.Equal(t, Carry, s.Missing)

	s = Schema{Features: []Feature{
		{Name: "a", Measurement: "m", Fields: []string{"f"}},
		{Name: "b", Measurement: "m", Fields: []string{"f"}, Kind: Counter},
	}}
	require.NoError(t, s.Normalize())
	require.Equal(t, Feature{Name: "a", Measurement: "m", Fields: []string{"f"}, Kind: Gauge, Combine: Mean, Scale: 1, Watch: Watch{Direction: Both}}, s.Features[0])
	require.Equal(t, Sum, s.Features[1].Combine)
}

func TestNormalizeRefuses(t *testing.T) {
	good := Feature{Name: "a", Measurement: "m", Fields: []string{"f"}}
	change := func(f func(*Feature)) Schema {
		feature := good
		f(&feature)
		return Schema{Features: []Feature{feature}}
	}
	for _, c := range []struct {
		name    string
		schema  Schema
		message string
	}{
		{"no name", change(func(f *Feature) { f.Name = "" }), `feature 1 (""): name must be a plain word`},
		{"a name with a space", change(func(f *Feature) { f.Name = "a b" }), `feature 1 ("a b"): name must be a plain word`},
		{"no measurement", change(func(f *Feature) { f.Measurement = "" }), `feature 1 ("a"): measurement is missing`},
		{"no field", change(func(f *Feature) { f.Fields = nil }), `feature 1 ("a"): fields is empty`},
		{"unknown kind", change(func(f *Feature) { f.Kind = "gage" }), `feature 1 ("a"): kind = "gage" is unknown; use "gauge" or "counter"`},
		{"unknown combination", change(func(f *Feature) { f.Combine = "min" }), `feature 1 ("a"): combine = "min" is unknown; use "sum", "max" or "mean"`},
		{"unknown direction", change(func(f *Feature) { f.Direction = "up" }), `feature 1 ("a"): direction = "up" is unknown; use "above", "below" or "both"`},
		{"empty range", change(func(f *Feature) { f.Min, f.Max = number(5), number(5) }), `feature 1 ("a"): min 5 must be below max 5`},
		{"scale that is no number", change(func(f *Feature) { f.Scale = math.NaN() }), `feature 1 ("a"): scale = NaN is not a finite number`},
		{"infinite offset", change(func(f *Feature) { f.Offset = math.Inf(1) }), `feature 1 ("a"): offset = +Inf is not a finite number`},
		{"infinite min", change(func(f *Feature) { f.Min = number(math.Inf(-1)) }), `feature 1 ("a"): min = -Inf is not a finite number`},
		{"max that is no number", change(func(f *Feature) { f.Max = number(math.NaN()) }), `feature 1 ("a"): max = NaN is not a finite number`},
		{"min_deviation that is no number", change(func(f *Feature) { f.MinDeviation = math.NaN() }), `feature 1 ("a"): min_deviation = NaN is not a finite number`},
		{"broken glob", change(func(f *Feature) { f.Include = map[string][]string{"i": {"["}} }), `feature 1 ("a"): pattern "[" for tag "i": syntax error in pattern`},
		{"the same name twice", Schema{Features: []Feature{good, good}}, `feature 2 ("a"): the name is taken by an earlier feature`},
		{"unknown policy", Schema{Missing: "ignore"}, `missing = "ignore" is unknown; use "skip", "carry" or "median"`},
		{"negative window", Schema{Window: -1}, `interval 0s and window -1ns must not be negative`},
	} {
		t.Run(c.name, func(t *testing.T) { require.EqualError(t, c.schema.Normalize(), c.message) })
	}
}

// The hash is what a model belongs to: all that changes a vector, nothing else.
func TestHash(t *testing.T) {
	base := defaults()
	same, other := *base, *base
	same.Interval = time.Minute
	same.Features = DefaultFeatures()
	same.Features[0].Direction = Above
	other.Window = time.Hour
	require.Equal(t, base.Hash(), same.Hash())
	require.NotEqual(t, base.Hash(), other.Hash())
	require.Len(t, base.Hash(), 16)
}

func TestWindowed(t *testing.T) {
	require.True(t, defaults().Windowed())
	require.False(t, (&Schema{Interval: time.Minute}).Windowed())
	require.Zero(t, (&Schema{Interval: time.Minute}).Past())
	require.Equal(t, 15*time.Minute, (&Schema{Interval: time.Minute, Window: 15 * time.Minute}).Past())
	require.Equal(t, 40*time.Minute, (&Schema{Interval: 5 * time.Minute, Window: 15 * time.Minute}).Past())
}

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		watch Watch
		x     float64
		minds bool
	}{
		{Watch{Both, 0}, 11, true}, {Watch{Both, 0}, 9, true}, {Watch{Both, 2}, 11, false}, {Watch{Both, 2}, 12, true}, {Watch{Both, 2}, 8, true},
		{Watch{Above, 0}, 11, true}, {Watch{Above, 0}, 9, false}, {Watch{Below, 0}, 9, true}, {Watch{Below, 0}, 11, false}, {Watch{Below, 2}, 9, false},
	} {
		require.Equal(t, c.minds, c.watch.Minds(c.x, 10), "%+v minds %v where 10 is usual", c.watch, c.x)
	}
	require.True(t, (&Watch{Direction: Both}).Free())
	require.False(t, (&Watch{Direction: Both, MinDeviation: 1}).Free())
	require.False(t, (&Watch{Direction: Above}).Free())
}

func TestSelects(t *testing.T) {
	for _, c := range []struct {
		name    string
		feature Feature
		tags    []string
		want    bool
	}{
		{"anything", Feature{}, nil, true},
		{"tag", Feature{Tags: map[string]string{"a": "1"}}, []string{"a", "1"}, true},
		{"other tag value", Feature{Tags: map[string]string{"a": "1"}}, []string{"a", "2"}, false},
		{"no such tag", Feature{Tags: map[string]string{"a": "1"}}, nil, false},
		{"included", Feature{Include: map[string][]string{"a": {"x*", "y"}}}, []string{"a", "y"}, true},
		{"not included", Feature{Include: map[string][]string{"a": {"x*", "y"}}}, []string{"a", "yy"}, false},
		{"nothing to include", Feature{Include: map[string][]string{"a": {"x*"}}}, nil, false},
		{"excluded", Feature{Exclude: map[string][]string{"a": {"x*"}}}, []string{"a", "xy"}, false},
		{"not excluded", Feature{Exclude: map[string][]string{"a": {"x*"}}}, []string{"a", "y"}, true},
		{"nothing to exclude", Feature{Exclude: map[string][]string{"a": {"x*"}}}, nil, true},
		{"both", Feature{Include: map[string][]string{"a": {"*"}}, Exclude: map[string][]string{"a": {"x"}}}, []string{"a", "x"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, c.feature.selects(point("m", c.tags, nil, 0)))
		})
	}
}

func TestValid(t *testing.T) {
	percent := Feature{Scale: 1, Min: number(0), Max: number(100)}
	busy := Feature{Scale: -1, Offset: 100, Min: number(0), Max: number(100)}
	rate := Feature{Scale: 8, Min: number(0)}
	for _, c := range []struct {
		name    string
		feature *Feature
		raw     float64
		want    float64
		ok      bool
	}{
		{"inside", &percent, 50, 50, true},
		{"edges", &percent, 100, 100, true},
		{"above by rounding", &percent, 100.1, 100, true},
		{"above", &percent, 100.2, 100, false},
		{"below by rounding", &percent, -0.1, 0, true},
		{"below", &percent, -0.2, 0, false},
		{"transformed", &busy, 99, 1, true},
		{"scaled, one limit", &rate, 1e6, 8e6, true},
		{"one limit, by rounding", &rate, -1e-4, 0, true},
		{"one limit, below", &rate, -1, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.feature.valid(c.raw)
			require.Equal(t, c.want, got)
			require.Equal(t, c.ok, ok)
		})
	}
	_, ok := percent.valid(math.NaN())
	require.False(t, ok)
}

func TestSpacing(t *testing.T) {
	second := int64(time.Second)
	for _, c := range []struct {
		name  string
		times func(k int64) []int64 // of the series, at moment k
		want  time.Duration
		after int64 // moments
	}{
		{"ten seconds", func(k int64) []int64 { return []int64{10 * k * second} }, 10 * time.Second, 4},
		{"many series say no more than one", func(k int64) []int64 {
			at := 10 * k * second
			if k == 0 {
				at = 7 * second // an uneven start
			}
			return []int64{at, at, at, at, at, at, at, at, at}
		}, 10 * time.Second, 5},
		{"the commonest of several", func(k int64) []int64 { return []int64{10 * k * second, 10 * (k / 6 * 6) * second} }, 10 * time.Second, 4},
		{"jitter of milliseconds", func(k int64) []int64 { return []int64{k*second + k%3*3e6 + 17} }, time.Second, 4},
		{"a second less a bit", func(k int64) []int64 { return []int64{k * 999_700_000} }, time.Second, 4},
		{"a quarter of a second", func(k int64) []int64 { return []int64{k*250e6 + k%3*1e6} }, 250 * time.Millisecond, 4},
		{"ever the same time", func(int64) []int64 { return []int64{5} }, 0, 0},
		{"nanoseconds apart", func(k int64) []int64 { return []int64{k} }, 0, 0},
		{"backwards", func(k int64) []int64 { return []int64{-k * second} }, 0, 0},
		{"ever another distance", func(k int64) []int64 { return []int64{k * k * second} }, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Spacing
			for k := range int64(2000) {
				for i, at := range c.times(k) {
					if d := s.Add(&lp.Point{Series: []byte{byte(i)}, Time: at}); d > 0 {
						require.Equal(t, c.want, d)
						require.Equal(t, c.after, k+1)
						return
					}
				}
			}
			require.Zero(t, c.want)
			require.LessOrEqual(t, len(s.votes), maxVoters+1, "memory is bounded")
		})
	}
}

func TestSpacingForgetsNothingItKnows(t *testing.T) {
	var s Spacing
	for k := range 5 * maxVoters {
		require.Zero(t, s.Add(&lp.Point{Series: []byte{byte(k), byte(k >> 8)}, Time: int64(k)}))
	}
	require.LessOrEqual(t, len(s.last), maxVoters)
}
