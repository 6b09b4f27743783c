package mlflow

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// Run is one training run. It marshals to JSON without loss (times to the
// millisecond, MLflow's own resolution), so that it can wait on disk.
type Run struct {
	// ID marks the run on the server, which is how a repeated upload finds it.
	// Spool.Add and Upload give one to a run that has none.
	ID         string            `json:"id,omitempty"`
	Experiment string            `json:"experiment,omitempty"` // empty: MLFLOW_EXPERIMENT_*, else DefaultExperiment
	Name       string            `json:"name"`
	Status     Status            `json:"status,omitempty"` // empty: Finished
	Start      time.Time         `json:"start"`
	End        time.Time         `json:"end"`              // zero: the run goes on
	Params     map[string]string `json:"params,omitempty"` // write-once on the server
	// Tags may use MLflow's own names: mlflow.source.git.commit, mlflow.note.content, …
	Tags      map[string]string `json:"tags,omitempty"`
	Metrics   []Metric          `json:"metrics,omitempty"`
	Datasets  []Dataset         `json:"datasets,omitempty"`
	Artifacts []Artifact        `json:"artifacts,omitempty"`
	Children  []Run             `json:"children,omitempty"` // the points of a grid; they register no model
	Model     *Model            `json:"model,omitempty"`
}

// DefaultExperiment is used where neither the run nor the environment names one.
const DefaultExperiment = "telegraf-anomaly"

// Status says how a run ended, in MLflow's words.
type Status string

// The ways in which a run ends.
const (
	Finished Status = "FINISHED"
	Failed   Status = "FAILED"
	Killed   Status = "KILLED"
)

// Metric is one value of a series. NaN and infinities are allowed. A zero Time
// stands for the end of the run.
type Metric struct {
	Key   string
	Value float64
	Step  int64
	Time  time.Time
}

// Dataset names what a run was trained, validated or tested on.
type Dataset struct {
	Name    string `json:"name"`
	Digest  string `json:"digest"`  // MLflow keeps 36 characters
	Source  string `json:"source"`  // file or address
	Context string `json:"context"` // "training", "validation", "testing"
}

// Artifact is a file of a run: Path is its name on the server, with slashes; its
// content is that of File, or Data where File is empty.
type Artifact struct {
	Path string `json:"path"`
	File string `json:"file,omitempty"`
	Data []byte `json:"data,omitempty"`
}

// Model is what a run adds to the model registry: a new version of Name, holding
// the file Data and a generated MLmodel beside it.
type Model struct {
	Name        string            `json:"name"`
	Alias       string            `json:"alias,omitempty"` // moved to the new version, such as "challenger"
	Description string            `json:"description,omitempty"`
	Data        Artifact          `json:"data"`
	Version     string            `json:"version"` // of the program that wrote Data
	Inputs      []string          `json:"inputs"`  // columns of doubles, as for the signature
	Outputs     []string          `json:"outputs"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// lastMoment is the end of the run or, of one that goes on, its start.
func (r *Run) lastMoment() time.Time {
	if r.End.IsZero() {
		return r.Start
	}
	return r.End
}

// wireMetric is a metric as MLflow's API and the spool write it.
type wireMetric struct {
	Key       string `json:"key"`
	Value     number `json:"value"`
	Timestamp int64  `json:"timestamp"`
	Step      int64  `json:"step"`
}

// MarshalJSON writes the metric as MLflow's API takes it.
func (m Metric) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireMetric{m.Key, number(m.Value), m.Time.UnixMilli(), m.Step})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Metric) UnmarshalJSON(text []byte) error {
	var w wireMetric
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*m = Metric{w.Key, float64(w.Value), w.Step, time.UnixMilli(w.Timestamp).UTC()}
	return nil
}

// number is a float64 in protobuf's JSON: NaN and infinities are strings.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 0):
		return []byte(map[bool]string{true: `"Infinity"`, false: `"-Infinity"`}[v > 0]), nil
	default:
		return json.Marshal(v)
	}
}

func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*n = number(v)
	return err
}

// artifacts returns every artifact of the run, its children and its model.
func (r *Run) artifacts() []*Artifact {
	var all []*Artifact
	for i := range r.Artifacts {
		all = append(all, &r.Artifacts[i])
	}
	if r.Model != nil {
		all = append(all, &r.Model.Data)
	}
	for i := range r.Children {
		all = append(all, r.Children[i].artifacts()...)
	}
	return all
}

// copyTo writes the content to f and closes it.
func (a *Artifact) copyTo(f *os.File) error {
	from, _, err := a.open()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	defer from.Close()
	_, err = io.Copy(f, from)
	return cmp.Or(err, f.Sync(), f.Close())
}

// open opens the artifact's content and tells its size in bytes.
func (a *Artifact) open() (io.ReadCloser, int64, error) {
	if a.File == "" {
		return io.NopCloser(bytes.NewReader(a.Data)), int64(len(a.Data)), nil
	}
	info, err := os.Stat(a.File)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", a.File)
	}
	f, err := os.Open(a.File)
	return f, info.Size(), err
}
