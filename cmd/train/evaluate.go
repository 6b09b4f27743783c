package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

type evaluateCmd struct {
	storeFlag
	Name string `arg:"" optional:"" help:"Version, or its id. Default: the current one."`
	recordFlags
	Since  time.Time `help:"Judge only the rows since then; those before fill the windows." placeholder:"TIME"`
	Robust bool      `help:"Also judge spoiled copies of the record." default:"true" negatable:""`
	Seed   uint64    `help:"Seed of planted incidents and of what spoils." default:"0"`
}

// Run measures a model.
func (c *evaluateCmd) Run(t *terminal) error {
	b, err := c.load(c.Name)
	if err != nil {
		return err
	}
	table, err := readTable(t, &c.recordFlags, b)
	if err != nil {
		return err
	}
	e, err := trainer.Evaluate(t.ctx, table, b, c.Since, c.Robust, c.Seed, runtime.NumCPU())
	if err != nil {
		return err
	}
	if e.Seen {
		t.warn("the model was fitted on some of these very rows: the figures flatter it")
	}
	return t.result(newEvaluation(e), func(w io.Writer) { writeEvaluation(w, e) })
}

func readTable(t *terminal, flags *recordFlags, b *model.Bundle) (*trainer.Table, error) {
	src, err := flags.open(b.Schema.Names())
	if err != nil {
		return nil, err
	}
	table, err := trainer.ReadTable(t.ctx, src, b.Schema, time.Time{})
	t.unread(src.Record)
	return table, err
}

// evaluation is the stable JSON of a trainer.Evaluation.
type evaluation struct {
	Incidents string `json:"incidents"` // "labelled" or "planted"
	Seen      bool   `json:"overlaps_training"`
	*measurement
	Robustness []scenario `json:"robustness,omitempty"`
}

type scenario struct {
	Name           string `json:"name"`
	Level          string `json:"level,omitempty"`
	Rows           int    `json:"rows"` // the last ones of the record
	Figures        any    `json:"figures"`
	Alarms         number `json:"alarms_per_host_week"`
	Unscored       number `json:"unscored"`
	Detected       number `json:"outliers_flagged"`
	Verdict        string `json:"verdict"`
	Recommendation string `json:"recommendation,omitempty"`
}

func newEvaluation(e *trainer.Evaluation) *evaluation {
	out := &evaluation{Incidents: "labelled", Seen: e.Seen, measurement: newMeasurement(&e.Measurement)}
	if e.Planted {
		out.Incidents = "planted"
	}
	for _, s := range e.Robustness {
		out.Robustness = append(out.Robustness, scenario{
			s.Name, s.Level, s.Rows, s.Figures, number(s.Alarms), number(s.Unscored), number(s.Detected), s.Verdict, s.Recommend,
		})
	}
	return out
}

func writeEvaluation(w io.Writer, e *trainer.Evaluation) {
	what := "labelled incidents"
	if e.Planted {
		what = "planted incidents (there are no labels)"
	}
	fmt.Fprintf(w, "%d rows, %d %s\n\n", e.Rows, e.Events, what)
	rows := [][]string{{"", "ROC-AUC", "AVG PREC", "PRECISION", "RECALL", "F1", "EVENTS FOUND", "FALSE/DAY", "DELAY MIN"}}
	rows = append(rows, figures("model", &e.Figures), figures("random", &e.Random))
	table(w, rows...)
	fmt.Fprintf(w, "\n%s alarms per host and week; %.1f µs per vector, explanation included\n", figure(e.AlarmsPerHostWeek), e.LatencyMicros)
	if len(e.ByKind) > 1 {
		rows = [][]string{{"KIND", "FOUND"}}
		for _, kind := range slices.Sorted(maps.Keys(e.ByKind)) {
			rows = append(rows, []string{kind, figure(e.ByKind[kind])})
		}
		fmt.Fprintln(w)
		table(w, rows...)
	}
	writeNaming(w, e.Naming)
	writeRobustness(w, e.Robustness)
}

func figures(name string, f *eval.Figures) []string {
	return []string{
		name, figure(f.ROCAUC), figure(f.AveragePrecision), figure(f.Precision), figure(f.Recall), figure(f.F1),
		figure(f.EventRecall), figure(f.FalseAlarmsPerDay), figure(f.DetectionDelay),
	}
}

func writeNaming(w io.Writer, n *trainer.Naming) {
	if n == nil {
		return
	}
	row := func(name string, n eval.Naming) []string {
		return []string{name, figure(n.HitRate100), figure(n.HitRate150), figure(n.Top1)}
	}
	fmt.Fprintf(w, "\nnaming the cause of %d incidents\n", n.Model.Events)
	table(w, []string{"", "HITRATE@100", "HITRATE@150", "TOP-1"}, row("model", n.Model), row("random", n.Random))
}

func writeRobustness(w io.Writer, scenarios []trainer.Scenario) {
	if len(scenarios) == 0 {
		return
	}
	fmt.Fprintf(w, "\nspoiled copies of the last %d rows\n", scenarios[0].Rows)
	rows := [][]string{{"SPOILED BY", "", "AVG PREC", "EVENTS FOUND", "ALARMS/HOST/WEEK", "UNSCORED", "OUTLIERS FLAGGED", "VERDICT", ""}}
	for _, s := range scenarios {
		rows = append(rows, []string{
			s.Name, s.Level, figure(s.Figures.AveragePrecision), figure(s.Figures.EventRecall), figure(s.Alarms),
			fmt.Sprintf("%.1f %%", 100*s.Unscored), figure(s.Detected), s.Verdict, s.Recommend,
		})
	}
	table(w, rows...)
}
