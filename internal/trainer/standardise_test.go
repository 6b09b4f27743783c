package trainer

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/feature"
)

// Why standardising is off by default: a model of features in units of their
// standard deviation, which the scale of a feature can express, says what the model
// of the plain ones says. To take away the mean, too, would only take away where 0
// is, and with it the logarithm that a feature which multiplies is seen on.
func TestUnitsDoNotMatter(t *testing.T) {
	src := fleet(t, 1, 3000)
	plain := schema(15 * time.Minute)
	for i := range plain.Features {
		plain.Features[i].Min, plain.Features[i].Max = nil, nil
	}
	standard := plain
	standard.Features = slices.Clone(plain.Features)
	for i, deviation := range spreads(t, src, plain) {
		f := &standard.Features[i]
		f.Scale, f.Offset = f.Scale/deviation, f.Offset/deviation
	}
	require.NoError(t, standard.Normalize())

	for _, deviation := range spreads(t, src, standard) {
		require.InDelta(t, 1, deviation, 1e-9)
	}

	a, b := scores(t, src, plain), scores(t, src, standard)
	require.Len(t, b, len(a))
	apart, most := 0, 0.0
	for key, score := range a {
		d := math.Abs(math.Log2(score) - math.Log2(b[key]))
		if most = max(most, d); d > 1e-9 {
			apart++
		}
	}
	t.Logf("%d of %d scores apart, by %.2g bits at most", apart, len(a), most)
	require.Less(t, apart, len(a)/500, "a value may lie within a rounding of a split")
	require.Less(t, most, 0.05)
}

func spreads(t *testing.T, src *Source, s feature.Schema) (list []float64) {
	t.Helper()
	table, err := ReadTable(t.Context(), src, s, time.Time{})
	require.NoError(t, err)
	for f := range s.Features {
		var values []float64
		for _, row := range table.Series[0].Rows {
			if !math.IsNaN(row[f]) {
				values = append(values, row[f])
			}
		}
		list = append(list, stat.StdDev(values, nil))
	}
	return list
}

func scores(t *testing.T, src *Source, s feature.Schema) map[string]float64 {
	t.Helper()
	_, b := fit(t, src, s)
	list := map[string]float64{}
	require.NoError(t, Score(t.Context(), src.Record, b, pointScores(list)))
	return list
}
