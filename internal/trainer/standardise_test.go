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

// There is no option to standardise, for it would change nothing: a model of
// features in units of their standard deviation around their mean, which scale and
// offset of a feature can express, says what the model of the plain ones says.
func TestStandardisingChangesNothing(t *testing.T) {
	src := fleet(t, 1, 3000)
	plain := schema(15 * time.Minute)
	for i := range plain.Features {
		plain.Features[i].Min, plain.Features[i].Max = nil, nil
	}
	standard := plain
	standard.Features = slices.Clone(plain.Features)
	for i, m := range spreads(t, src, plain) {
		f := &standard.Features[i]
		f.Scale, f.Offset = f.Scale/m.deviation, (f.Offset-m.mean)/m.deviation
	}
	require.NoError(t, standard.Normalize())

	for _, m := range spreads(t, src, standard) {
		require.InDelta(t, 0, m.mean, 1e-9)
		require.InDelta(t, 1, m.deviation, 1e-9)
	}

	a, b := scores(t, src, plain), scores(t, src, standard)
	require.Len(t, b, len(a))
	apart := 0.0
	for key, score := range a {
		apart = max(apart, math.Abs(math.Log2(score)-math.Log2(b[key])))
	}
	t.Logf("apart by %.2g bits at most", apart)
	require.Less(t, apart, 1e-9)
}

type spread struct{ mean, deviation float64 }

func spreads(t *testing.T, src *Source, s feature.Schema) (list []spread) {
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
		mean, deviation := stat.MeanStdDev(values, nil)
		list = append(list, spread{mean, deviation})
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
