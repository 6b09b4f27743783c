package mlflow

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUploadSendsEverything(t *testing.T) {
	f := newFake(t)
	runID, version, err := Upload(t.Context(), f.client(t), sample())
	require.NoError(t, err)
	require.Equal(t, "r1", runID)
	require.Equal(t, "1", version)

	require.Equal(t, []experiment{{ID: "1", Name: "hosts", Stage: "active"}}, f.state.Experiments)
	run := f.state.Runs[0]
	require.Equal(t, "fit", run.Name)
	require.Equal(t, "FINISHED", run.Status)
	require.Equal(t, began.UnixMilli(), run.Start)
	require.Equal(t, ended.UnixMilli(), run.End)
	require.Equal(t, map[string]string{"trees": "100", "sample_size": "256"}, run.Params)
	require.Equal(t, map[string]string{idTag: "upload-1", "mlflow.source.git.commit": "abc"}, run.Tags)
	require.Len(t, run.Metrics, 3)
	require.Equal(t, wireMetric{"auc", 0.75, ended.UnixMilli(), 1}, run.Metrics[1])
	require.Equal(t, ended.UnixMilli(), run.Metrics[2].Timestamp, "a metric without a time is of the end")
	require.Contains(t, fmt.Sprint(run.Inputs), `source:{"uri":"history.lp"}`)
	require.Equal(t, "[map[model_id:m-1 step:0]]", fmt.Sprint(run.Outputs))

	require.Len(t, f.state.Runs, 3)
	for i, child := range f.state.Runs[1:] {
		require.Equal(t, "r1", child.Tags[parentTag])
		require.Equal(t, fmt.Sprintf("upload-1.%d", i), child.Tags[idTag])
		require.Equal(t, "FINISHED", child.Status)
	}

	require.Equal(t, "<html>", f.state.Files["1/r1/artifacts/reports/report.html"])
	require.Contains(t, f.state.Files, "1/r1/artifacts/empty")
	require.Equal(t, "FOREST", f.state.Files["1/models/m-1/artifacts/model.bin"])
	require.Contains(t, f.state.Files["1/models/m-1/artifacts/MLmodel"], "model_id: m-1")
	require.Equal(t, &fakeModel{ID: "m-1", Name: "hosts_detector", Run: "r1", Status: "LOGGED_MODEL_READY"}, f.state.Models[0])
	require.Equal(t, "models:/m-1", f.state.Versions[0]["source"])
	require.Equal(t, "m-1", f.state.Versions[0]["model_id"])
	require.Equal(t, map[string]string{"challenger": "1"}, f.state.Aliases)
}

func TestUploadToServerWithoutLoggedModels(t *testing.T) {
	f := newFake(t)
	f.old = true
	_, version, err := Upload(t.Context(), f.client(t), sample())
	require.NoError(t, err)
	require.Equal(t, "1", version)
	require.Equal(t, "FOREST", f.state.Files["1/r1/artifacts/model/model.bin"])
	require.Equal(t, "mlflow-artifacts:/1/r1/artifacts/model", f.state.Versions[0]["source"])
	require.NotContains(t, f.state.Versions[0], "model_id")
	for _, needed := range []string{"artifact_path", "flavors", "utc_time_created", "run_id"} {
		require.Contains(t, f.state.Runs[0].ModelJSON, `"`+needed+`":`)
	}
}

// A failure at any call, before or after it took effect, and a second upload later
// leave the server as one undisturbed upload does. So do immediate retries.
func TestUploadContinuesAfterAnyFailure(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}
	refuse := func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }
	for _, old := range []bool{false, true} {
		undisturbed := newFake(t)
		undisturbed.old = old
		_, _, err := Upload(t.Context(), undisturbed.client(t), sample())
		require.NoError(t, err)
		want := undisturbed.snapshot(t)
		for _, retries := range []int{0, 1} {
			for name, fail := range map[string]func(http.ResponseWriter){"hang up": hangUp, "502": refuse} {
				for _, effect := range []bool{false, true} {
					t.Run(fmt.Sprintf("old=%t/retries=%d/%s/effect=%t", old, retries, name, effect), func(t *testing.T) {
						for n := range undisturbed.calls {
							f := failingAt(t, n, effect, fail)
							f.old = old
							c := f.client(t, func(cfg *Config) { cfg.MaxRetries = retries })
							_, version, err := Upload(t.Context(), c, sample())
							if retries == 0 && err != nil { // it may be nil: net/http repeats a GET by itself
								_, version, err = Upload(t.Context(), c, sample())
							}
							require.NoError(t, err, "call %d", n)
							require.Equal(t, "1", version)
							require.Equal(t, want, f.snapshot(t), "call %d: %s", n, undisturbed.calls[n])
						}
					})
				}
			}
		}
	}
}

// failingAt returns a server whose n-th call fails, with or without its effect.
func failingAt(t *testing.T, n int, effect bool, fail func(http.ResponseWriter)) *fake {
	f := newFake(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if len(f.calls)-1 != n {
			return false
		}
		if effect {
			f.serve(httptest.NewRecorder(), r)
		}
		fail(w)
		return true
	}
	return f
}

