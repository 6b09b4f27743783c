package e2e

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// database starts an InfluxDB for a test.
func database(t *testing.T) *testbed.Server {
	t.Helper()
	s, err := testbed.StartInfluxDB(t.Context(), need(t, testbed.InfluxDB, testbed.Telegraf), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func query(t *testing.T, db *testbed.Server, database, influxQL string) []testbed.Row {
	t.Helper()
	rows, err := db.Query(context.WithoutCancel(t.Context()), database, influxQL)
	require.NoError(t, err)
	return rows
}

// installed writes a configuration as it is shipped into dir, with pairs of texts
// replaced: a test has other places and less time.
func installed(t *testing.T, dir, file string, pairs ...string) (path string) {
	t.Helper()
	root, err := testbed.Root()
	require.NoError(t, err)
	text, err := testbed.Relocate(read(t, filepath.Join(root, file)), pairs...)
	require.NoError(t, err)
	return write(t, filepath.Join(dir, filepath.Base(file)), text)
}

// uncommented switches the InfluxDB 2 output of telegraf.conf on.
func uncommented(t *testing.T, config string) {
	t.Helper()
	text := read(t, config)
	start := strings.Index(text, "# [[outputs.influxdb_v2]]")
	require.Positive(t, start)
	write(t, config, text[:start]+strings.ReplaceAll(text[start:], "# ", ""))
}

const roadInterval = 200 * time.Millisecond

// The whole road, with the configuration at the top of this repository: stock
// inputs, processor, InfluxDB through both of its outputs.
func TestStockInputsReachInfluxDBScored(t *testing.T) {
	t.Parallel()
	db := database(t)
	query(t, db, "", "CREATE DATABASE v2")
	dir, state := t.TempDir(), t.TempDir()
	anomaly := write(t, filepath.Join(dir, "anomaly.conf"), "[[processors.anomaly]]\nstate = \""+state+"\"\nmin_samples = 30\nwindow = \"3s\"\ninterval = \""+roadInterval.String()+"\"\n")
	config := installed(t, dir, "telegraf.conf",
		"/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(need(t)),
		"/etc/telegraf/anomaly.conf", anomaly,
		`interval = "10s"`, `interval = "`+roadInterval.String()+`"`,
		"http://127.0.0.1:8086", db.URL,
		"$INFLUX_TOKEN", "user:password",
		`bucket = "telegraf"`, `bucket = "v2/autogen"`)
	uncommented(t, config)
	telegraf, err := testbed.StartTelegraf(need(t), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = telegraf.Stop() })
	require.NoError(t, testbed.Until(deadline(t, time.Minute), "a model", func() bool {
		return strings.Contains(telegraf.Log(), `"promote"`) || strings.Contains(telegraf.Log(), "promote of") || strings.Contains(telegraf.Log(), "learned a model")
	}))
	time.Sleep(4 * time.Second)
	require.NoError(t, telegraf.Stop())
	require.Empty(t, testbed.Errors(telegraf.Log()))

	for _, name := range []string{"telegraf", "v2"} {
		t.Run(name, func(t *testing.T) {
			requireScored(t, db, name)
			requireTypes(t, db, name)
			requireAdditive(t, db, name)
			requireNoNewTags(t, db, name)
		})
	}
}

// requireScored fails unless there are raw points, and scored ones among them.
func requireScored(t *testing.T, db *testbed.Server, name string) {
	t.Helper()
	for _, q := range []string{
		"SELECT count(usage_idle) FROM cpu WHERE cpu = 'cpu-total'", "SELECT count(used_percent) FROM mem",
		"SELECT count(bytes_recv) FROM net", "SELECT count(used) FROM disk", "SELECT count(load1) FROM system",
		"SELECT count(anomaly_score) FROM cpu WHERE cpu = 'cpu-total'", "SELECT count(anomaly_score) FROM mem",
		"SELECT count(anomaly_score) FROM net", "SELECT count(anomaly_score) FROM ai_predictions",
		"SELECT count(lines) FROM anomaly_processor",
	} {
		require.NotEmpty(t, query(t, db, name, q), q)
	}
	for _, q := range []string{
		"SELECT anomaly_score FROM cpu WHERE cpu != 'cpu-total'", "SELECT anomaly_score FROM disk", "SELECT anomaly_score FROM system",
	} {
		require.Empty(t, query(t, db, name, q), "%s: feeds no feature", q)
	}
}

// requireTypes fails unless the fields have the types that they are documented to
// have, for ever.
func requireTypes(t *testing.T, db *testbed.Server, name string) {
	t.Helper()
	annotation := map[string]string{
		"anomaly_score": "float", "is_anomaly": "integer",
		"shap_cpu": "float", "shap_memory": "float", "shap_network": "float",
	}
	prediction := map[string]string{
		"threshold": "float", "shap_base": "float", "cpu": "float", "memory": "float", "network": "float",
		"latency_ms": "float", "status": "string", "model": "string", "progress": "float",
	}
	for _, measurement := range []string{"cpu", "mem", "net", "ai_predictions"} {
		types := map[string]string{}
		for _, row := range query(t, db, name, "SHOW FIELD KEYS FROM "+measurement) {
			types[row.Text("fieldKey")] = row.Text("fieldType")
		}
		for field, want := range annotation {
			require.Equal(t, want, types[field], "%s %s", measurement, field)
		}
		for field, want := range prediction {
			if measurement == "ai_predictions" {
				require.Equal(t, want, types[field], "%s %s", measurement, field)
			}
		}
	}
}

// requireAdditive fails unless the stored fields prove themselves:
// log2(anomaly_score) = min(0, shap_base + sum of shap), and the points that made a
// vector carry the same numbers as its prediction.
func requireAdditive(t *testing.T, db *testbed.Server, name string) {
	t.Helper()
	const tolerance = 1e-9
	scores := map[int64]testbed.Row{}
	rows := query(t, db, name, "SELECT * FROM ai_predictions WHERE anomaly_score > 0")
	require.NotEmpty(t, rows)
	for _, row := range rows {
		sum := number(t, row, "shap_base") + number(t, row, "shap_cpu") + number(t, row, "shap_memory") + number(t, row, "shap_network")
		require.InDelta(t, math.Log2(number(t, row, "anomaly_score")), min(0, sum), tolerance)
		scores[row.Time().UnixNano()] = row
	}
	for _, row := range query(t, db, name, "SELECT anomaly_score, is_anomaly, shap_cpu, shap_memory, shap_network FROM cpu, mem, net") {
		if row["anomaly_score"] == nil {
			continue
		}
		for _, field := range []string{"anomaly_score", "is_anomaly", "shap_cpu", "shap_memory", "shap_network"} {
			vector := scores[row.Time().Round(roadInterval).UnixNano()]
			require.Equal(t, vector[field], row[field], "%s of %s", field, row.Text("name"))
		}
	}
}

// requireNoNewTags fails if the processor made new series of the user's.
func requireNoNewTags(t *testing.T, db *testbed.Server, name string) {
	t.Helper()
	for measurement, want := range map[string][]string{
		"cpu": {"cpu", "host"}, "mem": {"host"}, "net": {"host", "interface"}, "ai_predictions": {"host"},
	} {
		var tags []string
		for _, row := range query(t, db, name, "SHOW TAG KEYS FROM "+measurement) {
			tags = append(tags, row.Text("tagKey"))
		}
		slices.Sort(tags)
		require.Equal(t, want, tags, measurement)
	}
}

func number(t *testing.T, row testbed.Row, field string) float64 {
	t.Helper()
	v, ok := row.Float(field)
	require.True(t, ok, "%s of %v", field, row)
	return v
}
