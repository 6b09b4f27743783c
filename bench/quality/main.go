package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Data    string   `required:"" help:"Folder of the labelled collections." type:"path"`
	Capture string   `help:"Folder of the recording of a real Telegraf." type:"path"`
	Seeds   int      `help:"Seeds of everything random." default:"5"`
	Only    []string `help:"Collections to look at; also nab and capture. Default: all."`
	Rows    []string `help:"Detectors to look at, by name. Default: all."`
	Sets    []string `help:"Look at SMD with these columns instead, such as cpu_r+mem_u+disk_u."`
	Workers int      `help:"Machines at a time." default:"2"`
	JSON    string   `help:"Write the figures to this file, too." type:"path"`
	Docs    string   `help:"Put the tables into this file, between its markers." type:"path"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Detection and attribution on labelled incidents."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func (o *options) wants(name string) bool {
	return len(o.Sets) == 0 && (len(o.Only) == 0 || slices.Contains(o.Only, name))
}

// collections are those that were asked for.
func (o *options) collections() (out []collection) {
	for _, c := range collections {
		if o.wants(c.Name) {
			out = append(out, c)
		}
	}
	for _, set := range o.Sets {
		out = append(out, collection{set, "smd", strings.Split(set, "+"), time.Minute})
	}
	return out
}

func run(ctx context.Context, o *options) error {
	report := &report{Seeds: o.Seeds}
	for _, c := range o.collections() {
		machines, err := c.load(ctx, o.Data)
		if err != nil {
			return err
		}
		rows, err := o.judge(ctx, machines)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		report.add(&c, machines, rows)
	}
	if o.wants("nab") {
		rows, err := o.nab(ctx)
		if err != nil {
			return fmt.Errorf("nab: %w", err)
		}
		report.NAB = rows
		terminal("NAB, retrained daily", rows)
	}
	if o.Capture != "" && o.wants("capture") {
		found, err := capture(ctx, o.Capture, o.Seeds)
		if err != nil {
			return fmt.Errorf("capture: %w", err)
		}
		report.Capture = found
	}
	return report.write(o)
}

// judge gives results[detector][seed][machine].
func (o *options) judge(ctx context.Context, machines []*machine) ([]row, error) {
	var rows []row
	for _, d := range detectors() {
		if len(o.Rows) > 0 && !slices.Contains(o.Rows, d.Name) {
			continue
		}
		seeds := o.Seeds
		if d.Seeds > 0 {
			seeds = min(seeds, d.Seeds)
		}
		results := make([][]result, seeds)
		for s := range results {
			results[s] = make([]result, len(machines))
		}
		err := parallel(seeds*len(machines), o.Workers, func(i int) error {
			seed, m := i/len(machines), machines[i%len(machines)]
			v, err := d.judge(ctx, m, uint64(seed))
			if err == nil {
				results[seed][i%len(machines)] = measure(m, v)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		rows = append(rows, newRow(d.Name, results))
	}
	return rows, nil
}
