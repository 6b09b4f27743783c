package forest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// widths are raw cpu/memory/network, the same with rolling mean and deviation, and a wide machine.
var widths = []int{3, 9, 38}

func normalForest(b testing.TB, columns int) (*forest.Forest, *mat.Dense) {
	x := foresttest.Normal(2000, columns, 1)
	f, err := forest.Fit(x, forest.Options{})
	require.NoError(b, err)
	return f, foresttest.Normal(4096, columns, 2)
}

func BenchmarkForest_Score(b *testing.B) {
	for _, columns := range widths {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			f, rows := normalForest(b, columns)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				f.Score(rows.RawRowView(i % 4096))
				i++
			}
		})
	}
}

func BenchmarkFit(b *testing.B) {
	for _, columns := range widths {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			x := foresttest.Normal(2000, columns, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := forest.Fit(x, forest.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
