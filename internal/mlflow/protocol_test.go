package mlflow

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The calls of an upload, in order: to a 3.x server, to a 2.x server, and a second
// time after everything but the end of the run has arrived.
func TestCallsOfAnUpload(t *testing.T) {
	const run = `
		POST runs/log-batch
		POST runs/log-inputs
		POST runs/create
		POST runs/log-batch
		POST runs/update
		POST runs/create
		POST runs/log-batch
		POST runs/update
		PUT 1/r1/artifacts/reports/report.html
		PUT 1/r1/artifacts/empty
		POST registered-models/create
		GET model-versions/search`
	const first = `
		GET experiments/get-by-name
		POST experiments/create
		POST runs/search
		POST runs/create` + run
	for name, tc := range map[string]struct {
		old, again bool
		want       string
	}{
		"3.x": {want: first + `
		POST logged-models/search
		POST logged-models
		PUT 1/models/m-1/artifacts/model.bin
		PUT 1/models/m-1/artifacts/MLmodel
		PATCH logged-models/m-1
		POST runs/outputs
		POST model-versions/create
		POST registered-models/alias
		POST runs/update`},
		"2.x": {old: true, want: first + `
		POST logged-models/search
		PUT 1/r1/artifacts/model/model.bin
		PUT 1/r1/artifacts/model/MLmodel
		POST runs/log-model
		POST model-versions/create
		POST registered-models/alias
		POST runs/update`},
		"again": {again: true, want: `
		GET experiments/get-by-name
		POST runs/search
		GET runs/get
		POST runs/log-batch
		POST runs/log-inputs
		POST runs/search
		POST runs/search
		PUT 1/r1/artifacts/reports/report.html
		PUT 1/r1/artifacts/empty
		POST registered-models/create
		GET model-versions/search
		POST registered-models/alias
		POST runs/update`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.old = tc.old
			if tc.again {
				_, _, err := Upload(t.Context(), f.client(t), sample())
				require.NoError(t, err)
				f.state.Runs[0].Status, f.calls = "RUNNING", nil
			}
			_, _, err := Upload(t.Context(), f.client(t), sample())
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(strings.TrimSpace(tc.want)) {
				want = append(want, strings.TrimSpace(line))
			}
			require.Equal(t, want, f.calls)
		})
	}
}

// A refusal at any call ends the upload and names the call; the run stays open, so
// that nobody takes it for complete. Where the server says why, so does the error.
func TestRefusalOfAnyCallIsReported(t *testing.T) {
	whole := newFake(t)
	_, _, err := Upload(t.Context(), whole.client(t), sample())
	require.NoError(t, err)
	for n, call := range whole.calls {
		f := failingAt(t, n, false, func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error_code":"PERMISSION_DENIED","message":"not yours"}`))
		})
		_, _, err := Upload(t.Context(), f.client(t), sample())
		method, _, _ := strings.Cut(call, " ")
		require.ErrorContains(t, err, `mlflow: upload of run "fit": `)
		require.ErrorContains(t, err, method+" ")
		require.ErrorContains(t, err, "HTTP 403: PERMISSION_DENIED: not yours")
		require.Len(t, f.calls, n+1, "nothing is sent after a refusal")
		if len(f.state.Runs) > 0 {
			require.Equal(t, "RUNNING", f.state.Runs[0].Status)
		}
	}
}

// The same for the calls that only a run of the environment needs.
func TestRefusalOfTheAdoption(t *testing.T) {
	for n := range 2 {
		f := failingAt(t, n, false, func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) })
		f.state.Experiments = []experiment{{"1", "theirs", "active"}}
		f.state.Runs = []*fakeRun{{ID: "r1", Experiment: "1", Tags: map[string]string{}, Params: map[string]string{}}}
		_, _, err := Upload(t.Context(), f.client(t, func(c *Config) { c.RunID = "r1" }), sample())
		require.ErrorContains(t, err, "HTTP 403")
		require.Empty(t, f.state.Runs[0].Params)
	}
}

func TestCancelEndsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := defaults(t)
		cfg.BackoffFactor = time.Hour
		c := testClient(t, cfg)
		tries := 0
		c.http.Transport = answering(&tries, statuses(503)...)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		require.ErrorContains(t, ping(ctx, c), "HTTP 503")
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, 1, tries)
	})
}
