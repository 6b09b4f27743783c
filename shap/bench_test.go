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

// shapes are players × columns of each: raw metrics, the default schema, more features, wide machines.
var shapes = []struct{ players, columns int }{{3, 1}, {3, 3}, {4, 3}, {5, 3}, {6, 3}, {10, 1}, {38, 1}}

func eachShape(b *testing.B, bench func(b *testing.B, f *forest.Forest, players []int)) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("players=%d/columns=%d", s.players, s.columns), func(b *testing.B) {
			f, err := forest.Fit(foresttest.Normal(2000, s.players*s.columns, 1), forest.Options{})
			require.NoError(b, err)
			b.ReportAllocs()
			bench(b, f, grouped(s.players, s.columns))
		})
	}
}

func BenchmarkExplainer_Bits(b *testing.B) {
	eachShape(b, func(b *testing.B, f *forest.Forest, players []int) {
		e := explainer(b, f, players)
		rows := foresttest.Normal(4096, f.Columns(), 2)
		dst := make([]float64, e.Players())
		for i := 0; b.Loop(); i++ {
			e.Bits(dst, rows.RawRowView(i%4096))
		}
	})
}

func BenchmarkNew(b *testing.B) {
	eachShape(b, func(b *testing.B, f *forest.Forest, players []int) {
		for b.Loop() {
			explainer(b, f, players)
		}
	})
}

// BenchmarkScoreAndExplain is what a scored row costs in the product.
func BenchmarkScoreAndExplain(b *testing.B) {
	eachShape(b, func(b *testing.B, f *forest.Forest, players []int) {
		e := explainer(b, f, players)
		rows := foresttest.Normal(4096, f.Columns(), 2)
		dst := make([]float64, e.Players())
		for i := 0; b.Loop(); i++ {
			f.Score(rows.RawRowView(i % 4096))
			e.Bits(dst, rows.RawRowView(i%4096))
		}
	})
}
