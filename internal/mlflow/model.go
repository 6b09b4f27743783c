package mlflow

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// loggedModel is what a 3.x server says of a logged model, its home for the files
// of a model. A 2.x server has none: there they lie among the run's artifacts.
type loggedModel struct {
	ID          string `json:"model_id"`
	ArtifactURI string `json:"artifact_uri"`
}

// uploadModel stores the model folder and returns the source of a version made of it.
func (j *job) uploadModel(ctx context.Context) (source string, err error) {
	err = j.client.ensure(ctx, false, j.findLoggedModel, j.createLoggedModel)
	if noEndpoint(err) {
		return j.uploadFolder(ctx)
	}
	if err != nil {
		return "", err
	}
	folder := newMLmodel(j.run, j.info.RunID)
	folder.ArtifactPath, folder.ModelID = j.model.ArtifactURI, j.model.ID
	if err := j.client.put(ctx, j.model.ArtifactURI, j.model.ID, folder.files(j.run.Model, "")); err != nil {
		return "", err
	}
	return "models:/" + j.model.ID, j.finishLoggedModel(ctx)
}

// uploadFolder is uploadModel for 2.x.
func (j *job) uploadFolder(ctx context.Context) (source string, err error) {
	folder := newMLmodel(j.run, j.info.RunID)
	if err := j.client.put(ctx, j.info.ArtifactURI, j.info.RunID, folder.files(j.run.Model, folder.ArtifactPath)); err != nil {
		return "", err
	}
	err = j.client.api(ctx, http.MethodPost, "runs/log-model", map[string]string{"run_id": j.info.RunID, "model_json": folder.json()}, nil)
	return strings.TrimRight(j.info.ArtifactURI, "/") + "/" + folder.ArtifactPath, err
}

// loggedName is the model's name without dots, which a logged model may not have.
func (j *job) loggedName() string { return strings.ReplaceAll(j.run.Model.Name, ".", "_") }

func (j *job) findLoggedModel(ctx context.Context) (bool, error) {
	var found struct{ Models []struct{ Info loggedModel } }
	err := j.client.apiOnce(ctx, http.MethodPost, "logged-models/search", map[string]any{
		"experiment_ids": []string{j.info.ExperimentID},
		"filter":         fmt.Sprintf("source_run_id = '%s' and name = '%s'", j.info.RunID, j.loggedName()),
		"max_results":    1,
	}, &found)
	if err != nil || len(found.Models) == 0 {
		return false, err
	}
	return true, j.takeModel(found.Models[0].Info)
}

func (j *job) createLoggedModel(ctx context.Context) error {
	var made struct{ Model struct{ Info loggedModel } }
	err := j.client.apiOnce(ctx, http.MethodPost, "logged-models", map[string]any{
		"experiment_id": j.info.ExperimentID,
		"name":          j.loggedName(),
		"model_type":    flavour,
		"source_run_id": j.info.RunID,
	}, &made)
	if err != nil {
		return err
	}
	return j.takeModel(made.Model.Info)
}

func (j *job) takeModel(m loggedModel) error {
	if !identifier.MatchString(m.ID) {
		return j.client.unusable("model id", m.ID)
	}
	j.model = m
	return nil
}

// finishLoggedModel makes the model usable and shows it as the run's output.
func (j *job) finishLoggedModel(ctx context.Context) error {
	err := j.client.api(ctx, http.MethodPatch, "logged-models/"+j.model.ID,
		map[string]string{"model_id": j.model.ID, "status": "LOGGED_MODEL_READY"}, nil)
	if err != nil {
		return err
	}
	return j.client.api(ctx, http.MethodPost, "runs/outputs", map[string]any{
		"run_id": j.info.RunID,
		"models": []map[string]any{{"model_id": j.model.ID, "step": 0}},
	}, nil)
}
