package drift

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables of known streams into docs/DRIFT.md (200 seeds, some minutes)")

// referenceDays are the lengths of the training samples that the tables show, with the share of runs of 23 days that may
// call drift where there is none. A single day is a dozen independent values: nothing done later mends that sample.
var referenceDays = []struct {
	days       int
	falseCalls float64
}{{14, 0.01}, {3, 0.02}, {1, 0.1}}

// TestKnownStreams holds the promises of each scenario on a few seeds. With -update it does so on many, and writes the
// tables of docs/DRIFT.md.
func TestKnownStreams(t *testing.T) {
	seeds := 4
	if *update {
		seeds = 200
	}
	for _, reference := range referenceDays {
		table := fmt.Sprintf("| stream | %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)+1))
		var rows []row
		for _, s := range scenarios {
			w := s.repeat(t, reference.days, seeds)
			rows = append(rows, w)
			table += w.markdown()
		}
		t.Logf("reference of %d days\n%s", reference.days, table)
		if *update {
			writeTable(t, reference.days, table)
		}
		for _, w := range rows {
			w.keepsPromise(t, reference.days, reference.falseCalls)
		}
	}
}

func (w row) keepsPromise(t *testing.T, days int, falseCalls float64) {
	window := Profile{To: epoch.AddDate(0, 0, days), From: epoch}.Window().Hours() / 24
	wrong := w.falseAlarms(decision)
	switch w.promise {
	case silent:
		require.LessOrEqual(t, wrong, falseCalls, w.name)
	case weeklySilent:
		require.True(t, window < 7 || wrong <= falseCalls, w.name)
	case swift:
		share, median := w.found(decision)
		require.GreaterOrEqual(t, share, 1-falseCalls, w.name)
		require.LessOrEqual(t, median, 0.7*window, w.name)
	}
}

// writeTable replaces what stands between the markers of a table.
func writeTable(t *testing.T, days int, table string) {
	const path = "../../docs/DRIFT.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- reference, days: %d -->\n", days), "<!-- end -->"
	head, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "no marker %q", begin)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "no marker %q", end)
	require.NoError(t, os.WriteFile(path, []byte(head+begin+table+end+tail), 0o644))
}

// row is what many seeds of a scenario give.
type row struct {
	scenario
	runs []delays
}

func (s scenario) repeat(t testing.TB, referenceDays, seeds int) row {
	w := row{scenario: s}
	for seed := range seeds {
		w.runs = append(w.runs, s.run(t, referenceDays, uint64(seed)))
	}
	return w
}

// falseAlarms is the share of runs in which a test called drift where there was none: before the change, or ever.
func (w row) falseAlarms(test string) float64 {
	n := 0
	for _, d := range w.runs {
		if days, called := d[test]; called && (!w.drifts() || days < 0) {
			n++
		}
	}
	return float64(n) / float64(len(w.runs))
}

// found is the share of runs in which the first call came after the change, and the median delay of these in days.
func (w row) found(test string) (share, median float64) {
	var ds []float64
	for _, d := range w.runs {
		if days, called := d[test]; called && days >= 0 {
			ds = append(ds, days)
		}
	}
	if len(ds) == 0 {
		return 0, 0
	}
	slices.Sort(ds)
	return float64(len(ds)) / float64(len(w.runs)), ds[len(ds)/2]
}

var columns = []string{TestKS, TestPSI, TestWasserstein, TestPageHinkley, TestADWIN, decision}

func (w row) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", w.name)
	for _, test := range columns {
		b.WriteString(" " + w.cell(test) + " |")
	}
	return b.String() + "\n"
}

// cell reads "share of runs with a call" where any is false, else "share of runs with a call after the change, its median
// delay".

func (w row) cell(test string) string {
	wrong := w.falseAlarms(test)
	if !w.drifts() {
		return fmt.Sprintf("%.1f %%", 100*wrong)
	}
	share, median := w.found(test)
	text := fmt.Sprintf("%.3g %%", 100*share)
	if share > 0 {
		text += fmt.Sprintf(", %.1f d", median)
	}
	if wrong > 0 {
		text += fmt.Sprintf(" (%.1f %% false)", 100*wrong)
	}
	return text
}
