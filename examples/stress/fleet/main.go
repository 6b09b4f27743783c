// Command fleet sends many simulated hosts, once a second, through one Telegraf
// and the processor into InfluxDB, and prints what was lost and how long the
// processor kept each line. `make load` runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/demo"
	"telegraf-anomaly/internal/tap"
	"telegraf-anomaly/internal/testbed"
)

// worstP99 is how long the processor may keep 99 % of the lines.
const worstP99 = 50 // milliseconds

func main() {
	hosts := flag.Int("hosts", 1000, "number of hosts")
	duration := flag.Duration("duration", time.Minute, "how long, once every host is judged")
	dir := flag.String("dir", ".run/fleet", "folder for configuration, data and logs; emptied first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *hosts, *duration, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, hosts int, duration time.Duration, dir string) error {
	root, err := testbed.Root()
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := testbed.Install(ctx, root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB); err != nil {
		return err
	}
	program := filepath.Join(root, "bin", "tap")
	if out, err := exec.CommandContext(ctx, "go", "build", "-C", root, "-o", program, "./examples/stress/tap").CombinedOutput(); err != nil {
		return fmt.Errorf("building tap: %w\n%s", err, out)
	}
	began := time.Now()
	report := filepath.Join(dir, "tap.json")
	stack, err := demo.Start(ctx, demo.Options{
		Root: root, Dir: dir, Shared: true, Before: []string{program, report, datacenter.Measurement},
		Center: datacenter.Config{Hosts: hosts, Seed: 1, Interval: time.Second, Step: time.Second},
		Say: func(format string, arguments ...any) {
			fmt.Fprintf(w, "%5.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, arguments...))
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = stack.DB.Stop() }()
	if err := stack.Ready(ctx); err != nil {
		return errors.Join(err, stack.Telegraf.Stop())
	}
	fmt.Fprintf(w, "%5.1f s  every host is judged; %v more\n", time.Since(began).Seconds(), duration)
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
	if err := errors.Join(ctx.Err(), stack.Telegraf.Stop()); err != nil {
		return err
	}
	return judge(ctx, w, stack, report, hosts)
}

// judge compares what went into the processor, what came out, and what arrived.
func judge(ctx context.Context, w io.Writer, stack *demo.Stack, file string, hosts int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var r tap.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	stored, err := count(ctx, stack, "SELECT count(cpu) FROM system_metrics")
	if err != nil {
		return err
	}
	scored, err := count(ctx, stack, "SELECT count(anomaly_score) FROM system_metrics")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `
%d hosts, one Telegraf, one processor
  lines into the processor    %9d
  lines out of it             %9d
  points in InfluxDB          %9d
  of these scored             %9d
  lost                        %9d
  kept by the processor       p50 %.2f ms, p99 %.2f ms, longest %.2f ms
  processor time              %v for Telegraf and the processor
`, hosts, r.In, r.Out, stored, scored, r.In-stored, r.P50, r.P99, r.Max, stack.Telegraf.Usage().Round(time.Second))
	switch {
	case r.In == 0 || r.In != r.Out || stored != r.In:
		return fmt.Errorf("%d lines went in, %d came out, %d arrived", r.In, r.Out, stored)
	case r.P99 > worstP99:
		return fmt.Errorf("the processor kept lines for %.1f ms (p99), want at most %d ms", r.P99, worstP99)
	}
	return nil
}

func count(ctx context.Context, stack *demo.Stack, query string) (int, error) {
	rows, err := stack.DB.Query(ctx, demo.Database, query)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	n, _ := rows[0].Float("count")
	return int(n), nil
}
