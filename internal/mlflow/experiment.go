package mlflow

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// experiment is what the server says of an experiment.
type experiment struct {
	ID    string `json:"experiment_id"`
	Name  string `json:"name"`
	Stage string `json:"lifecycle_stage"`
}

// openExperiment finds, restores or creates the experiment of the run.
func (j *job) openExperiment(ctx context.Context) error {
	if j.parent != nil {
		j.info.ExperimentID = j.parent.info.ExperimentID
		return nil
	}
	e, err := j.client.experiment(ctx, j.run.Experiment)
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	if !identifier.MatchString(e.ID) {
		return j.client.unusable("experiment id", e.ID)
	}
	if e.Stage == "deleted" {
		err = j.client.api(ctx, http.MethodPost, "experiments/restore", map[string]string{"experiment_id": e.ID}, nil)
	}
	j.info.ExperimentID = e.ID
	return err
}

// experiment returns the named experiment or, without a name, the environment's.
func (c *Client) experiment(ctx context.Context, name string) (experiment, error) {
	if name == "" && c.cfg.ExperimentID != "" {
		return c.experimentByID(ctx)
	}
	return c.experimentByName(ctx, cmp.Or(name, c.cfg.ExperimentName, DefaultExperiment))
}

func (c *Client) experimentByID(ctx context.Context) (experiment, error) {
	e, err := c.getExperiment(ctx, "get?experiment_id="+url.QueryEscape(c.cfg.ExperimentID))
	if err == nil && c.cfg.ExperimentName != "" && e.Name != c.cfg.ExperimentName {
		err = fmt.Errorf("MLFLOW_EXPERIMENT_ID names %q, MLFLOW_EXPERIMENT_NAME %q: unset one", c.quote(e.Name), c.cfg.ExperimentName)
	}
	return e, err
}

func (c *Client) experimentByName(ctx context.Context, name string) (experiment, error) {
	query := "get-by-name?experiment_name=" + url.QueryEscape(name)
	e, err := c.getExperiment(ctx, query)
	if !hasCode(err, codeNotFound) {
		return e, err
	}
	var made experiment
	err = c.api(ctx, http.MethodPost, "experiments/create", map[string]string{"name": name}, &made)
	if hasCode(err, codeExists) { // another trainer was faster, or our first try did succeed
		return c.getExperiment(ctx, query)
	}
	return made, err
}

func (c *Client) getExperiment(ctx context.Context, query string) (experiment, error) {
	var got struct{ Experiment experiment }
	err := c.api(ctx, http.MethodGet, "experiments/"+query, nil, &got)
	return got.Experiment, err
}
