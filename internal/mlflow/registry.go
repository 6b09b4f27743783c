package mlflow

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
)

// register uploads the run's model, makes it a version of the registered model and
// moves the alias.
func (j *job) register(ctx context.Context) error {
	m := j.run.Model
	if m == nil {
		return nil
	}
	err := j.client.api(ctx, http.MethodPost, "registered-models/create", map[string]string{"name": m.Name}, nil)
	if err != nil && !hasCode(err, codeExists) {
		return fmt.Errorf("model %q: %w", m.Name, err)
	}
	if err := j.openVersion(ctx); err != nil {
		return fmt.Errorf("model %q: %w", m.Name, err)
	}
	return j.setAlias(ctx)
}

func (j *job) setAlias(ctx context.Context) error {
	m := j.run.Model
	if m.Alias == "" {
		return nil
	}
	return j.client.api(ctx, http.MethodPost, "registered-models/alias",
		map[string]string{"name": m.Name, "alias": m.Alias, "version": j.version}, nil)
}

func (j *job) lookUpVersion(ctx context.Context) error {
	if j.run.Model == nil {
		return nil
	}
	return j.client.retry(ctx, func(ctx context.Context) error {
		_, err := j.findVersion(ctx)
		return err
	})
}

// openVersion finds or creates the model's version that belongs to this run.
func (j *job) openVersion(ctx context.Context) error {
	if err := j.lookUpVersion(ctx); err != nil || j.version != "" {
		return err
	}
	source, err := j.uploadModel(ctx)
	if err != nil {
		return err
	}
	create := func(ctx context.Context) error { return j.createVersion(ctx, source) }
	return j.client.ensure(ctx, true, j.findVersion, create)
}

func (j *job) findVersion(ctx context.Context) (bool, error) {
	filter := fmt.Sprintf("name = '%s' and run_id = '%s'", j.run.Model.Name, j.info.RunID)
	var found struct {
		Versions []struct{ Version string } `json:"model_versions"`
	}
	err := j.client.apiOnce(ctx, http.MethodGet, "model-versions/search?max_results=1&filter="+url.QueryEscape(filter), nil, &found)
	if err != nil || len(found.Versions) == 0 {
		return false, err
	}
	return true, j.takeVersion(found.Versions[0].Version)
}

func (j *job) createVersion(ctx context.Context, source string) error {
	in := map[string]any{
		"name":        j.run.Model.Name,
		"source":      source,
		"run_id":      j.info.RunID,
		"description": j.run.Model.Description,
	}
	if j.model.ID != "" {
		in["model_id"] = j.model.ID
	}
	var made struct {
		Version struct{ Version string } `json:"model_version"`
	}
	if err := j.client.apiOnce(ctx, http.MethodPost, "model-versions/create", in, &made); err != nil {
		return err
	}
	return j.takeVersion(made.Version.Version)
}

var versionNumber = regexp.MustCompile(`^[0-9]{1,18}$`)

func (j *job) takeVersion(version string) error {
	if !versionNumber.MatchString(version) {
		return j.client.unusable("model version", version)
	}
	j.version = version
	return nil
}
