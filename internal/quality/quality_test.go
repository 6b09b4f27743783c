package quality

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/trainer"
)

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// table is a CSV of n rows a minute apart, each of which edit may change.
func table(n int, edit func(i int, row []string) []string) string {
	var b strings.Builder
	b.WriteString("time,cpu,network\n")
	for i := range n {
		row := []string{start.Add(time.Duration(i) * time.Minute).Format(time.RFC3339), fmt.Sprint(40 + i%7), fmt.Sprint(1000 + i%11)}
		if row = edit(i, row); row != nil {
			b.WriteString(strings.Join(row, ",") + "\n")
		}
	}
	return b.String()
}

func inspect(t *testing.T, name, text string, absent []string, maxAge time.Duration) *Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	s := feature.Schema{Interval: time.Minute}
	for _, f := range feature.DefaultFeatures() {
		if f.Name != "memory" {
			s.Features = append(s.Features, f)
		}
	}
	require.NoError(t, s.Normalize())
	r, err := history.Open(file, s.Names())
	require.NoError(t, err)
	report, err := Inspect(t.Context(), &trainer.Source{Record: r}, s, absent, start.Add(48*time.Hour), maxAge)
	require.NoError(t, err)
	require.Len(t, report.Checks, 6)
	return report
}

// Each check has a fault that only it finds, and says how bad it is.
func TestChecks(t *testing.T) {
	same := func(_ int, row []string) []string { return row }
	every := func(n int, change func(row []string) []string) func(int, []string) []string {
		return func(i int, row []string) []string {
			if i%n == n-1 {
				return change(row)
			}
			return row
		}
	}
	set := func(column int, value string) func([]string) []string {
		return func(row []string) []string { row[column] = value; return row }
	}
	for _, c := range []struct {
		name   string
		edit   func(int, []string) []string
		absent []string
		maxAge time.Duration
		check  string
		status Status
		says   string
	}{
		{"nothing", same, nil, 0, "schema", Pass, "2 of 2 features are there"},
		{"a column that is not there", same, []string{"memory"}, 0, "schema", Fail, "2 of 3 features"},
		{"a feature without a value", every(1, set(1, "")), nil, 0, "schema", Fail, `"cpu" never has a value`},
		{"some text", every(200, set(1, "n/a")), nil, 0, "schema", Warn, "5 rows unreadable"},
		{"much text", every(10, set(1, "n/a")), nil, 0, "schema", Fail, "100 rows unreadable"},
		{"one impossible percentage", every(1000, set(1, "250")), nil, 0, "ranges", Warn, "cpu = 250 is above 100"},
		{"many", every(20, set(1, "-3")), nil, 0, "ranges", Fail, "cpu = -3 is below 0"},
		{"negative traffic", every(1000, set(2, "-1")), nil, 0, "ranges", Warn, "network = -1 is below 0"},
		{"some missing values", every(20, set(2, "")), nil, 0, "missing", Warn, "at most 5 %"},
		{"many missing values", every(3, set(2, "")), nil, 0, "missing", Fail, "at most 33 %"},
		{"a gap", func(i int, row []string) []string {
			if i > 500 && i < 550 {
				return nil
			}
			return row
		}, nil, 0, "missing", Warn, "nothing for 50m0s from 2024-01-01T08:20:00Z"},
		{"a repeated row", every(100, func(row []string) []string { return append(row[:2:2], row[2]+"\n"+strings.Join(row, ",")) }), nil, 0, "duplicates", Warn, "10 rows repeat a moment"},
		{"far values", every(40, set(2, "9e9")), nil, 0, "outliers", Warn, "network: 25 of 1000 values outside"},
		{"too many far values", every(5, set(2, "9e9")), nil, 0, "outliers", Fail, "at most 20 %"},
		{"old rows", same, nil, time.Hour, "freshness", Fail, "older than 1h0m0s"},
		{"old rows are said to be", same, nil, 0, "freshness", Pass, "the newest row is 31h21m0s old, any age will do; 100 % of the steps"},
		{"young enough", same, nil, 72 * time.Hour, "freshness", Pass, "31h21m0s old, at most 72h0m0s will do"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := inspect(t, "a.csv", table(1000, c.edit), c.absent, c.maxAge)
			for _, check := range r.Checks {
				if check.Name == c.check {
					require.Equal(t, c.status, check.Status, check.Summary)
					require.Contains(t, check.Summary+strings.Join(check.Examples, "\n"), c.says)
					require.LessOrEqual(t, len(check.Examples), maxExamples+1)
				}
			}
			require.Equal(t, worse(r.Status, c.status), r.Status, "the whole is as bad as its worst part")
			require.Contains(t, r.String(), c.says)
		})
	}
}

func TestFieldsOfAWrongType(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		at := start.Add(time.Duration(i) * time.Minute).UnixNano()
		fmt.Fprintf(&b, "cpu,cpu=cpu-total,host=a usage_idle=\"busy\" %d\nnet,host=a,interface=eth0 bytes_recv=%di,bytes_sent=%di %d\n", at, i*1000, i*50, at)
	}
	r := inspect(t, "a.lp", b.String(), nil, 0)
	require.Equal(t, Fail, r.Checks[0].Status)
	require.Contains(t, strings.Join(r.Checks[0].Examples, "\n"), "cpu.usage_idle is not a number in 100 points")
}

func TestWithoutATimeColumn(t *testing.T) {
	r := inspect(t, "a.csv", "cpu,network\n1,2\n3,4\n5,6\n", nil, 0)
	require.Equal(t, Warn, r.Checks[5].Status)
	require.Contains(t, r.Checks[5].Summary, "no time column")
}

func TestDays(t *testing.T) {
	for age, want := range map[time.Duration]string{
		90 * time.Second:        "1m30s",
		47 * time.Hour:          "47h0m0s",
		25186*time.Hour + 444e9: "1049 days",
		-3 * time.Hour:          "-3h0m0s",
	} {
		require.Equal(t, want, days(age))
	}
}