func TestUploadOfACompleteRunChangesNothing(t *testing.T) {
	f := newFake(t)
	_, _, err := Upload(t.Context(), f.client(t), sample())
	require.NoError(t, err)
	before, calls := f.snapshot(t), len(f.calls)
	runID, version, err := Upload(t.Context(), f.client(t), sample())
	require.NoError(t, err)
	require.Equal(t, "r1", runID)
	require.Equal(t, "1", version)
	require.Equal(t, before, f.snapshot(t))
	require.Equal(t, []string{"GET experiments/get-by-name", "POST runs/search", "GET model-versions/search"}, f.calls[calls:])
}

func TestUploadOfTwoRunsMakesTwoVersions(t *testing.T) {
	f := newFake(t)
	for _, id := range []string{"first", "second"} {
		run := sample()
		run.ID = id
		_, _, err := Upload(t.Context(), f.client(t), run)
		require.NoError(t, err)
	}
	require.Len(t, f.state.Versions, 2)
	require.Equal(t, []string{"hosts.detector"}, f.state.Registered)
	require.Equal(t, "2", f.state.Aliases["challenger"])
}

func TestUploadOfARunThatGoesOnLeavesItRunning(t *testing.T) {
	f := newFake(t)
	_, _, err := Upload(t.Context(), f.client(t), Run{Name: "live", Start: began})
	require.NoError(t, err)
	require.Equal(t, "RUNNING", f.state.Runs[0].Status)
	require.Equal(t, DefaultExperiment, f.state.Experiments[0].Name)
}

func TestUploadSplitsBatches(t *testing.T) {
	f := newFake(t)
	run := Run{Name: "big", Start: began, End: ended, Params: map[string]string{}, Tags: map[string]string{}}
	for i := range 1001 {
		run.Metrics = append(run.Metrics, Metric{Key: "loss", Step: int64(i), Value: float64(i)})
	}
	for i := range 101 {
		run.Params[fmt.Sprint("p", i)] = strings.Repeat("\x01", maxParam+1) // six bytes each in JSON
		run.Tags[fmt.Sprint("t", i)] = strings.Repeat("é", maxTag+1)
	}
	_, _, err := Upload(t.Context(), f.client(t), run)
	require.NoError(t, err)
	require.Len(t, f.state.Runs[0].Metrics, 1001)
	require.Len(t, f.state.Runs[0].Params, 101)
	require.Len(t, f.state.Runs[0].Tags, 101+1)
	require.Equal(t, "ééé…", f.state.Runs[0].Tags["t7"][2*(maxTag-4):])
}

func TestExperiment(t *testing.T) {
	active, deleted := experiment{"1", "hosts", "active"}, experiment{"1", "hosts", "deleted"}
	for name, tc := range map[string]struct {
		known     []experiment
		run       string
		configure func(*Config)
		want      string // name of the experiment of the run, or
		problem   string
	}{
		"new":                {run: "hosts", want: "hosts"},
		"known":              {known: []experiment{active}, run: "hosts", want: "hosts"},
		"deleted: restored":  {known: []experiment{deleted}, run: "hosts", want: "hosts"},
		"default":            {want: DefaultExperiment},
		"by environment":     {configure: func(c *Config) { c.ExperimentName = "env" }, want: "env"},
		"run wins":           {run: "hosts", configure: func(c *Config) { c.ExperimentName = "env"; c.ExperimentID = "9" }, want: "hosts"},
		"by id":              {known: []experiment{active}, configure: func(c *Config) { c.ExperimentID = "1" }, want: "hosts"},
		"by id and name":     {known: []experiment{active}, configure: func(c *Config) { c.ExperimentID, c.ExperimentName = "1", "hosts" }, want: "hosts"},
		"id and name differ": {known: []experiment{active}, configure: func(c *Config) { c.ExperimentID, c.ExperimentName = "1", "x" }, problem: "unset one"},
		"unknown id":         {configure: func(c *Config) { c.ExperimentID = "9" }, problem: "experiment: GET experiments/get: HTTP 404: RESOURCE_DOES_NOT_EXIST"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.state.Experiments = tc.known
			c := f.client(t, func(cfg *Config) {
				if tc.configure != nil {
					tc.configure(cfg)
				}
			})
			_, _, err := Upload(t.Context(), c, Run{Name: "r", Experiment: tc.run, Start: began, End: ended})
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				return
			}
			require.NoError(t, err)
			require.Len(t, f.state.Experiments, 1)
			require.Equal(t, experiment{"1", tc.want, "active"}, f.state.Experiments[0])
		})
	}
}

func TestExperimentCreatedByAnotherTrainerInBetween(t *testing.T) {
	f := newFake(t)
	f.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "experiments/create") {
			f.state.Experiments = []experiment{{"1", "hosts", "active"}}
		}
		return false
	}
	_, _, err := Upload(t.Context(), f.client(t), sample())
	require.NoError(t, err)
	require.Equal(t, "1", f.state.Runs[0].Experiment)
}

