package drift

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func mustReference(t testing.TB, name string, sample []float64) Reference {
	t.Helper()
	r, err := NewReference(name, sample)
	require.NoError(t, err)
	return r
}

// ramp returns 0, 1, … n−1.
func ramp(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	return x
}

func TestReferenceGridHoldsMidPercentiles(t *testing.T) {
	grid := mustReference(t, "cpu", ramp(1000)).Grid
	require.Len(t, grid, GridSize)
	for i, v := range grid {
		require.Equal(t, float64(10*i+5), v) // the middle one of values 10i … 10i+9
	}
}

func TestReferenceOfSmallSampleIsTheSample(t *testing.T) {
	for _, n := range []int{1, 2, 99, GridSize} {
		require.Equal(t, ramp(n), mustReference(t, "cpu", ramp(n)).Grid)
	}
}

func TestReferenceMomentsAgreeWithGonum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 300).Draw(t, "sample")
		r, err := NewReference("cpu", sample)
		require.NoError(t, err)
		mean, deviation := stat.PopMeanStdDev(sample, nil)
		require.InDelta(t, mean, r.Mean, 1e-8)
		require.InDelta(t, deviation, r.Deviation, 1e-6)
		require.Equal(t, len(sample), r.Count)
	})
}

func TestReferenceIgnoresOrderAndLeavesSampleAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 300).Draw(t, "sample")
		before := slices.Clone(sample)
		a, err := NewReference("cpu", sample)
		require.NoError(t, err)
		require.Equal(t, before, sample)
		b, err := NewReference("cpu", rapid.Permutation(sample).Draw(t, "shuffled"))
		require.NoError(t, err)
		require.Equal(t, a, b)
	})
}

func TestNewReferenceRefuses(t *testing.T) {
	for name, sample := range map[string][]float64{
		"nothing":           nil,
		"NaN":               {1, math.NaN(), 3},
		"infinity":          {1, math.Inf(1)},
		"minus infinity":    {math.Inf(-1), 1},
		"infinite variance": {-math.MaxFloat64, math.MaxFloat64},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewReference("cpu", sample)
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, `"cpu"`)
		})
	}
}

func TestReferenceValidateRefusesHostileJSON(t *testing.T) {
	for name, text := range map[string]string{
		"empty":              `{}`,
		"no grid":            `{"count":5,"grid":[]}`,
		"more grid than is":  `{"count":1,"grid":[1,2]}`,
		"negative count":     `{"count":-1,"grid":[1]}`,
		"unsorted":           `{"count":3,"grid":[1,3,2]}`,
		"negative deviation": `{"count":1,"grid":[1],"deviation":-1}`,
	} {
		t.Run(name, func(t *testing.T) {
			var r Reference
			require.NoError(t, json.Unmarshal([]byte(text), &r))
			require.ErrorIs(t, r.Validate(), ErrInvalid)
		})
	}
	require.ErrorIs(t, Reference{Count: 1000, Grid: ramp(GridSize + 1)}.Validate(), ErrInvalid)
	require.ErrorIs(t, Reference{Count: 1, Grid: []float64{math.NaN()}}.Validate(), ErrInvalid)
	require.ErrorIs(t, Reference{Count: 1, Grid: []float64{1}, Mean: math.Inf(1)}.Validate(), ErrInvalid)
}

func TestReferenceScaleIsPositive(t *testing.T) {
	for _, c := range []struct {
		name   string
		sample []float64
		want   float64
	}{
		{"deviation", []float64{-1, 1}, 1},
		{"constant: its own size", []float64{-42, -42, -42}, 42},
		{"constant that sums inexactly", slices.Repeat([]float64{0.1}, 1000), 0.1},
		{"zero", []float64{0, 0}, 1},
	} {
		require.Equal(t, c.want, mustReference(t, "cpu", c.sample).Scale(), c.name)
	}
}

func TestStandardiseIsBoundedMonotoneAndFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := NewReference("cpu", rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 50).Draw(t, "sample"))
		require.NoError(t, err)
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		za, zb := r.standardise(min(a, b)), r.standardise(max(a, b))
		require.LessOrEqual(t, za, zb)
		require.GreaterOrEqual(t, za, float32(-winsor))
		require.LessOrEqual(t, zb, float32(winsor))
	})
}

func TestWinsorisingBiasesAMeanByLessThanScarfsBound(t *testing.T) {
	bound := (math.Sqrt(1+winsor*winsor) - winsor) / 2
	require.InDelta(t, 0.081, bound, 0.0005)
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(0, 20), 2, 200).Draw(t, "log sample")
		for i := range sample {
			sample[i] = math.Exp(sample[i])
		}
		r, err := NewReference("cpu", sample)
		require.NoError(t, err)
		var mean float64
		for _, v := range sample {
			mean += float64(r.standardise(v)) / float64(len(sample))
		}
		require.LessOrEqual(t, math.Abs(mean), bound+1e-6)
	})
}

func TestGridErrorInKolmogorovSmirnovIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(0, 50).AsAny(), 1, 1000).Draw(t, "sample")
		full := make([]float64, len(sample))
		for i, v := range sample {
			full[i] = math.Round(v.(float64)) // with ties
		}
		current := rapid.SliceOfN(rapid.Float64Range(0, 60), 1, 100).Draw(t, "current")
		r, err := NewReference("cpu", full)
		require.NoError(t, err)
		slices.Sort(full)
		slices.Sort(current)
		bound := 0.5/GridSize + 1/float64(len(full))
		require.InDelta(t, KolmogorovSmirnov(full, current), KolmogorovSmirnov(r.Grid, current), bound+1e-9)
	})
}

// TestGridErrorOnUsualDistributions holds the figures in the doc comment of Reference.
func TestGridErrorOnUsualDistributions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	student := func() float64 { // t with 3 degrees of freedom
		chi := math.Hypot(math.Hypot(r.NormFloat64(), r.NormFloat64()), r.NormFloat64())
		return r.NormFloat64() * math.Sqrt(3) / chi
	}
	var worst [4]float64
	for _, draw := range []func() float64{r.NormFloat64, r.Float64, r.ExpFloat64, student} {
		for range 20 {
			full := drawSorted(20000, draw)
			ref := mustReference(t, "x", full)
			for _, d := range []float64{0, 0.5, 1} {
				current := drawSorted(Cells, func() float64 { return draw() + d*ref.Deviation })
				e := gridErrors(ref, full, current)
				for i := range worst {
					worst[i] = max(worst[i], e[i])
				}
			}
		}
	}
	t.Logf("KS %.4f, PSI %.1f %%, Wasserstein %.4f (winsorised %.4f) deviations", worst[0], 100*worst[1], worst[2], worst[3])
	require.Less(t, worst[0], 0.0051)
	require.Less(t, worst[1], 0.1)
	require.Less(t, worst[2], 0.05)
	require.Less(t, worst[3], 0.01)
}

func drawSorted(n int, draw func() float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = draw()
	}
	slices.Sort(x)
	return x
}

// gridErrors returns what the grid costs: of KS, of PSI (relative to its value or to the threshold, if that is larger),
// of Wasserstein in deviations, and of the same winsorised.
func gridErrors(ref Reference, full, current []float64) [4]float64 {
	psi := PSI(full, current)
	winsorised := func(x []float64) []float64 {
		z := make([]float64, len(x))
		for i, v := range x {
			z[i] = float64(ref.standardise(v))
		}
		return z
	}
	z := winsorised(current)
	return [4]float64{
		math.Abs(KolmogorovSmirnov(ref.Grid, current) - KolmogorovSmirnov(full, current)),
		math.Abs(PSI(ref.Grid, current)-psi) / max(psi, PSIThreshold),
		math.Abs(Wasserstein(ref.Grid, current, ref.Scale()) - Wasserstein(full, current, ref.Scale())),
		math.Abs(Wasserstein(ref.standardGrid(), z, 1) - Wasserstein(winsorised(full), z, 1)),
	}
}

func TestProfileWindowIsWholeDays(t *testing.T) {
	const day = 24 * time.Hour
	for span, want := range map[time.Duration]time.Duration{
		0:                        3 * day,
		2 * time.Hour:            3 * day,
		day:                      3 * day,
		3*day + 12*time.Hour:     3 * day,
		5*day - 10*time.Second:   5 * day,
		7*day - 10*time.Second:   7 * day,
		7*day - 20*time.Minute:   7 * day,
		7*day - 2*time.Hour:      6 * day,
		30 * day:                 7 * day,
		-4 * day:                 3 * day, // nonsense in, something safe out
		200 * 365 * day:          7 * day,
		6*day + 23*time.Hour + 1: 6 * day,
	} {
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		require.Equal(t, want, Profile{From: from, To: from.Add(span)}.Window(), "span %v", span)
	}
}

func TestProfileValidate(t *testing.T) {
	cpu, memory := mustReference(t, "cpu", ramp(5)), mustReference(t, "memory", ramp(5))
	require.NoError(t, Profile{References: []Reference{cpu, memory}}.Validate())
	require.ErrorIs(t, Profile{}.Validate(), ErrInvalid)
	require.ErrorContains(t, Profile{References: []Reference{cpu, cpu}}.Validate(), "two references named")
	require.ErrorContains(t, Profile{References: []Reference{cpu, {Name: "bad"}}}.Validate(), `"bad"`)
}

func TestProfileSurvivesJSONAndIsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	p := Profile{From: from, To: from.Add(7 * day)}
	for _, name := range []string{"cpu", "memory", "network", "score"} {
		p.References = append(p.References, mustReference(t, name, drawSorted(10000, func() float64 { return 1e6 * r.ExpFloat64() })))
	}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.Less(t, len(text), 4*2300, "2 KB for each column")
	var back Profile
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, p, back)
}
