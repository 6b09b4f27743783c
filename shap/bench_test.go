package shap_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

func grouped(players, columnsEach int) []int {
	out := make([]int, players*columnsEach)
	for c := range out {
		out[c] = c / columnsEach
	}
	return out
}

func BenchmarkExplainer_Bits(b *testing.B) {
	for _, shape := range []struct{ players, columns int }{{3, 1}, {3, 3}, {4, 3}, {10, 1}, {38, 1}} {
		b.Run(fmt.Sprintf("players=%d/columns=%d", shape.players, shape.columns), func(b *testing.B) {
			columns := shape.players * shape.columns
			f, err := forest.Fit(foresttest.Normal(2000, columns, 1), forest.Options{})
			require.NoError(b, err)
			e := explainer(b, f, grouped(shape.players, shape.columns))
			rows := foresttest.Normal(4096, columns, 2)
			dst := make([]float64, e.Players())
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e.Bits(dst, rows.RawRowView(i%4096))
				i++
			}
		})
	}
}