func TestRunOfTheEnvironmentIsAdopted(t *testing.T) {
	f := newFake(t)
	f.state.Experiments = []experiment{{"1", "theirs", "active"}}
	f.state.Runs = []*fakeRun{{ID: "r1", Experiment: "1", Status: "FINISHED", Params: map[string]string{}, Tags: map[string]string{"by": "them"}}}
	c := f.client(t, func(cfg *Config) { cfg.RunID = "r1" })

	runID, _, err := Upload(t.Context(), c, sample())
	require.NoError(t, err)
	require.Equal(t, "r1", runID)
	require.Equal(t, "100", f.state.Runs[0].Params["trees"])
	require.Equal(t, "them", f.state.Runs[0].Tags["by"])

	other := sample()
	other.ID = "upload-2"
	_, _, err = Upload(t.Context(), c, other)
	require.ErrorContains(t, err, `MLFLOW_RUN_ID: run r1 already holds upload "upload-1"`)

	_, _, err = Upload(t.Context(), f.client(t, func(cfg *Config) { cfg.RunID = "r9" }), sample())
	require.ErrorContains(t, err, "MLFLOW_RUN_ID: GET runs/get: HTTP 404")
}

func TestHostileAnswersAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ from, to, problem string }{
		"run id with a path":     {`"run_id":"r1"`, `"run_id":"../r1"`, "run id and experiment id: ../r1 1"},
		"run id of wrong type":   {`"run_id":"r1"`, `"run_id":{}`, "cannot unmarshal object"},
		"no run":                 {`"run":`, `"walk":`, "run id and experiment id"},
		"experiment id":          {`"experiment_id":"1"`, `"experiment_id":"' or 1"`, "experiment id: ' or 1"},
		"experiment id a number": {`"experiment_id":"1"`, `"experiment_id":1`, "cannot unmarshal number"},
		"model id with a path":   {`"model_id":"m-1"`, `"model_id":"../../x"`, "model id: ../../x"},
		"version":                {`"version":"1"`, `"version":"1; drop"`, "model version: 1; drop"},
		"artifacts above":        {`mlflow-artifacts:/1/r1`, `mlflow-artifacts:/../..`, "leads elsewhere"},
		"artifacts elsewhere":    {`mlflow-artifacts:/1/r1`, `mlflow-artifacts://evil:1/r1`, "is on another host"},
		"model artifacts in s3":  {`mlflow-artifacts:/1/models`, `s3://bucket`, "is not served by the tracking server"},
		"not JSON":               {`{"experiment_id`, `<html>`, "not MLflow's JSON"},
		"array for object":       {`{"experiment_id"`, `[{"experiment_id"`, "not MLflow's JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.corrupt = map[string]string{tc.from: tc.to}
			_, _, err := Upload(t.Context(), f.client(t), sample())
			require.ErrorContains(t, err, tc.problem)
			require.ErrorIs(t, err, errAnswer)
			for _, call := range f.calls {
				require.NotContains(t, call, "..")
			}
		})
	}
}

func TestUploadEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := Upload(ctx, f.client(t), sample())
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, f.calls)
}

func TestArtifactThatVanished(t *testing.T) {
	f := newFake(t)
	run := sample()
	gone := filepath.Join(t.TempDir(), "gone")
	run.Artifacts = []Artifact{{Path: "report", File: gone}}
	_, _, err := Upload(t.Context(), f.client(t), run)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, `artifact "report"`)
	require.Equal(t, 0, count(f.calls, "PUT"), "nothing was sent in its place")
	run.Artifacts[0].File = t.TempDir()
	_, _, err = Upload(t.Context(), f.client(t), run)
	require.ErrorContains(t, err, "is not a regular file")
}

func count(calls []string, prefix string) int {
	return len(slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return !strings.HasPrefix(c, prefix) }))
}

// A series longer than a batch is continued where it broke off, without repeats.
func TestUploadContinuesWithinASeries(t *testing.T) {
	run := Run{ID: "long", Name: "long", Start: began, End: ended}
	for i := range 2500 {
		run.Metrics = append(run.Metrics, Metric{Key: "loss", Step: int64(2500 - i), Value: float64(i)}) // in any order
	}
	for n := range 5 {
		for _, effect := range []bool{false, true} {
			for _, retries := range []int{0, 1} {
				f := failingAt(t, n+2, effect, func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
				c := f.client(t, func(cfg *Config) { cfg.MaxRetries = retries })
				_, _, err := Upload(t.Context(), c, run)
				if retries == 0 && err != nil {
					_, _, err = Upload(t.Context(), c, run)
				}
				require.NoError(t, err)
				require.Len(t, f.state.Runs[0].Metrics, 2500)
				for i, m := range f.state.Runs[0].Metrics {
					require.EqualValues(t, i+1, m.Step)
				}
			}
		}
	}
}
