package mlflow

import (
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ended = began.Add(time.Minute)
)

// sample is a run with one of everything.
func sample() Run {
	child := func(name string, value float64) Run {
		return Run{Name: name, Start: began, End: ended, Params: map[string]string{"contamination": name},
			Metrics: []Metric{{Key: "auc", Value: value}}}
	}
	return Run{
		ID:         "upload-1",
		Experiment: "hosts",
		Name:       "fit",
		Start:      began,
		End:        ended,
		Params:     map[string]string{"trees": "100", "sample_size": "256"},
		Tags:       map[string]string{"mlflow.source.git.commit": "abc"},
		Metrics: []Metric{
			{Key: "auc", Value: 0.5, Step: 0, Time: began},
			{Key: "auc", Value: 0.75, Step: 1, Time: ended},
			{Key: "delay", Value: math.NaN()},
		},
		Datasets:  []Dataset{{Name: "history", Digest: "0123abcd", Source: "history.lp", Context: "training"}},
		Artifacts: []Artifact{{Path: "reports/report.html", Data: []byte("<html>")}, {Path: "empty", Data: []byte{}}},
		Children:  []Run{child("0.01", 0.5), child("0.05", 0.75)},
		Model: &Model{
			Name: "hosts.detector", Alias: "challenger", Description: "first",
			Data: Artifact{Path: "model.bin", Data: []byte("FOREST")}, Version: "1.2.3",
			Inputs: []string{"cpu", "memory"}, Outputs: []string{"anomaly_score"},
			Metadata: map[string]string{"seed": "7"},
		},
	}
}
