//go:build unix

package mlflow

import (
	"bytes"
	"encoding/json"
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
)

// TestRealServer uploads to MLflow's own server and reads everything back through
// MLflow's own client. MLFLOW_PYTHON names the Python of an environment made from
// testdata/requirements.txt, MLFLOW_PYTHON_2 one from testdata/requirements-2.txt.
func TestRealServer(t *testing.T) {
	for _, variable := range []string{"MLFLOW_PYTHON", "MLFLOW_PYTHON_2"} {
		t.Run(variable, func(t *testing.T) {
			python := os.Getenv(variable)
			if python == "" {
				t.Skip(variable + " is not set: it must name a Python with MLflow, see testdata/requirements.txt")
			}
			s := startReal(t, python)
			t.Run("everything is read back", s.everything)
			t.Run("a second upload changes nothing", s.again)
			t.Run("limits", s.limits)
			t.Run("a deleted experiment is restored", s.deleted)
			t.Run("a directory of this machine", s.directory)
			t.Run("from the spool, after an outage", s.outage)
		})
	}
}

type realServer struct {
	python, dir, uri string
	client           *Client
	first            string // id of the run that everything uploaded
}

func startReal(t *testing.T, python string) *realServer {
	s := &realServer{python: python, dir: t.TempDir(), uri: "http://" + freeAddress(t)}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.uri, "http://"))
	cmd := exec.Command(python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1",
		"--backend-store-uri", "sqlite:///"+filepath.Join(s.dir, "mlflow.db"), "--artifacts-destination", filepath.Join(s.dir, "artifacts"))
	cmd.Dir, cmd.Env = s.dir, s.env()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts children, which must end with it
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	began := time.Now()
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		stop(cmd.Process.Pid, ended)
		if t.Failed() {
			t.Log(log.String())
		}
	})
	s.client = testClient(t, Config{TrackingURI: Secret(s.uri), MaxRetries: 2, BackoffFactor: time.Second / 10})
	for !healthy(s.uri) {
		select {
		case err := <-ended:
			ended <- err
			require.FailNow(t, "the server ended", "%v\n%s", err, log.String())
		case <-time.After(time.Second / 5):
			require.Less(t, time.Since(began), 2*time.Minute, "the server does not answer")
		}
	}
	t.Logf("the server was up after %.1f s", time.Since(began).Seconds())
	return s
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func healthy(uri string) bool {
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(uri + "/health")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends the process group that pid leads.
func stop(pid int, ended <-chan error) {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}

func (s *realServer) env() []string {
	return append(os.Environ(), "MLFLOW_DISABLE_TELEMETRY=true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false",
		"HOME="+s.dir, "PYTHONDONTWRITEBYTECODE=1")
}

// seen is what testdata/readback.py prints.
type seen struct {
	MLflow     string
	Experiment string
	Run        seenRun
	Artifacts  map[string]string
	Children   []seenRun
	Outputs    []string
	Model      struct {
		Version                     string
		Versions                    int
		Aliases                     []string
		RunID                       string `json:"run_id"`
		Source, Status, Description string
		Files                       map[string]string
		Flavors                     map[string]map[string]string
		Metadata                    map[string]string
		Inputs, Outputs             [][]string
		MLmodelRunID                string `json:"mlmodel_run_id"`
		Logged                      *struct{ Status, RunID string }
	}
}

type seenRun struct {
	Name, Status string
	Start, End   int64
	Params, Tags map[string]string
	Metrics      map[string][][]any // step, milliseconds, repr of the value
	Datasets     []Dataset
}

func (s *realServer) readBack(t *testing.T, runID string, model *Model) seen {
	cmd := exec.Command(s.python, "testdata/readback.py", s.uri, runID, model.Name, model.Alias)
	cmd.Env = s.env()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var got seen
	require.NoError(t, json.Unmarshal(out, &got), string(out))
	return got
}

func (s *realServer) everything(t *testing.T) {
	began := time.Now()
	run := sample()
	runID, version, err := Upload(t.Context(), s.client, run)
	require.NoError(t, err)
	t.Logf("uploaded in %.2f s", time.Since(began).Seconds())
	s.first = runID
	got := s.readBack(t, runID, run.Model)
	t.Logf("MLflow %s: run %s, model version %s from %s", got.MLflow, runID, version, got.Model.Source)

	require.Equal(t, "hosts", got.Experiment)
	requireSeen(t, run, got.Run)
	require.Equal(t, "upload-1", got.Run.Tags[idTag])
	require.Equal(t, [][]any{{0., float64(run.Start.UnixMilli()), "0.5"}, {1., float64(run.End.UnixMilli()), "0.75"}}, got.Run.Metrics["auc"])
	require.Equal(t, [][]any{{0., float64(run.End.UnixMilli()), "nan"}}, got.Run.Metrics["delay"])
	require.Equal(t, run.Datasets, got.Run.Datasets)
	require.Equal(t, "<html>", got.Artifacts["reports/report.html"])
	require.Contains(t, got.Artifacts, "empty")

	require.Len(t, got.Children, 2)
	for i, child := range got.Children {
		requireSeen(t, run.Children[i], child)
		require.Equal(t, runID, child.Tags[parentTag])
	}

	m := got.Model
	require.Equal(t, "1", version)
	require.Equal(t, version, m.Version)
	require.Equal(t, []string{"challenger"}, m.Aliases)
	require.Equal(t, "READY", m.Status)
	require.Equal(t, "first", m.Description)
	require.Equal(t, runID, m.RunID)
	require.Equal(t, runID, m.MLmodelRunID)
	require.Equal(t, map[string]string{"model.bin": "FOREST"}, m.Files)
	require.Equal(t, map[string]map[string]string{flavour: {"data": "model.bin", "version": "1.2.3"}}, m.Flavors)
	require.Equal(t, map[string]string{"seed": "7"}, m.Metadata)
	require.Equal(t, [][]string{{"cpu", "double"}, {"memory", "double"}}, m.Inputs)
	require.Equal(t, [][]string{{"anomaly_score", "double"}}, m.Outputs)
	if strings.HasPrefix(got.MLflow, "2.") {
		require.Equal(t, "FOREST", got.Artifacts["model/model.bin"])
		require.Contains(t, got.Run.Tags["mlflow.log-model.history"], flavour)
		return
	}
	require.Equal(t, "READY", m.Logged.Status)
	require.Equal(t, []string{strings.TrimPrefix(m.Source, "models:/")}, got.Outputs)
}

func requireSeen(t *testing.T, want Run, got seenRun) {
	require.Equal(t, want.Name, got.Name)
	require.Equal(t, string(Finished), got.Status)
	require.Equal(t, want.Start.UnixMilli(), got.Start)
	require.Equal(t, want.End.UnixMilli(), got.End)
	require.Equal(t, want.Params, got.Params)
	for key, value := range want.Tags {
		require.Equal(t, value, got.Tags[key])
	}
}

// again repeats the upload of a complete run, then, as after a crash just before
// its end, of one that is open again.
func (s *realServer) again(t *testing.T) {
	run := sample()
	before := s.readBack(t, s.first, run.Model)
	for _, status := range []string{"FINISHED", "RUNNING"} {
		require.NoError(t, s.client.api(t.Context(), "POST", "runs/update", object{"run_id": s.first, "status": status}, nil))
		runID, version, err := Upload(t.Context(), s.client, run)
		require.NoError(t, err)
		require.Equal(t, s.first, runID)
		require.Equal(t, "1", version)
		require.Equal(t, before, s.readBack(t, s.first, run.Model))
	}
}

func (s *realServer) limits(t *testing.T) {
	run := sample()
	run.ID, run.Name = "", "big"
	run.Children, run.Artifacts = nil, nil
	run.Metrics = nil
	for i := range 1001 {
		run.Metrics = append(run.Metrics, Metric{Key: "loss", Step: int64(i), Value: float64(i)})
	}
	for i := range 101 {
		run.Params[fmt.Sprint("p", i)] = strings.Repeat("é", maxParam+1)
		run.Tags[fmt.Sprint("t", i)] = strings.Repeat("é", maxTag+1)
	}
	run.Params["weight:cpu=α"] = ""
	runID, version, err := Upload(t.Context(), s.client, run)
	require.NoError(t, err)
	require.Equal(t, "2", version)
	got := s.readBack(t, runID, run.Model)
	require.Len(t, got.Run.Metrics["loss"], 1001)
	require.Len(t, got.Run.Params, len(run.Params))
	require.Contains(t, got.Run.Params, "weight_cpu_α")
	require.Equal(t, strings.Repeat("é", maxParam-1)+"…", got.Run.Params["p100"])
	require.Equal(t, strings.Repeat("é", maxTag-1)+"…", got.Run.Tags["t100"])
	require.Equal(t, "2", got.Model.Version, "the alias has moved")
	require.Equal(t, 2, got.Model.Versions)
}

func (s *realServer) deleted(t *testing.T) {
	e, err := s.client.experimentByName(t.Context(), "hosts")
	require.NoError(t, err)
	require.NoError(t, s.client.api(t.Context(), "POST", "experiments/delete", object{"experiment_id": e.ID}, nil))
	run := sample()
	run.ID, run.Model, run.Children = "after-restore", nil, nil
	_, _, err = Upload(t.Context(), s.client, run)
	require.NoError(t, err)
	e, err = s.client.experimentByName(t.Context(), "hosts")
	require.NoError(t, err)
	require.Equal(t, "active", e.Stage)
}

// directory uploads to an experiment whose artifacts lie in a directory, as with
// mlflow server --no-serve-artifacts.
func (s *realServer) directory(t *testing.T) {
	at := filepath.Join(s.dir, "direct")
	require.NoError(t, s.client.api(t.Context(), "POST", "experiments/create", object{"name": "direct", "artifact_location": at}, nil))
	run := sample()
	run.ID, run.Experiment, run.Model.Name = "direct", "direct", "direct"
	runID, _, err := Upload(t.Context(), s.client, run)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(at, runID, "artifacts", "reports", "report.html"))
	got := s.readBack(t, runID, run.Model)
	require.Equal(t, "<html>", got.Artifacts["reports/report.html"])
	require.Equal(t, map[string]string{"model.bin": "FOREST"}, got.Model.Files)
}

func (s *realServer) outage(t *testing.T) {
	spool := Spool(filepath.Join(s.dir, "spool"))
	run := sample()
	run.ID, run.Model.Name = "", "spooled"
	id, err := spool.Add(run)
	require.NoError(t, err)
	away := testClient(t, Config{TrackingURI: Secret("http://" + freeAddress(t))})
	_, _, err = spool.Upload(t.Context(), away, id)
	require.ErrorContains(t, err, "no answer")
	require.Equal(t, []string{id}, pending(t, spool))
	runID, version, err := spool.Upload(t.Context(), s.client, id)
	require.NoError(t, err)
	require.Equal(t, "1", version)
	require.Empty(t, pending(t, spool))
	got := s.readBack(t, runID, run.Model)
	require.Equal(t, "<html>", got.Artifacts["reports/report.html"])
	require.Len(t, got.Children, 2)
}
