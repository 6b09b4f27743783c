package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// Two hosts of the same name in two places are scored apart, by one model.
func TestGatewayExample(t *testing.T) {
	t.Parallel()
	db, dir := database(t), t.TempDir()
	spool := filepath.Join(dir, "fleet.influx")
	send := arrivals(t, spool)
	send(1000)
	anomaly := installed(t, dir, "examples/gateway/anomaly.conf", "/var/lib/telegraf/anomaly", filepath.Join(dir, "state"))
	config := installed(t, dir, "examples/gateway/telegraf.conf",
		"/var/spool/telegraf/fleet.influx", spool,
		"/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(need(t)),
		"/etc/telegraf/anomaly.conf", anomaly,
		`interval = "10s"`, "interval = \"1s\"\n  flush_interval = \"200ms\"",
		"http://127.0.0.1:8086", db.URL)
	telegraf, err := testbed.StartTelegraf(need(t), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = telegraf.Stop() })

	arrived := func(condition string) func() bool {
		return func() bool {
			rows, err := db.Query(t.Context(), "telegraf", "SELECT memory FROM ai_predictions WHERE "+condition+" LIMIT 1")
			return err == nil && len(rows) > 0
		}
	}
	ctx := deadline(t, 2*time.Minute)
	for _, datacenter := range []string{"north", "south"} {
		condition := fmt.Sprintf("host = 'web01' AND datacenter = '%s'", datacenter)
		require.NoError(t, testbed.Until(ctx, "points of "+datacenter, arrived(condition)))
		require.NoError(t, testbed.Until(ctx, "scored points of "+datacenter, func() bool {
			send(60)
			time.Sleep(1500 * time.Millisecond) // Telegraf reads the file every second
			return arrived(condition + " AND anomaly_score > 0")()
		}), telegraf.Log())
	}
	require.NoError(t, telegraf.Stop())
	require.NotEmpty(t, query(t, db, "telegraf", "SELECT anomaly_score FROM mem WHERE datacenter = 'north' LIMIT 1"))
	require.Len(t, query(t, db, "telegraf", "SHOW TAG KEYS FROM ai_predictions"), 2, "datacenter and host")
}

// arrivals returns a function that puts the next intervals of two hosts, which
// both call themselves web01, into a file.
func arrivals(t *testing.T, file string) (send func(intervals int)) {
	t.Helper()
	two := hostsEvery(t, 10*time.Second, 2, birth)
	rename := strings.NewReplacer("host=host0001", "datacenter=north,host=web01", "host=host0002", "datacenter=south,host=web01")
	return func(intervals int) {
		var text bytes.Buffer
		require.NoError(t, sim.Write(&text, intervals, two...))
		require.NoError(t, os.Rename(write(t, file+".new", rename.Replace(text.String())), file))
	}
}

// One measurement with all three fields: every point is a whole vector.
func TestSingleMeasurementExample(t *testing.T) {
	t.Parallel()
	db, dir := database(t), t.TempDir()
	var n atomic.Int64
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := n.Add(1)
		fmt.Fprintf(w, `{"host": "web01", "cpu": %d.5, "memory": %d.25, "network": %d}`, 20+i%7, 40+i%5, 1_000_000+i%11*1000)
	}))
	defer source.Close()
	anomaly := installed(t, dir, "examples/single-measurement/anomaly.conf",
		`state = "/var/lib/telegraf/anomaly"`, "state = \""+filepath.Join(dir, "state")+"\"\n  min_samples = 30\n  window = \"2s\"")
	config := installed(t, dir, "examples/single-measurement/telegraf.conf",
		"http://127.0.0.1:9100/metrics.json", source.URL,
		"/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(need(t)),
		"/etc/telegraf/anomaly.conf", anomaly,
		`interval = "10s"`, "interval = \"100ms\"\n  flush_interval = \"200ms\"",
		"http://127.0.0.1:8086", db.URL)
	telegraf, err := testbed.StartTelegraf(need(t), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = telegraf.Stop() })
	require.NoError(t, testbed.Until(deadline(t, time.Minute), "scored points", func() bool {
		rows, err := db.Query(t.Context(), "telegraf", "SELECT anomaly_score FROM system_metrics LIMIT 10")
		return err == nil && len(rows) == 10
	}), telegraf.Log())
	require.NoError(t, telegraf.Stop())
	rows := query(t, db, "telegraf", "SELECT * FROM system_metrics WHERE anomaly_score > 0 LIMIT 1")
	require.Equal(t, "web01", rows[0].Text("host"))
	for _, field := range []string{"cpu", "memory", "network", "anomaly_score", "is_anomaly", "shap_cpu", "shap_memory", "shap_network"} {
		number(t, rows[0], field)
	}
}

// quickstart runs what `make run` runs, until it ends or has said what is waited
// for; then it is interrupted.
func quickstart(t *testing.T, dir, duration, waitFor string) (said string) {
	t.Helper()
	root := need(t, testbed.Telegraf, testbed.InfluxDB)
	program, output := filepath.Join(t.TempDir(), "quickstart"), filepath.Join(t.TempDir(), "output")
	build := exec.Command("go", "build", "-o", program, "./examples/quickstart")
	build.Dir = root
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))

	run := exec.Command(program, "-dir", dir, "-duration", duration)
	run.Dir = root
	p, err := testbed.Start(run, output)
	require.NoError(t, err)
	require.NoError(t, testbed.Until(deadline(t, 5*time.Minute), "the quickstart to say "+waitFor, func() bool {
		return strings.Contains(p.Log(), waitFor) || !p.Running()
	}))
	if duration == "0" {
		require.NoError(t, p.Signal(os.Interrupt))
	}
	require.NoError(t, p.Wait(), p.Log())
	require.Empty(t, mentioning(dir), "processes are left")
	return p.Log()
}

// mentioning are the command lines of processes that name the folder.
func mentioning(dir string) (commands []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(dir)) {
			commands = append(commands, string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
		}
	}
	return commands
}

// make run learns from the first minute, ends by itself, and starts to score at
// once the next time. Ctrl-C leaves nothing running.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it learns for a minute")
	}
	dir := filepath.Join(t.TempDir(), "run")
	first := quickstart(t, dir, "80s", "InfluxDB holds")
	require.Regexp(t, `learning \d\d %`, first)
	require.Contains(t, first, " bits")
	require.Regexp(t, `[1-9]\d* raw +points`, first)
	require.Regexp(t, `[1-9]\d* scored points`, first)

	second := quickstart(t, dir, "0", " bits")
	require.NotContains(t, second, "learning")
	require.Regexp(t, `[1-9]\d* scored points`, second)
	t.Logf("the second run:\n%s", second)
}
