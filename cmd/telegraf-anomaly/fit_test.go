package main

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/retrain"
)

// task is a fit on n vectors of the default features.
func task(t *testing.T, n int) *retrain.Task {
	t.Helper()
	s := feature.DefaultSchema()
	s.Interval = time.Minute
	require.NoError(t, s.Normalize())
	random := rand.New(rand.NewPCG(1, 1))
	r := retrain.Reservoir{Width: len(s.Features) * feature.ContextWidth, Capacity: n, HalfLife: time.Hour}
	for i := range n {
		context := make([]float64, r.Width)
		for c := range context {
			context[c] = 50 + 10*random.NormFloat64()
		}
		r.Add(int64(i)*int64(time.Minute), context, 1)
	}
	return &retrain.Task{Unit: "web1", Schema: s, Options: detect.DefaultOptions(), Sample: retrain.Sample(nil).Take(&r)}
}

// Another process fits the very model that this one would, and where there is none,
// this one does.
func TestFitApart(t *testing.T) {
	first, err := retrain.Fit(task(t, 400))
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		change func(*retrain.Task)
	}{
		{"a first model", func(*retrain.Task) {}},
		{"a later one", func(t *retrain.Task) { t.Serving, t.Options.Seed = first.Bundle, 7 }},
		{"alarms per week", func(t *retrain.Task) {
			t.Options.Contamination, t.Options.AlarmsPerWeek, t.Options.Interval = 0, 100, time.Minute
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := task(t, 400)
			c.change(task)
			want, err := retrain.Fit(task)
			require.NoError(t, err)
			for _, program := range []apart{self(), "/no/such/program"} {
				got, err := program.fit(task)
				require.NoError(t, err, program)
				require.Equal(t, want.Bundle.ID(), got.Bundle.ID(), program)
				require.Equal(t, want.Comparison, got.Comparison, program)
			}
		})
	}
}

// What goes wrong in there is told here.
func TestFitApartFails(t *testing.T) {
	_, err := self().fit(task(t, 2))
	require.ErrorContains(t, err, "the process that fits: exit status 1: "+detect.ErrRows.Error())
	_, err = apart("/bin/false").fit(task(t, 400))
	require.ErrorContains(t, err, "the process that fits: exit status 1")
	_, err = apart("/bin/true").fit(task(t, 400))
	require.ErrorContains(t, err, "the answer of the process that fits")
	require.ErrorContains(t, fitHere(strings.NewReader("what?"), io.Discard), "reading what to fit")
}
