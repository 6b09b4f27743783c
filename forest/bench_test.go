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

func eachWidth(b *testing.B, bench func(b *testing.B, f *forest.Forest, rows *mat.Dense)) {
	for _, columns := range append(widths, 300) {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			f, rows := normalForest(b, columns)
			b.ReportAllocs()
			bench(b, f, rows)
		})
	}
}

func BenchmarkC(b *testing.B) {
	for b.Loop() {
		forest.C(256)
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

func BenchmarkNew(b *testing.B) {
	f, _ := normalForest(b, 9)
	trees := make([][]forest.Node, f.Trees())
	for k := range trees {
		trees[k] = f.Nodes(k)
	}
	for b.Loop() {
		if _, err := forest.New(9, 256, trees); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForest_PathLength(b *testing.B) {
	eachWidth(b, func(b *testing.B, f *forest.Forest, rows *mat.Dense) {
		for i := 0; b.Loop(); i++ {
			f.PathLength(rows.RawRowView(i % 4096))
		}
	})
}

func BenchmarkForest_Score(b *testing.B) {
	eachWidth(b, func(b *testing.B, f *forest.Forest, rows *mat.Dense) {
		for i := 0; b.Loop(); i++ {
			f.Score(rows.RawRowView(i % 4096))
		}
	})
}

func BenchmarkForest_Scores(b *testing.B) {
	eachWidth(b, func(b *testing.B, f *forest.Forest, rows *mat.Dense) {
		dst := make([]float64, 4096)
		for b.Loop() {
			f.Scores(dst, rows)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
	})
}

func BenchmarkThreshold(b *testing.B) {
	f, rows := normalForest(b, 3)
	scores := f.Scores(nil, rows)
	for b.Loop() {
		if _, err := forest.Threshold(scores, 0.01); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForest_AppendBinary(b *testing.B) {
	f, _ := normalForest(b, 9)
	section := encoded(b, f)
	b.SetBytes(int64(len(section)))
	for b.Loop() {
		section, _ = f.AppendBinary(section[:0])
	}
}

func BenchmarkForest_UnmarshalBinary(b *testing.B) {
	f, _ := normalForest(b, 9)
	section := encoded(b, f)
	b.SetBytes(int64(len(section)))
	b.ReportAllocs()
	for b.Loop() {
		if err := new(forest.Forest).UnmarshalBinary(section); err != nil {
			b.Fatal(err)
		}
	}
}
