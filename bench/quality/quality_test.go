package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// records writes a collection of one machine, whose columns x and y go together
// but for one incident in the test part.
func records(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(data, "smd"), 0o755))
	r := rand.New(rand.NewPCG(1, 1))
	start, load := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), 0.0
	for part, rows := range map[string]int{"train": 900, "test": 600} {
		var b strings.Builder
		b.WriteString("time,x,y,label,event,cause\n")
		for i := range rows {
			load = 0.9*load + r.NormFloat64()
			x, y, label, cause := load, load+0.1*r.NormFloat64(), 0, ""
			if part == "test" && i >= 300 && i < 330 {
				x, label, cause = x+20, 1, "x"
			}
			fmt.Fprintf(&b, "%s,%g,%g,%d,%d,%s\n", start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), x, y, label, label, cause)
		}
		require.NoError(t, os.WriteFile(filepath.Join(data, "smd", "one_"+part+".csv"), []byte(b.String()), 0o600))
		require.NoError(t, os.Rename(filepath.Join(data, "smd", "one_"+part+".csv"), filepath.Join(data, "smd", "one_"+part+".csv.gz")))
	}
	return data
}

// One small run from files to table: every detector beats chance, the incident is
// found and named, and a second run writes the same.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	o := options{Data: records(t), Seeds: 2, Workers: 2, Sets: []string{"x+y"}, JSON: filepath.Join(dir, "q.json"), Docs: filepath.Join(dir, "B.md")}
	require.NoError(t, os.WriteFile(o.Docs, []byte("before\n<!-- make bench-quality begins -->\nold\n<!-- make bench-quality ends -->\nafter\n"), 0o600))
	require.NoError(t, run(t.Context(), &o))
	first, err := os.ReadFile(o.Docs)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^before\n<!-- .* begins -->\n.*### x\+y: 1 machines, 1 incidents.*<!-- .* ends -->\nafter\n$`, string(first))
	require.NotContains(t, string(first), "old")
	require.NotContains(t, string(first), "NaN")
	require.NoError(t, run(t.Context(), &o))
	second, err := os.ReadFile(o.Docs)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))

	var got report
	text, err := os.ReadFile(o.JSON)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &got))
	require.Len(t, got.Collections, 1)
	rows := got.Collections[0].Rows
	require.Len(t, rows, len(detectors()))
	for _, r := range rows[:len(rows)-1] {
		require.Greater(t, r.Figures["average_precision"].Mean, rows[len(rows)-1].Figures["average_precision"].Mean, r.Name)
	}
	require.Equal(t, 1.0, rows[0].Figures["event_recall"].Mean)
	require.Equal(t, 1.0, rows[0].Figures["top_1"].Mean)
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), &options{Data: t.TempDir(), Seeds: 1}), "no *_train.csv.gz in")
	o := options{Docs: filepath.Join(t.TempDir(), "B.md")}
	require.NoError(t, os.WriteFile(o.Docs, nil, 0o600))
	require.ErrorContains(t, (&report{}).write(&o), "has no section between")
}

// The projection leaves nothing of a row that its components span, and all of
// one that is orthogonal to them.
func TestProjection(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := mat.NewDense(500, 8, nil)
	for i := range 500 {
		a, b := r.NormFloat64(), r.NormFloat64()
		x.SetRow(i, []float64{a, a, a, 0, b, b, b, 0})
	}
	p := newProjection(x)
	require.Less(t, floats.Sum(p.errors([]float64{3, 3, 3, 0, -2, -2, -2, 0})), 1e-9)
	odd := p.errors([]float64{5, -5, 0, 0, 0, 0, 0, 0})
	require.Greater(t, odd[0], 10.0)
	require.Less(t, odd[1], 1.0)
}

func TestParallel(t *testing.T) {
	done := make([]bool, 20)
	err := parallel(20, 3, func(i int) error {
		if done[i] = true; i%10 == 7 {
			return fmt.Errorf("no %d", i)
		}
		return nil
	})
	require.EqualError(t, err, "no 7\nno 17")
	require.NotContains(t, done, false)
}

func TestReadFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.csv")
	require.NoError(t, os.WriteFile(file, []byte("start,end,kind,culprit\n100.5,130,outage,cpu+network\n"), 0o600))
	faults, err := readFaults(file)
	require.NoError(t, err)
	require.Len(t, faults, 1)
	require.Equal(t, []string{"cpu", "network"}, faults[0].Cause)
	require.Equal(t, 29500*time.Millisecond, faults[0].To.Sub(faults[0].From))
	require.NoError(t, os.WriteFile(file, []byte("start,end,kind,culprit\nsoon,130,outage,cpu\n"), 0o600))
	_, err = readFaults(file)
	require.ErrorContains(t, err, "soon")
}
