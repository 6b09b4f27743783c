package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// e2e skips where the real programs are not wanted.
func e2e(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E") == "" {
		t.Skip("set E2E=1 to run against the real programs")
	}
}

// What was written to a real InfluxDB comes back, in InfluxQL and in Flux, and
// makes the model that the file makes from which it was written.
func TestHistoryOutOfInfluxDB(t *testing.T) {
	e2e(t)
	root, err := testbed.Root()
	require.NoError(t, err)
	server, err := testbed.StartInfluxDB(t.Context(), root, t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	_, err = server.Query(t.Context(), "", "CREATE DATABASE telegraf")
	require.NoError(t, err)
	comesBack(t, server.URL, "telegraf/autogen")
}

// The same of a 2.x, which wants a token: INFLUXD2 names its program, which takes a
// Rust compiler to build, see CONTRIBUTING.md.
func TestHistoryOutOfInfluxDB2(t *testing.T) {
	e2e(t)
	program := os.Getenv("INFLUXD2")
	if program == "" {
		t.Skip("INFLUXD2 does not name an influxd of 2.x")
	}
	address := influxDB2(t, program, "t0p-s3cret")
	for _, token := range []string{"", "another"} {
		t.Setenv("INFLUX_TOKEN", token)
		_, said, code := train(t, "check", "--url", address)
		require.Equal(t, exitGate, code)
		require.Contains(t, said, "access denied")
		require.NotContains(t, said, "another")
	}
	t.Setenv("INFLUX_TOKEN", "t0p-s3cret")
	_, said, code := train(t, "check", "--url", address, "--flux", "--org", "any", "--database", "nosuch")
	require.Equal(t, exitGate, code)
	require.Contains(t, said, "could not find bucket")
	comesBack(t, address, "telegraf")
}

// influxDB2 has the organisation "any" and its bucket "telegraf".
func influxDB2(t *testing.T, program, token string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	dir := t.TempDir()
	p, err := testbed.Start(exec.Command(program, "--http-bind-address", l.Addr().String(), "--reporting-disabled", "--bolt-path", filepath.Join(dir, "bolt"),
		"--engine-path", filepath.Join(dir, "engine"), "--sqlite-path", filepath.Join(dir, "sqlite")), filepath.Join(dir, "log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop() }) // it ends by the signal, which is no success
	address = "http://" + l.Addr().String()
	require.NoError(t, testbed.Until(t.Context(), "InfluxDB", func() bool {
		answer, err := http.Get(address + "/health")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}))
	post(t, address+"/api/v2/setup", fmt.Sprintf(`{"username":"u","password":"password","org":"any","bucket":"telegraf","token":%q}`, token), http.StatusCreated)
	return address
}

func comesBack(t *testing.T, address, bucket string) {
	t.Helper()
	dir := t.TempDir()
	original := filepath.Join(dir, "original.lp")
	start := time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Minute)
	must(t, "simulate", "-o", original, "--hosts", "3", "--last", "3h", "--interval", "10s", "--per-kind", "0", "--start", start.Format(time.RFC3339))
	text, err := os.ReadFile(original)
	require.NoError(t, err)
	post(t, address+"/api/v2/write?org=any&bucket="+bucket, string(text), http.StatusNoContent)

	flux := []string{"--flux", "--org", "any", "--database", bucket}
	for _, language := range [][]string{{}, flux} {
		check := append([]string{"check", "--url", address}, language...)
		_, found, code := train(t, check...)
		require.Equal(t, exitOK, code, found)
		require.Contains(t, found, "hosts: 3 in the last")
		require.NotContains(t, found, "FAIL")
		must(t, append([]string{"validate", "--influx", address, "--max-age", "2h"}, language...)...)
	}

	_, said, code := train(t, "validate", "--influx", address, "--last", "1ns")
	require.Equal(t, exitData, code)
	require.Contains(t, said, "has nothing of the last 1ns in telegraf")
	_, found, code := train(t, "check", "--url", address, "--database", "nosuch")
	require.Equal(t, exitGate, code)
	require.Contains(t, found, "database nosuch: is not there; there are: ")

	var inQL string
	for i, how := range [][]string{{"--also", "system"}, {"--every", "1m"}, {}} {
		inQL = filepath.Join(dir, fmt.Sprintf("influxql%d.lp", i))
		inFlux := filepath.Join(dir, fmt.Sprintf("flux%d.lp", i))
		how = append(how, "--url", address, "--from", start.Add(-time.Hour).Format(time.RFC3339), "--to", start.Add(3*time.Hour).Format(time.RFC3339))
		must(t, append([]string{"collect", "-o", inQL}, how...)...)
		must(t, append(append([]string{"collect", "-o", inFlux}, how...), flux...)...)
		a, err := os.ReadFile(inQL)
		require.NoError(t, err)
		require.NotEmpty(t, a)
		b, err := os.ReadFile(inFlux)
		require.NoError(t, err)
		require.True(t, bytes.Equal(a, b), "both languages give the same bytes, %v", how)
	}

	var fromFile, fromServer fitSummary
	mustJSON(t, &fromFile, "fit", "-q", "--data", original, "--model", filepath.Join(dir, "m1"))
	mustJSON(t, &fromServer, "fit", "-q", "--data", inQL, "--model", filepath.Join(dir, "m2"))
	require.InDelta(t, fromFile.Rows, fromServer.Rows, 3, "the first interval of a host may differ by the order of its lines")
	require.InDelta(t, fromFile.Threshold, fromServer.Threshold, .02)
}

func post(t *testing.T, address, body string, want int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	if token := os.Getenv("INFLUX_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Token "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, want, answer.StatusCode)
}

// readBack asks through MLflow's own client.
const readBack = `
import sys, mlflow
c = mlflow.MlflowClient(sys.argv[1])
e = c.get_experiment_by_name("telegraf-anomaly")
runs = c.search_runs([e.experiment_id])
parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
children = [r for r in runs if "mlflow.parentRunId" in r.data.tags]
v = c.get_model_version_by_alias("telegraf-anomaly", "challenger")
print(len(parents), len(children), v.version, v.run_id == parents[0].info.run_id)
for r in parents + children:
    assert r.info.status == "FINISHED", r.info.status
    assert "contamination" in r.data.params and "alarms_per_host_week" in r.data.metrics, r.data
names = {a.path for r in parents for a in c.list_artifacts(r.info.run_id)}
assert {"report.html", "report.json", "fit.json", "plots"} <= names, names
`

// A run, its grid, its report and its registered version reach a real MLflow; one
// that could not be sent is sent later. MLFLOW_PYTHON has mlflow installed.
func TestTrackingReachesMLflow(t *testing.T) {
	e2e(t)
	python := os.Getenv("MLFLOW_PYTHON")
	if python == "" {
		t.Skip("MLFLOW_PYTHON does not name a Python that has mlflow")
	}
	data, store := record(t, "--last", "240h"), filepath.Join(t.TempDir(), "models")
	t.Setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
	t.Setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
	_, said, code := train(t, "fit", "-q", "--data", data, "--model", store)
	require.Zero(t, code, "a tracking failure never loses the model")
	require.Contains(t, said, "the model is safe, MLflow does not know of it")
	_, _, code = train(t, "fit", "-q", "--data", data, "--model", filepath.Join(t.TempDir(), "m"), "--require-mlflow")
	require.Equal(t, exitFailure, code)

	address := mlflowServer(t, python)
	t.Setenv("MLFLOW_TRACKING_URI", address)
	t.Setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
	for range 10 { // one try takes 30 s at most, and the next goes on from there
		if _, _, code = train(t, "track", "--model", store); code == exitOK {
			break
		}
	}
	require.Zero(t, code)
	require.Empty(t, must(t, "track", "--model", store), "nothing waits any more")
	out, err := exec.CommandContext(t.Context(), python, "-c", readBack, address).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "1 4 1 True")
}

func mlflowServer(t *testing.T, python string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	dir := t.TempDir()
	c := exec.Command(python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", fmt.Sprint(port),
		"--backend-store-uri", "sqlite:///"+filepath.Join(dir, "x.db"), "--artifacts-destination", filepath.Join(dir, "artifacts"))
	c.Env = append(os.Environ(), "MLFLOW_DISABLE_TELEMETRY=true")
	c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // its workers are in its group
		_ = c.Wait()
	})
	address = fmt.Sprintf("http://127.0.0.1:%d", port)
	require.NoError(t, testbed.Until(t.Context(), "MLflow", func() bool {
		answer, err := http.Get(address + "/health")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}))
	return address
}

// The forest is scikit-learn's: DATA_PAPER names the labelled sets,
// SKLEARN_PYTHON a Python.
func TestParity(t *testing.T) {
	sets, python := os.Getenv("DATA_PAPER"), os.Getenv("SKLEARN_PYTHON")
	if sets == "" || python == "" {
		t.Skip("DATA_PAPER and SKLEARN_PYTHON are not set")
	}
	var rows []parity
	mustJSON(t, &rows, "parity", sets, "-q")
	require.NotEmpty(t, rows)
}
