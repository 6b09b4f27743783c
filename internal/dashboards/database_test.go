package dashboards

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/demo"
	"telegraf-anomaly/internal/testbed"
)

// filled is a database that the demo has filled: INFLUXDB=http://… names one that
// runs (make demo ARGS=-stay), without it the demo runs here.
func filled(t *testing.T) *testbed.Server {
	t.Helper()
	if os.Getenv("E2E") == "" {
		t.Skip("needs the demo's database; set E2E=1")
	}
	if url := os.Getenv("INFLUXDB"); url != "" {
		return &testbed.Server{URL: url}
	}
	root, err := testbed.Root()
	require.NoError(t, err)
	require.NoError(t, testbed.Install(t.Context(), root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB))
	stack, err := demo.Start(t.Context(), demo.Options{Root: root, Dir: t.TempDir(), Center: demo.DefaultCenter, Say: t.Logf})
	require.NoError(t, err)
	t.Cleanup(func() { _ = stack.DB.Stop() })
	exercise(t, root, stack)
	require.NoError(t, stack.Telegraf.Stop())
	return stack.DB
}

// exercise lets faults happen as the examples' documents say, and time pass for two
// reports of the processor, the second of which it makes at its end.
func exercise(t *testing.T, root string, stack *demo.Stack) {
	t.Helper()
	began := time.Now()
	require.NoError(t, stack.Ready(t.Context()))
	for _, document := range []string{"examples/stress/README.md", "examples/datacenter/README.md"} {
		documented(t, root, document, "on the demo", "http://127.0.0.1:PORT", stack.DB.URL,
			"go run ./examples/stress", "go run ./examples/stress -target "+stack.URL, "http://127.0.0.1:5005", stack.URL)
	}
	time.Sleep(time.Until(began.Add(time.Minute + 15*time.Second)))
}

// degrade writes the report of a processor whose configuration is broken.
func degrade(t *testing.T, db *testbed.Server) {
	t.Helper()
	root, err := testbed.Root()
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "anomaly.conf")
	require.NoError(t, os.WriteFile(config, []byte("[[processors.anomaly]]\n  windwo = \"1m\"\n"), 0o600))
	command := exec.CommandContext(t.Context(), testbed.Anomaly.Path(root), "-config", config)
	command.Stdin = strings.NewReader("system_metrics cpu=1\n")
	out, err := command.Output()
	require.NoError(t, err)
	response, err := http.Post(db.URL+"/write?db="+demo.Database, "text/plain", bytes.NewReader(out))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusNoContent, response.StatusCode)
}

// moment is what Grafana puts into queries.
type moment struct {
	from, to time.Time
	interval string
	values   map[string]string // of variables
}

func lookback(t *testing.T, from string) time.Time {
	t.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(from, "now-"))
	require.NoError(t, err)
	return time.Now().Add(-d)
}

// interpolate does as Grafana does. Values of a variable are part of a regular
// expression, which is the only way they are used here.
func (m moment) interpolate(query string) string {
	pairs := []string{
		"$timeFilter", fmt.Sprintf("time >= %dms AND time <= %dms", m.from.UnixMilli(), m.to.UnixMilli()),
		"$__interval", m.interval,
		"v.timeRangeStart", m.from.UTC().Format(time.RFC3339), "v.timeRangeStop", m.to.UTC().Format(time.RFC3339),
		"v.windowPeriod", m.interval, "v.defaultBucket", `"` + demo.Database + `/autogen"`,
	}
	for name, value := range m.values {
		pairs = append(pairs, "${"+name+":regex}", value, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(query)
}

// ask runs a query and returns its rows.
func askFor(ctx context.Context, db *testbed.Server, l Language, query string) ([]testbed.Row, error) {
	if l == InfluxQL {
		return db.Query(ctx, demo.Database, query)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, db.URL+"/api/v2/query", strings.NewReader(query))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/vnd.flux")
	request.Header.Set("Accept", "application/csv")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, text)
	}
	return tables(text)
}

