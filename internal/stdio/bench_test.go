package stdio

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/engine"
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

// A line that is scored, and no cause for words, allocates nothing once its host
// is known.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	c, b, d := config(), *bundle(), *bundle().Detector
	b.Detector, c.Model, d.Threshold = &d, &b, 1
	allocations := func(intervals int) float64 {
		var text strings.Builder
		for k := range intervals {
			text.WriteString(strings.Join(interval("a", k), ""))
		}
		log := NewLogger(io.Discard)
		defer log.Close()
		return testing.AllocsPerRun(5, func() {
			r := New(strings.NewReader(text.String()), io.Discard, log)
			require.NoError(t, r.Use(func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) { return engine.New(c, out) }))
			require.NoError(t, r.Run(nil))
		})
	}
	few, many := allocations(500), allocations(2500)
	require.Less(t, many-few, 2000*5*0.01, "%v, %v: a hundredth of the lines may, where a buffer grows", few, many)
}
