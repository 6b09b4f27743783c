package mlflow

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// fake is a tracking server in memory, as strict as the real one where that has
// been seen to matter. Its ids are numbers in order of creation.
type fake struct {
	mu      sync.Mutex
	old     bool // a 2.x server: no logged models
	state   fakeState
	calls   []string
	answer  func(w http.ResponseWriter, r *http.Request) bool // answers itself if it returns true
	corrupt map[string]string                                 // replaced in answers
	base    string
}

// fakeState is everything that a fake remembers; two uploads are equal if it is.
type fakeState struct {
	Experiments []experiment
	Runs        []*fakeRun
	Models      []*fakeModel
	Registered  []string
	Versions    []map[string]any
	Aliases     map[string]string
	Files       map[string]string
}

type fakeRun struct {
	ID, Experiment, Name, Status string
	Start, End                   int64
	Params, Tags                 map[string]string
	Metrics                      []wireMetric
	Inputs, Outputs              []any
	ModelJSON                    string
}

type fakeModel struct{ ID, Name, Run, Status string }

func newFake(t *testing.T) *fake {
	f := newMemoryFake()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.base = server.URL
	return f
}

// client returns a client of the fake that does not wait between its tries.
func (f *fake) client(t *testing.T, change ...func(*Config)) *Client {
	cfg := Config{TrackingURI: Secret(f.base), MaxRetries: 3}
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

const (
	apiPrefix      = "/api/2.0/mlflow/"
	artifactPrefix = "/api/2.0/mlflow-artifacts/artifacts/"
)

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.Method+" "+strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, apiPrefix), artifactPrefix))
	if f.answer != nil && f.answer(w, r) {
		return
	}
	f.serve(w, r)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, artifactPrefix); ok && r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		f.state.Files[name] = string(body) // and an empty answer, as uvicorn's
		return
	}
	in := map[string]any{}
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		if len(body) > 1_000_000 || json.Unmarshal(body, &in) != nil || slices.Contains(slices.Collect(maps.Values(in)), nil) {
			http.Error(w, "<!doctype html><title>500 Internal Server Error</title>", http.StatusInternalServerError)
			return
		}
	}
	for k, v := range r.URL.Query() {
		in[k] = v[0]
	}
	out, fail := f.call(r.Method+" "+strings.TrimPrefix(r.URL.Path, apiPrefix), in)
	if fail != nil {
		w.WriteHeader(fail.Status)
		out = map[string]string{"error_code": fail.Code, "message": fail.Message}
	}
	text, _ := json.Marshal(out)
	for from, to := range f.corrupt {
		text = []byte(strings.ReplaceAll(string(text), from, to))
	}
	_, _ = w.Write(text)
}

type object = map[string]any

var (
	invalid  = &Error{Status: 400, Code: "INVALID_PARAMETER_VALUE"}
	exists   = &Error{Status: 400, Code: codeExists}
	missing  = &Error{Status: 404, Code: codeNotFound}
	noRoute  = &Error{Status: 404}
	quoted   = regexp.MustCompile(`'([^']*)'`)
	patchURL = regexp.MustCompile(`^PATCH logged-models/(.*)$`)
)

func (f *fake) call(op string, in object) (any, *Error) {
	text := func(k string) string { s, _ := in[k].(string); return s }
	switch op {
	case "GET experiments/get-by-name", "GET experiments/get", "POST experiments/create", "POST experiments/restore":
		return f.experimentCall(op, text)
	case "POST runs/search", "POST runs/create", "GET runs/get", "POST runs/set-tag", "POST runs/log-batch",
		"POST runs/log-inputs", "POST runs/outputs", "POST runs/log-model", "POST runs/update":
		return f.runCall(op, in, text)
	case "POST registered-models/create":
		if slices.Contains(f.state.Registered, text("name")) {
			return nil, exists
		}
		f.state.Registered = append(f.state.Registered, text("name"))
		return object{}, nil
	case "POST registered-models/alias":
		f.state.Aliases[text("alias")] = text("version")
		return object{}, nil
	case "POST model-versions/create":
		in["version"] = fmt.Sprint(len(f.state.Versions) + 1)
		f.state.Versions = append(f.state.Versions, in)
		return object{"model_version": in}, nil
	case "GET model-versions/search":
		q := quoted.FindAllStringSubmatch(text("filter"), 2)
		i := slices.IndexFunc(f.state.Versions, func(v object) bool { return v["name"] == q[0][1] && v["run_id"] == q[1][1] })
		if i < 0 {
			return object{}, nil
		}
		return object{"model_versions": []any{f.state.Versions[i]}}, nil
	}
	if f.old {
		return nil, noRoute
	}
	return f.modelCall(op, text)
}

func (f *fake) experimentCall(op string, text func(string) string) (any, *Error) {
	i := slices.IndexFunc(f.state.Experiments, func(e experiment) bool {
		return e.Name == text("experiment_name") || e.Name == text("name") || e.ID == text("experiment_id")
	})
	switch {
	case op == "POST experiments/create" && i >= 0:
		return nil, exists
	case op == "POST experiments/create":
		e := experiment{ID: fmt.Sprint(len(f.state.Experiments) + 1), Name: text("name"), Stage: "active"}
		f.state.Experiments = append(f.state.Experiments, e)
		return object{"experiment_id": e.ID}, nil
	case i < 0:
		return nil, missing
	case op == "POST experiments/restore":
		f.state.Experiments[i].Stage = "active"
	}
	return object{"experiment": f.state.Experiments[i]}, nil
}

