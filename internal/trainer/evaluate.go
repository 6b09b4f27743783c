package trainer

import (
	"context"
	"time"

	"telegraf-anomaly/internal/model"
)

// An Evaluation is what a model is worth on a record.
type Evaluation struct {
	Measurement
	Planted    bool // there were no labels: the incidents are planted ones
	Seen       bool // the record overlaps what the model was fitted on
	Robustness []Scenario
}

// Evaluate measures b on the rows of t since a moment, and, if robust is set, on
// spoiled copies of them.
func Evaluate(ctx context.Context, t *Table, b *model.Bundle, since time.Time, robust bool, seed uint64, workers int) (*Evaluation, error) {
	from, to := t.Range()
	if since.After(from) {
		from = since
	}
	e := &Evaluation{Seen: !from.After(b.Provenance.To) && !to.Before(b.Provenance.From)}
	labelled, planted, err := validation(t, Split{Validation: from, Test: to.Add(1)}, seed)
	if err != nil {
		return nil, err
	}
	e.Planted = planted
	j, err := JudgeTable(ctx, labelled, b, since, workers)
	if err != nil {
		return nil, err
	}
	e.Measurement = Measure(j, b.Schema.Names())
	if robust {
		e.Robustness, err = Robustness(ctx, labelled, b, since, seed, workers)
	}
	return e, err
}
