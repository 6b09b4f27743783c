package main

import (
	"bufio"

	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

type scoreCmd struct {
	Model  string `required:"" help:"Model file, or directory of versions." type:"path" placeholder:"PATH"`
	Data   string `required:"" help:"Line-protocol or CSV file (also .gz), or a directory of line-protocol files." type:"path" placeholder:"FILE"`
	Format string `help:"csv, lp or json (one object a line)." enum:"csv,lp,json" default:"csv"`
}

// Run writes one verdict per vector to stdout.
func (c *scoreCmd) Run(t *terminal) error {
	b, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	record, err := history.Open(c.Data, b.Schema.Names())
	if err != nil {
		return err
	}
	out := bufio.NewWriter(t.out)
	format := c.Format
	if t.json {
		format = "json"
	}
	w := newVerdictWriter(out, format, b.Schema.GroupBy, b.Schema.Names())
	if err := trainer.Score(t.ctx, record, b, w.write); err != nil {
		return err
	}
	t.unread(record)
	return out.Flush()
}
