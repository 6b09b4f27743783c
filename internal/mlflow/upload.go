package mlflow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// System tags of a run on the server.
const (
	idTag     = "telegraf_anomaly.id" // Run.ID: which upload made this run
	parentTag = "mlflow.parentRunId"
)

// Upload sends run and returns its id on the server and, if it has a model, the new
// version. After an error the same call continues where this one stopped, provided
// run.ID was set. A ctx without a deadline gets one of [OperationTimeout].
func Upload(ctx context.Context, c *Client, run Run) (runID, modelVersion string, err error) {
	if run, err = run.clean(); err != nil {
		return "", "", err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, OperationTimeout)
		defer cancel()
	}
	defer c.http.CloseIdleConnections()
	j := job{client: c, run: &run}
	err = j.do(ctx)
	if err != nil {
		err = fmt.Errorf("mlflow: upload of run %q: %w", run.Name, err)
	}
	return j.info.RunID, j.version, err
}

// runInfo is what the server says of a run.
type runInfo struct {
	RunID        string `json:"run_id"`
	ExperimentID string `json:"experiment_id"`
	ArtifactURI  string `json:"artifact_uri"`
	Status       string `json:"status"`
}

// runState is a run with what has been logged to it; of each metric, the newest.
type runState struct {
	Info runInfo
	Data struct {
		Tags    []pair
		Metrics []Metric
	}
}

