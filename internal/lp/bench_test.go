package lp

import (
	"bytes"
	"testing"
)

// benchmark runs work over the recording and reports time per line.
func benchmark(b *testing.B, work func(line []byte)) {
	lines := recording(b)
	b.SetBytes(int64(len(bytes.Join(lines, nil))))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			work(line)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/line")
}

func BenchmarkDecode(b *testing.B) {
	var p Point
	benchmark(b, func(line []byte) {
		if err := Decode(&p, line, telegrafNow); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkName(b *testing.B) { benchmark(b, func(line []byte) { _ = Name(line) }) }

func BenchmarkSplice(b *testing.B) {
	var buffer []byte
	fields := []byte(",anomaly_score=0.5,is_anomaly=0i,shap_cpu=0.1,shap_memory=0.1,shap_network=-0.1")
	benchmark(b, func(line []byte) { buffer = Splice(buffer[:0], line, fields) })
}

func BenchmarkAppendValues(b *testing.B) {
	var buffer []byte
	values := []Value{Float("anomaly_score", 0.51234567), Int("is_anomaly", 0), Float("shap_cpu", 0.12345), Float("shap_memory", 1e-3), Float("shap_network", -0.25)}
	benchmark(b, func([]byte) { buffer = AppendValues(buffer[:0], values) })
}

// BenchmarkFramer reads the recording in chunks of a pipe's size.
func BenchmarkFramer(b *testing.B) {
	text := bytes.Join(recording(b), nil)
	var f Framer
	lines := 0
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := text; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
			_, _ = f.Write(rest[:min(len(rest), 64<<10)])
			for _, _, ok := f.Next(false); ok; _, _, ok = f.Next(false) {
				lines++
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
}
