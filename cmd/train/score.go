package main

import (
	"bufio"
	"fmt"

	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

type scoreCmd struct {
	Model  string `required:"" help:"Model file, or directory of versions." type:"path"`
	Data   string `required:"" help:"Line-protocol or CSV file (also .gz), or a directory of them." type:"path"`
	Format string `help:"csv, lp or json (one object a line)." enum:"csv,lp,json" default:"csv"`
}

// Run writes one verdict per vector to stdout.
func (c *scoreCmd) Run(s streams) error {
	b, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	record, err := history.Open(c.Data, b.Schema.Names())
	if err != nil {
		return err
	}
	out := bufio.NewWriter(s.out)
	w := newVerdictWriter(out, c.Format, b.Schema.GroupBy, b.Schema.Names())
	if err := trainer.Score(record, b, w.write); err != nil {
		return err
	}
	if n := record.Report.Bad; n > 0 {
		fmt.Fprintf(s.err, "train: %d rows could not be read, the first: %v\n", n, record.Report.Problems)
	}
	return out.Flush()
}