func (f *fake) runCall(op string, in object, text func(string) string) (any, *Error) {
	i := slices.IndexFunc(f.state.Runs, func(r *fakeRun) bool { return r.ID == text("run_id") })
	switch op {
	case "POST runs/search":
		want := quoted.FindStringSubmatch(text("filter"))[1]
		for _, r := range f.state.Runs {
			if r.Tags[idTag] == want {
				return object{"runs": []any{object{"info": r.info()}}}, nil
			}
		}
		return object{}, nil
	case "POST runs/create":
		experiment := slices.IndexFunc(f.state.Experiments, func(e experiment) bool { return e.ID == text("experiment_id") })
		if experiment < 0 || f.state.Experiments[experiment].Stage != "active" {
			return nil, invalid
		}
		r := &fakeRun{ID: fmt.Sprintf("r%d", len(f.state.Runs)+1), Experiment: text("experiment_id"), Name: text("run_name"),
			Status: "RUNNING", Start: int64(in["start_time"].(float64)), Params: map[string]string{}, Tags: map[string]string{}}
		set(r.Tags, in["tags"])
		f.state.Runs = append(f.state.Runs, r)
		return object{"run": object{"info": r.info()}}, nil
	}
	if i < 0 {
		return nil, missing
	}
	r := f.state.Runs[i]
	switch op {
	case "GET runs/get":
		return object{"run": object{"info": r.info(), "data": object{"tags": pairs(r.Tags), "metrics": r.newest()}}}, nil
	case "POST runs/set-tag":
		r.Tags[text("key")] = text("value")
	case "POST runs/log-batch":
		return object{}, r.logBatch(in)
	case "POST runs/log-inputs":
		r.Inputs = in["datasets"].([]any)
	case "POST runs/outputs":
		r.Outputs = in["models"].([]any)
	case "POST runs/log-model":
		r.ModelJSON = text("model_json")
	case "POST runs/update":
		r.Status, r.End = text("status"), int64(in["end_time"].(float64))
	}
	return object{}, nil
}

func (r *fakeRun) info() object {
	return object{"run_id": r.ID, "experiment_id": r.Experiment, "status": r.Status,
		"artifact_uri": "mlflow-artifacts:/" + r.Experiment + "/" + r.ID + "/artifacts"}
}

func (r *fakeRun) logBatch(in object) *Error {
	m, _ := in["metrics"].([]any)
	p, _ := in["params"].([]any)
	t, _ := in["tags"].([]any)
	if len(m) > 1000 || len(p) > 100 || len(t) > 100 || len(m)+len(p)+len(t) > 1000 {
		return invalid
	}
	for k, v := range set(map[string]string{}, in["params"]) {
		if old, ok := r.Params[k]; ok && old != v || len([]rune(v)) > maxParam {
			return invalid
		}
		r.Params[k] = v
	}
	set(r.Tags, in["tags"])
	text, _ := json.Marshal(m)
	var add []wireMetric
	if json.Unmarshal(text, &add) != nil {
		return invalid
	}
	for _, a := range add { // stricter than MLflow, of which 2.x refuses repeated NaN only
		if slices.ContainsFunc(r.Metrics, func(b wireMetric) bool { return a.Key == b.Key && a.Step == b.Step }) {
			return invalid
		}
	}
	r.Metrics = append(r.Metrics, add...)
	return nil
}

func (r *fakeRun) newest() []wireMetric {
	newest := map[string]wireMetric{}
	for _, m := range r.Metrics {
		if m.Step >= newest[m.Key].Step {
			newest[m.Key] = m
		}
	}
	return slices.Collect(maps.Values(newest))
}

func set(into map[string]string, list any) map[string]string {
	items, _ := list.([]any)
	for _, i := range items {
		p := i.(object)
		into[p["key"].(string)] = p["value"].(string)
	}
	return into
}

func (f *fake) modelCall(op string, text func(string) string) (any, *Error) {
	info := func(m *fakeModel) object {
		return object{"info": object{"model_id": m.ID, "artifact_uri": "mlflow-artifacts:/1/models/" + m.ID + "/artifacts"}}
	}
	switch {
	case op == "POST logged-models/search":
		q := quoted.FindAllStringSubmatch(text("filter"), 2)
		for _, m := range f.state.Models {
			if m.Run == q[0][1] && m.Name == q[1][1] {
				return object{"models": []any{info(m)}}, nil
			}
		}
		return object{}, nil
	case op == "POST logged-models":
		if strings.Contains(text("name"), ".") {
			return nil, invalid
		}
		m := &fakeModel{ID: fmt.Sprintf("m-%d", len(f.state.Models)+1), Name: text("name"), Run: text("source_run_id")}
		f.state.Models = append(f.state.Models, m)
		return object{"model": info(m)}, nil
	case patchURL.MatchString(op):
		for _, m := range f.state.Models {
			if m.ID == patchURL.FindStringSubmatch(op)[1] && m.ID == text("model_id") {
				m.Status = text("status")
				return object{}, nil
			}
		}
		return nil, invalid
	}
	return nil, noRoute
}

// snapshot is the whole state as text.
func (f *fake) snapshot(t *testing.T) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := json.MarshalIndent(f.state, "", " ")
	require.NoError(t, err)
	return string(text)
}

func parseURL(t *testing.T, s string) *url.URL {
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}
