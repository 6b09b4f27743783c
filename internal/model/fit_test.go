package model

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// fit makes a small model of the default features: of seeded vectors, the same on
// every call.
func fit(t testing.TB, seed uint64) *Bundle { return fitWith(t, seed, 1) }

func fitWith(t testing.TB, seed uint64, workers int) *Bundle {
	s := feature.DefaultSchema()
	s.Interval = 10 * time.Second
	require.NoError(t, s.Normalize())
	contexts := contextsOf(s, seed)
	o := detect.DefaultOptions()
	o.Trees, o.SampleSize, o.Seed, o.Workers = 3, 16, seed, workers
	d, err := detect.Fit(contexts, s.Names(), s.Windowed(), o)
	require.NoError(t, err)
	b, err := New(s, d, contexts, Provenance{
		Program: "test", Source: "seeded vectors", From: time.Unix(1_700_000_000, 0).UTC(), To: time.Unix(1_700_001_000, 0).UTC(),
		Dropped: map[string]int{"missing": 2}, Metrics: map[string]float64{"ap": 0.5},
	})
	require.NoError(t, err)
	return b
}

// contextsOf are the contexts of a hundred vectors of a busy host.
func contextsOf(s feature.Schema, seed uint64) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, 7))
	m := mat.NewDense(100, 3*feature.ContextWidth, nil)
	q, err := feature.NewSequence(&s, "web01")
	if err != nil {
		panic(err)
	}
	for i := range 100 {
		load := r.Float64()
		v := q.Add(int64(i)*10e9, []float64{10 + 50*load + r.Float64(), 40 + 10*r.Float64(), 1e6*load + 1e4*r.Float64()})
		m.SetRow(i, v.Context)
	}
	return m
}

func encoded(t testing.TB, b *Bundle) []byte {
	data, err := b.Encode()
	require.NoError(t, err)
	return data
}
