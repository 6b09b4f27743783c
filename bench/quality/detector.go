package main

import (
	"context"
	"iter"
	"time"

	"gonum.org/v1/gonum/floats"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

// A detector is one row of the table.
type detector struct {
	Name  string
	Seeds int // 1: nothing random in it, or an ablation; 0: as many as asked for
	judge func(ctx context.Context, m *machine, seed uint64) (*verdicts, error)
}

// verdicts are what a detector says of each row of a machine's test part.
type verdicts struct {
	score []float64
	flag  []bool
	blame [][]float64 // per row and feature; nil where it has nothing to say
}

// detectors are the shipped defaults, what they are made of, and what they have
// to beat.
func detectors() []detector {
	o := detect.DefaultOptions()
	without := func(change func(*detect.Options)) detect.Options {
		c := o
		change(&c)
		return c
	}
	classic := without(func(c *detect.Options) { *c = c.Classic(); c.Contamination = 0.01 })
	return []detector{
		{Name: "shipped defaults", judge: shipped(o, true)},
		{Name: "ranked by suspicion", Seeds: 2, judge: alone(o, true, true)},
		{Name: "without range term", Seeds: 2, judge: alone(without(func(c *detect.Options) { c.RangeWeight = 0 }), true, false)},
		{Name: "without residual term", Seeds: 2, judge: alone(without(func(c *detect.Options) { c.ResidualWeight = 0 }), true, false)},
		{Name: "without relation term", Seeds: 2, judge: alone(without(func(c *detect.Options) { c.RelationWeight = 0 }), true, false)},
		{Name: "without jump term", Seeds: 2, judge: alone(without(func(c *detect.Options) { c.JumpWeight = 0 }), true, false)},
		{Name: "without flat term", Seeds: 2, judge: alone(without(func(c *detect.Options) { c.FlatWeight = 0 }), true, false)},
		{Name: "without any term", Seeds: 2, judge: alone(o.Classic(), true, false)},
		{Name: "without window", Seeds: 2, judge: alone(o, false, false)},
		{Name: "raw forest (c 0.01)", judge: shipped(classic, false)},
		{Name: "PCA 90 % (q 0.99)", Seeds: 1, judge: principal},
		{Name: "robust |z| (q 0.99)", Seeds: 1, judge: robust},
		{Name: "random", judge: random},
	}
}

// shipped fits with o and lets the engine judge.
func shipped(o detect.Options, windowed bool) func(context.Context, *machine, uint64) (*verdicts, error) {
	return func(ctx context.Context, m *machine, seed uint64) (*verdicts, error) {
		o := o
		o.Seed, o.Workers = seed, 1
		set := m.train
		if !windowed {
			set = m.bare
		}
		b, err := trainer.Fit(set, o, model.Provenance{})
		if err != nil {
			return nil, err
		}
		v, err := trainer.Judge(ctx, m.test.Series[0], b, time.Time{})
		if err != nil {
			return nil, err
		}
		return &verdicts{score: bits(v, b), flag: v.Flag, blame: v.Shap}, nil
	}
}

// alone judges by the model alone, without the engine around it: for what the
// engine does not write, Verdict.Suspicion, and for ablations, which need no
// explanation and are many.
func alone(o detect.Options, windowed, explain bool) func(context.Context, *machine, uint64) (*verdicts, error) {
	return func(_ context.Context, m *machine, seed uint64) (*verdicts, error) {
		o := o
		o.Seed, o.Workers = seed, 1
		d, err := detect.Fit(m.train.Contexts, m.test.Schema.Names(), windowed, o)
		if err != nil {
			return nil, err
		}
		v, scorer := &verdicts{}, detect.NewScorer(d)
		for context := range m.contexts() {
			got := scorer.Score(context)
			if explain {
				if err := scorer.Explain(&got, context); err != nil {
					return nil, err
				}
				v.blame = append(v.blame, got.Suspicion)
			}
			v.score, v.flag = append(v.score, got.Bits), append(v.flag, got.Anomaly)
		}
		return v, nil
	}
}

// contexts are those of the test part.
func (m *machine) contexts() iter.Seq[[]float64] {
	return func(yield func([]float64) bool) {
		q, err := feature.NewSequence(&m.test.Schema, "")
		if err != nil {
			panic(err) // the schema made the training contexts
		}
		series := m.test.Series[0]
		for i, row := range series.Rows {
			if !yield(q.Add(series.Times[i], row).Context) {
				return
			}
		}
	}
}

// bits are the logarithms of the scores before the cut at 1, out of what is
// stored: shap_base + Σ shap. They rank what the cut makes equal.
func bits(v *trainer.Verdicts, b *model.Bundle) []float64 {
	out := make([]float64, len(v.Score))
	for i, score := range v.Score {
		if out[i] = score; v.Shap[i] != nil { // else NaN: no verdict
			out[i] = b.Probes[0].Base + floats.Sum(v.Shap[i])
		}
	}
	return out
}

// result are the figures of one detector on one machine.
type result struct {
	eval.Figures
	Naming *eval.Naming
	Kinds  map[string]float64
}

func measure(m *machine, v *verdicts) result {
	events, interval := m.test.Series[0].Events, m.test.Schema.Interval
	r := result{Figures: eval.Measure(v.score, v.flag, events, interval)}
	budget := eval.RecallAtBudget(v.score, events, interval, 1)
	r.Kinds = eval.RecallByKind(eval.Flags(v.score, budget.Threshold), events)
	if v.blame == nil {
		return r
	}
	if n := eval.NameCauses(events, m.test.Schema.Names(), func(row int) []float64 { return v.blame[row] }); n.Events > 0 {
		r.Naming = &n
	}
	return r
}
