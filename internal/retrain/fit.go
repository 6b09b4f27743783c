package retrain

import (
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// A Task is one fit.
type Task struct {
	Unit    string
	Schema  feature.Schema
	Options detect.Options
	Sample  Sample        // at least one row
	Serving *model.Bundle // to be compared with, nil if there is none
}

// An Outcome is what came of a Task.
type Outcome struct {
	Bundle     *model.Bundle
	Comparison *Comparison // with the serving model, nil if there was none
}

// Fit carries a task out.
func Fit(t *Task) (Outcome, error) {
	contexts, from, to := t.Sample.Rows(len(t.Schema.Features) * feature.ContextWidth)
	d, err := detect.Fit(contexts, t.Schema.Names(), t.Schema.Windowed(), t.Options)
	if err != nil {
		return Outcome{}, err
	}
	b, err := model.New(t.Schema, d, contexts, model.Provenance{Source: "stream of " + t.Unit, From: from, To: to})
	if err != nil || t.Serving == nil {
		return Outcome{Bundle: b}, err
	}
	c := Compare(d, t.Serving.Detector, newest(contexts, comparedRows))
	return Outcome{Bundle: b, Comparison: &c}, nil
}

// newest returns the last n rows of m, or all of them.
func newest(m *mat.Dense, n int) *mat.Dense {
	rows, columns := m.Dims()
	return m.Slice(max(0, rows-n), rows, 0, columns).(*mat.Dense)
}
