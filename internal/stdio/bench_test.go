package stdio

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchmark runs a stream of a hundred hosts through a Runner.
func benchmark(b *testing.B, prepare func(*Runner)) {
	var text bytes.Buffer
	for k := range 20 {
		for h := range 100 {
			text.WriteString(strings.Join(interval("web"+string(rune('a'+h%26))+string(rune('a'+h/26)), k), ""))
		}
	}
	lines := bytes.Count(text.Bytes(), []byte("\n"))
	log := NewLogger(io.Discard)
	defer log.Close()
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r := New(bytes.NewReader(text.Bytes()), io.Discard, log)
		prepare(r)
		require.NoError(b, r.Run(nil))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
}

func BenchmarkPassThrough(b *testing.B) { benchmark(b, func(*Runner) {}) }

func BenchmarkScored(b *testing.B) {
	benchmark(b, func(r *Runner) { require.NoError(b, r.Use(builder(asIs))) })
}
