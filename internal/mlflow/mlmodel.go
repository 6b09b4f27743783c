package mlflow

import (
	"encoding/json"
	"path"

	"go.yaml.in/yaml/v3"
)

const (
	flavour   = "telegraf_anomaly"
	modelFile = "MLmodel"
)

// mlmodel describes a model folder: the file MLmodel in YAML, or the model_json of
// a 2.x server. The only flavour is this project's own, so Python can inspect the
// model and fetch its file but not load it (there is no python_function).
type mlmodel struct {
	ArtifactPath   string             `json:"artifact_path" yaml:"artifact_path"`
	Flavors        map[string]flavor  `json:"flavors" yaml:"flavors"`
	Metadata       map[string]string  `json:"metadata,omitempty" yaml:"metadata,omitempty"`
	ModelID        string             `json:"model_id,omitempty" yaml:"model_id,omitempty"`
	RunID          string             `json:"run_id" yaml:"run_id"`
	Signature      map[string]*string `json:"signature" yaml:"signature"`
	UTCTimeCreated string             `json:"utc_time_created" yaml:"utc_time_created"`
}

type flavor struct {
	Data    string `json:"data" yaml:"data"`
	Version string `json:"version" yaml:"version"`
}

func newMLmodel(r *Run, runID string) mlmodel {
	m := r.Model
	return mlmodel{
		ArtifactPath: "model",
		Flavors:      map[string]flavor{flavour: {Data: m.Data.Path, Version: m.Version}},
		Metadata:     m.Metadata,
		RunID:        runID,
		Signature: map[string]*string{
			"inputs":  doubles(m.Inputs),
			"outputs": doubles(m.Outputs),
			"params":  nil,
		},
		UTCTimeCreated: r.lastMoment().UTC().Format("2006-01-02 15:04:05.000000"),
	}
}

// doubles is a signature's schema, which MLflow keeps as JSON in a string: required
// columns of doubles.
func doubles(names []string) *string {
	type column struct {
		Type     string `json:"type"`
		Name     string `json:"name"`
		Required bool   `json:"required"`
	}
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{"double", name, true}
	}
	text, _ := json.Marshal(columns)
	s := string(text)
	return &s
}

// files returns the content of the model folder, to be put below dir. MLmodel comes
// last: where it is, all is.
func (m mlmodel) files(model *Model, dir string) []Artifact {
	text, _ := yaml.Marshal(m) // strings only: cannot fail
	data := model.Data
	data.Path = path.Join(dir, data.Path)
	return []Artifact{data, {Path: path.Join(dir, modelFile), Data: text}}
}

func (m mlmodel) json() string {
	text, _ := json.Marshal(m)
	return string(text)
}
