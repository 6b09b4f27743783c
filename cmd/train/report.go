package main

import (
	"bytes"
	"path/filepath"
	"runtime"

	"telegraf-anomaly/internal/atomicfile"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/report"
	"telegraf-anomaly/internal/trainer"
)

type reportCmd struct {
	storeFlag
	Name string `arg:"" optional:"" help:"Version, or its id. Default: the current one."`
	recordFlags
	Robust bool   `help:"Also judge spoiled copies of the record." default:"true" negatable:""`
	Seed   uint64 `help:"Seed of planted incidents and of what spoils." default:"0"`
	Output string `short:"o" help:"File to write." default:"report.html" type:"path" placeholder:"FILE"`
}

// Run writes the report.
func (c *reportCmd) Run(t *terminal) error {
	b, err := c.load(c.Name)
	if err != nil {
		return err
	}
	d, err := gather(t, &c.recordFlags, b, c.Robust, c.Seed)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Write(&page, d); err != nil {
		return err
	}
	if err := atomicfile.Write(c.Output, page.Bytes(), 0o640); err != nil {
		return err
	}
	return t.names(reportSummary(d, c.Output), c.Output)
}

// gather judges a record in all ways that a report shows.
func gather(t *terminal, flags *recordFlags, b *model.Bundle, robust bool, seed uint64) (d *report.Data, err error) {
	d = &report.Data{Record: filepath.Base(flags.Data), Bundle: b}
	if d.Table, err = readTable(t, flags, b); err != nil {
		return nil, err
	}
	from, _ := d.Table.Range()
	workers := runtime.NumCPU()
	if d.Judgement, err = trainer.JudgeTable(t.ctx, d.Table, b, from, workers); err != nil {
		return nil, err
	}
	if d.Evaluation, err = trainer.Evaluate(t.ctx, d.Table, b, from, robust, seed, workers); err != nil {
		t.warn("the report lacks figures against incidents: %v", err)
		d.Evaluation = nil
	}
	d.Quality, err = inspectQuality(t, flags, b)
	return d, err
}

func reportSummary(d *report.Data, path string) any {
	out := map[string]any{
		"file": path, "model": d.Bundle.ID(), "alarms_per_host_week": number(d.Judgement.AlarmsPerHostWeek()), "quality": d.Quality,
		"moments": report.Moments(d, 20),
	}
	if d.Evaluation != nil {
		out["evaluation"] = newEvaluation(d.Evaluation)
	}
	return out
}