func (s *runState) tag(key string) string {
	for _, t := range s.Data.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

func (c *Client) getRun(ctx context.Context, id string) (runState, error) {
	var got struct{ Run runState }
	err := c.apiOnce(ctx, http.MethodGet, "runs/get?run_id="+url.QueryEscape(id), nil, &got)
	return got.Run, err
}

func (i runInfo) ended() bool {
	return i.Status == string(Finished) || i.Status == string(Failed) || i.Status == string(Killed)
}

// job is the upload of one run.
type job struct {
	client  *Client
	run     *Run
	parent  *job    // nil for the root
	info    runInfo // the run on the server
	fresh   bool    // the run held nothing of this upload when the job took it
	model   loggedModel
	version string // of the registered model
}

func (j *job) do(ctx context.Context) error {
	if err := j.open(ctx); err != nil {
		return err
	}
	if j.info.ended() { // ending is the last step: all is there
		return j.lookUpVersion(ctx)
	}
	for _, step := range []func(context.Context) error{j.log, j.logDatasets, j.uploadChildren, j.uploadArtifacts, j.register, j.end} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// open finds or creates the run on the server.
func (j *job) open(ctx context.Context) error {
	if j.parent == nil && j.client.cfg.RunID != "" {
		return j.adopt(ctx)
	}
	if err := j.openExperiment(ctx); err != nil {
		return err
	}
	return j.client.ensure(ctx, j.parent != nil && j.parent.fresh, j.find, j.create)
}

func (j *job) find(ctx context.Context) (bool, error) {
	var found struct{ Runs []struct{ Info runInfo } }
	err := j.client.apiOnce(ctx, http.MethodPost, "runs/search", map[string]any{
		"experiment_ids": []string{j.info.ExperimentID},
		"filter":         fmt.Sprintf("tags.`%s` = '%s'", idTag, j.run.ID),
		"max_results":    1,
	}, &found)
	if err != nil || len(found.Runs) == 0 {
		return false, err
	}
	return true, j.take(found.Runs[0].Info)
}

func (j *job) create(ctx context.Context) error {
	tags := []pair{{idTag, j.run.ID}}
	if j.parent != nil {
		tags = append(tags, pair{parentTag, j.parent.info.RunID})
	}
	var made struct{ Run struct{ Info runInfo } }
	err := j.client.apiOnce(ctx, http.MethodPost, "runs/create", map[string]any{
		"experiment_id": j.info.ExperimentID,
		"run_name":      j.run.Name,
		"start_time":    j.run.Start.UnixMilli(),
		"tags":          tags,
	}, &made)
	if err != nil {
		return err
	}
	j.fresh = true
	return j.take(made.Run.Info)
}

func (j *job) take(info runInfo) error {
	if !identifier.MatchString(info.RunID) || !identifier.MatchString(info.ExperimentID) {
		return j.client.unusable("run id and experiment id", info.RunID+" "+info.ExperimentID)
	}
	j.info = info
	return nil
}

// adopt takes the run that MLFLOW_RUN_ID names, unless it holds another upload.
func (j *job) adopt(ctx context.Context) error {
	if err := j.client.retry(ctx, j.inspect); err != nil {
		return fmt.Errorf("MLFLOW_RUN_ID: %w", err)
	}
	return j.client.api(ctx, http.MethodPost, "runs/set-tag", map[string]string{"run_id": j.info.RunID, "key": idTag, "value": j.run.ID}, nil)
}

func (j *job) inspect(ctx context.Context) error {
	got, err := j.client.getRun(ctx, j.client.cfg.RunID)
	if err != nil {
		return err
	}
	holds := got.tag(idTag)
	if holds != "" && holds != j.run.ID {
		return fmt.Errorf("run %s already holds upload %q: unset it to make a new run", j.client.cfg.RunID, j.client.quote(holds))
	}
	j.fresh = holds == ""
	got.Info.Status = "" // log into it even though it may have ended
	return j.take(got.Info)
}

// log sends parameters, tags and metrics. The first two may be repeated; metrics
// may not: file stores keep both, and 2.x servers answer 400 to a repeated NaN.
func (j *job) log(ctx context.Context) error {
	untouched := j.fresh
	return j.client.retry(ctx, func(ctx context.Context) (err error) {
		todo := *j.run
		if !untouched {
			if todo.Metrics, err = j.unlogged(ctx); err != nil {
				return err
			}
		}
		untouched = false
		for _, b := range batches(&todo) {
			if err := j.client.apiOnce(ctx, http.MethodPost, "runs/log-batch", b.body(j.info.RunID), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// unlogged returns the metrics that come after the newest on the server. They are
// sent in order, one batch takes effect as a whole, so nothing before is missing.
func (j *job) unlogged(ctx context.Context) ([]Metric, error) {
	got, err := j.client.getRun(ctx, j.info.RunID)
	if err != nil {
		return nil, err
	}
	newest := map[string]Metric{}
	for _, m := range got.Data.Metrics {
		newest[m.Key] = m
	}
	return slices.DeleteFunc(slices.Clone(j.run.Metrics), func(m Metric) bool {
		n, ok := newest[m.Key]
		return ok && inOrder(m, n) <= 0
	}), nil
}

func (j *job) logDatasets(ctx context.Context) error {
	if len(j.run.Datasets) == 0 {
		return nil
	}
	inputs := []map[string]any{}
	for _, d := range j.run.Datasets {
		source, _ := json.Marshal(map[string]string{"uri": d.Source})
		inputs = append(inputs, map[string]any{
			"tags":    []pair{{"mlflow.data.context", d.Context}},
			"dataset": map[string]string{"name": d.Name, "digest": d.Digest, "source_type": "local", "source": string(source)},
		})
	}
	return j.client.api(ctx, http.MethodPost, "runs/log-inputs", map[string]any{"run_id": j.info.RunID, "datasets": inputs}, nil)
}

func (j *job) uploadChildren(ctx context.Context) error {
	for i := range j.run.Children {
		child := job{client: j.client, run: &j.run.Children[i], parent: j}
		if err := child.do(ctx); err != nil {
			return fmt.Errorf("child %d (%q): %w", i, child.run.Name, err)
		}
	}
	return nil
}

func (j *job) uploadArtifacts(ctx context.Context) error {
	if len(j.run.Artifacts) == 0 {
		return nil
	}
	return j.client.put(ctx, j.info.ArtifactURI, j.info.RunID, j.run.Artifacts)
}

// end closes the run on the server.
func (j *job) end(ctx context.Context) error {
	if j.run.End.IsZero() {
		return nil
	}
	return j.client.api(ctx, http.MethodPost, "runs/update", map[string]any{
		"run_id":   j.info.RunID,
		"status":   j.run.Status,
		"end_time": j.run.End.UnixMilli(),
	}, nil)
}
