package drift

import (
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"
)

func windows() (reference, current []float64) {
	r := rand.New(rand.NewPCG(1, 1))
	return normalQuantiles(GridSize, 0, 1), drawSorted(Cells, r.NormFloat64)
}

var sink float64

func BenchmarkKolmogorovSmirnov(b *testing.B) {
	x, y := windows()
	for b.Loop() {
		sink += KolmogorovSmirnov(x, y)
	}
}

func BenchmarkPSI(b *testing.B) {
	x, y := windows()
	for b.Loop() {
		sink += PSI(x, y)
	}
}

func BenchmarkWasserstein(b *testing.B) {
	x, y := windows()
	b.Run("this", func(b *testing.B) {
		for b.Loop() {
			sink += Wasserstein(x, y, 1)
		}
	})
	b.Run("gonum", func(b *testing.B) {
		for b.Loop() {
			sink += stat.WassersteinDistance(x, y, nil, nil)
		}
	})
}

func BenchmarkPageHinkley(b *testing.B) {
	var p PageHinkley
	for i := 0; b.Loop(); i++ {
		p.Add(float64(i%7) - 3)
	}
}

func BenchmarkADWIN(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var a ADWIN
	for range 10_000 {
		a.Add(0.3 * r.NormFloat64())
	}
	for b.Loop() {
		a.Add(0.3 * r.NormFloat64())
	}
}

func BenchmarkNewReference(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	sample := make([]float64, 10_000)
	for i := range sample {
		sample[i] = r.NormFloat64()
	}
	for b.Loop() {
		if _, err := NewReference("cpu", sample); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMonitor gives the cost of a vector of three features and the score, every ten seconds, and of a check.
func BenchmarkMonitor(b *testing.B) {
	m := newMonitor(b, standardProfile(b, 7, "cpu", "memory", "network", "score"))
	next := normals(rand.New(rand.NewPCG(1, 1)), 0, 0, 0, 0)
	feed(b, m, 0, 8*day, time.Minute, next)
	b.Run("Add", func(b *testing.B) {
		now, values := epoch.Add(8*day), next()
		for b.Loop() {
			now = now.Add(10 * time.Second)
			if err := m.Add(now, values); err != nil {
				b.Fatal(err)
			}
		}
	})
	feed(b, m, 0, 8*day, time.Minute, next)
	b.Run("Check", func(b *testing.B) {
		for b.Loop() {
			sink += m.Check()[0].Statistic
		}
	})
}
