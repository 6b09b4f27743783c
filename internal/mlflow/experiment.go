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
func (j *job) openExperiment(ctx context.Context) (err error) {
	var e experiment
	switch c := j.client; {
	case j.parent != nil:
		e.ID = j.parent.info.ExperimentID
	case j.run.Experiment == "" && c.experimentID != "":
		e, err = c.experimentByID(ctx)
	default:
		e, err = c.experimentByName(ctx, cmp.Or(j.run.Experiment, c.experimentName, DefaultExperiment))
	}
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

func (c *Client) experimentByID(ctx context.Context) (experiment, error) {
	e, err := c.getExperiment(ctx, "get?experiment_id="+url.QueryEscape(c.experimentID))
	if err == nil && c.experimentName != "" && e.Name != c.experimentName {
		err = fmt.Errorf("MLFLOW_EXPERIMENT_ID names %q, MLFLOW_EXPERIMENT_NAME %q: unset one", c.quote(e.Name), c.experimentName)
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
