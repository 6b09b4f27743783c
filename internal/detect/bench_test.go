package detect

import (
	"fmt"
	"testing"
)

func BenchmarkFit(b *testing.B) {
	for _, features := range []int{3, 26} {
		x := host(b, 10_000, features, 1, nil)
		b.Run(fmt.Sprintf("features=%d", features), func(b *testing.B) {
			for b.Loop() {
				fit(b, x, DefaultOptions())
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, features := range []int{1, 3, 4, 26} {
		x := host(b, 5000, features, 1, nil)
		m := fit(b, x, DefaultOptions())
		b.Run(fmt.Sprintf("features=%d", features), func(b *testing.B) {
			s, v, i := NewScorer(m), Verdict{}, 0
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Explain(&v, x.RawRowView(i%5000)); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkScore(b *testing.B) {
	x := host(b, 5000, 3, 1, nil)
	s, i := NewScorer(fit(b, x, DefaultOptions())), 0
	b.ReportAllocs()
	for b.Loop() {
		s.Score(x.RawRowView(i % 5000))
		i++
	}
}