// tables reads Flux's CSV: tables one after the other, each with its header. An
// error comes as a table of its own.
func tables(text []byte) (rows []testbed.Row, err error) {
	for block := range strings.SplitSeq(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n\n") {
		r := csv.NewReader(strings.NewReader(block)) // lines with # only annotate
		r.FieldsPerRecord, r.Comment = -1, '#'
		records, err := r.ReadAll()
		if err != nil {
			return nil, err
		}
		for i, record := range records {
			if i == 0 {
				continue
			}
			row := testbed.Row{}
			for j, name := range records[0] {
				row[name] = record[j]
			}
			if failure := row.Text("error"); failure != "" {
				return nil, fmt.Errorf("flux: %s", failure)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// TestEveryQueryAnswers is the promise that no panel stays empty: every query of
// every dashboard, as committed, on a database that the demo has filled.
func TestEveryQueryAnswers(t *testing.T) {
	db := filled(t)
	for _, l := range Languages() {
		for _, d := range committed(t, l) {
			m := moment{from: lookback(t, d.Time.From), to: time.Now(), interval: "10s", values: map[string]string{}}
			t.Run(d.UID, func(t *testing.T) {
				for _, v := range d.Templating.List {
					if v.Type == "query" {
						m.values[v.Name] = selected(t, db, l, m, v)
					}
				}
				answered(t, db, l, m, d)
			})
		}
	}
	t.Run("docs/TROUBLESHOOTING.md", func(t *testing.T) { troubleshoot(t, db) })
	degrade(t, db)
	for _, r := range Alerts {
		t.Run(r.UID, func(t *testing.T) {
			m := moment{from: time.Now().Add(-time.Duration(r.Window) * time.Second), to: time.Now().Add(time.Minute)}
			rows, err := askFor(t.Context(), db, InfluxQL, m.interpolate(r.Query))
			require.NoError(t, err)
			require.NotEmpty(t, rows, r.Query)
		})
	}
}

// documented runs the block of commands that a document marks with where it is run,
// and returns what it said.
func documented(t *testing.T, root, document, where string, pairs ...string) (block, said string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, document))
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)<!-- run by a test, " + where + " -->\n```sh\n(.*?)```").FindStringSubmatch(string(text))
	require.NotNil(t, found, document)
	c := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.NewReplacer(pairs...).Replace(found[1]))
	c.Dir = root
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s: %s", document, out)
	return found[1], string(out)
}

// troubleshoot runs what the document tells people to ask.
func troubleshoot(t *testing.T, db *testbed.Server) {
	t.Helper()
	block, said := documented(t, "../..", "docs/TROUBLESHOOTING.md", "on the database of the demo", "http://127.0.0.1:8086", db.URL)
	require.Equal(t, strings.Count(block, "\nask '"), strings.Count(said, `"series"`), "every question has an answer: %s", said)
}

// selected is a variable as the dashboard opens: all if it may have many values, else
// the first.
func selected(t *testing.T, db *testbed.Server, l Language, m moment, v Variable) string {
	t.Helper()
	rows, err := askFor(t.Context(), db, l, m.interpolate(v.Query.(string)))
	require.NoError(t, err, v.Name)
	require.NotEmpty(t, rows, v.Name)
	if v.Multi {
		return v.AllValue
	}
	return regexp.QuoteMeta(first(rows[0].Text("value"), rows[0].Text("_value")))
}

func answered(t *testing.T, db *testbed.Server, l Language, m moment, d Dashboard) {
	t.Helper()
	queries := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries[p.Title+" "+target.RefID] = target.Query
		}
	}
	for _, a := range d.Annotations.List {
		if a.Target != nil {
			queries["annotation "+a.Name] = a.Target.Query
		}
	}
	var slowest time.Duration
	for name, query := range queries {
		began := time.Now()
		rows, err := askFor(t.Context(), db, l, m.interpolate(query))
		slowest = max(slowest, time.Since(began))
		if err != nil || len(rows) == 0 {
			t.Errorf("%s: %d rows, error %v\n%s", name, len(rows), err, m.interpolate(query))
		}
	}
	t.Logf("%d queries, the slowest took %v", len(queries), slowest.Round(time.Millisecond))
}
