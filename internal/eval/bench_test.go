package eval_test

import (
	"testing"
	"time"

	"telegraf-anomaly/internal/eval"
)

func BenchmarkROCAUC(b *testing.B) {
	score, label := lcg(24000)
	for b.Loop() {
		eval.ROCAUC(score, label)
	}
}

func BenchmarkBestF1(b *testing.B) {
	score, label := lcg(24000)
	for b.Loop() {
		eval.BestF1(score, label)
	}
}

func BenchmarkMeasure(b *testing.B) {
	label, events := longEvents()
	score := coin(1, len(label))
	flag := eval.Flags(score, .99)
	for b.Loop() {
		eval.Measure(score, flag, events, time.Minute)
	}
}

func BenchmarkNameCauses(b *testing.B) {
	_, events := longEvents()
	features := make([]string, 38)
	attribution := make([]float64, len(features))
	for i := range features {
		features[i] = string(rune('A' + i))
		attribution[i] = float64(i % 5)
	}
	for i := range events {
		events[i].Cause = features[i : i+3]
	}
	for b.Loop() {
		eval.NameCauses(events, features, func(int) []float64 { return attribution })
	}
}
