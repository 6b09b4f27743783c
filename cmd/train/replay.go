package main

import (
	"fmt"
	"io"

	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/trainer"
)

type replayCmd struct {
	storeFlag
	Name   string `arg:"" optional:"" help:"Version, or its id, that wrote the points. Default: the current one."`
	Data   string `required:"" help:"Record of the metrics that were scored." type:"path" placeholder:"FILE"`
	Points string `help:"Record of the ai_predictions points. Default: among the lines of --data." type:"path" placeholder:"FILE"`
}

// Run scores a record again and compares.
func (c *replayCmd) Run(t *terminal) error {
	b, err := c.load(c.Name)
	if err != nil {
		return err
	}
	data, err := history.Open(c.Data, nil)
	if err != nil {
		return err
	}
	points := data
	if c.Points != "" {
		if points, err = history.Open(c.Points, nil); err != nil {
			return err
		}
	}
	r, err := trainer.Rescore(t.ctx, data, points, b)
	if err != nil {
		return err
	}
	err = t.result(r, func(w io.Writer) {
		fmt.Fprintf(w, "%d points compared with model %s: %d equal bit for bit, %d differ, %d more in the first window; %d have nothing to compare with\n",
			r.Compared, b.ID(), r.Equal, r.Differ, r.Early, r.Absent)
	})
	if err == nil && r.First != nil {
		err = fmt.Errorf("%d points differ, first %v", r.Differ, r.First)
	}
	return err
}
