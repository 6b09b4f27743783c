package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/stdio"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// BenchmarkStockMix is everything that the program does between its pipes.
func BenchmarkStockMix(b *testing.B) {
	bundle, err := fit(100)
	require.NoError(b, err)
	text, err := lines(1, 2000, nil)
	require.NoError(b, err)
	c := anomaly.DefaultConfig()
	ec, err := c.Engine()
	require.NoError(b, err)
	ec.Model, ec.Limits = bundle, feature.DefaultLimits
	log := stdio.NewLogger(io.Discard)
	defer log.Close()
	b.ReportAllocs()
	for b.Loop() {
		r := stdio.New(bytes.NewReader(text), io.Discard, log)
		require.NoError(b, r.Use(func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) { return engine.New(ec, out) }))
		require.NoError(b, r.Run(nil))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count(text)), "ns/line")
}
