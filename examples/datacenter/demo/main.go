// Command demo runs the data centre, Telegraf with the processor, and InfluxDB on
// this machine; spoils six hosts; and asks InfluxDB whether each fault was
// detected and named right. `make demo` runs it. It exits 0 only if all were.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"telegraf-anomaly/internal/demo"
	"telegraf-anomaly/internal/drill"
	"telegraf-anomaly/internal/testbed"
)

// limit is what a run may take once the programs are there.
const limit = 3 * time.Minute

func main() {
	dir := flag.String("dir", ".run/demo", "folder for configuration, data and logs; emptied first")
	scenario := flag.String("scenario", "", "faults to inject; without it, those of examples/datacenter/scenario.toml")
	stay := flag.Bool("stay", false, "keep everything running at the end, until Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Stdout, *dir, *scenario, *stay)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo: interrupted")
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, dir, file string, stay bool) (err error) {
	root, err := testbed.Root()
	if err != nil {
		return err
	}
	if file == "" {
		file = filepath.Join(root, "examples/datacenter/scenario.toml")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	scenario, err := drill.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := testbed.Install(ctx, root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB); err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, arguments ...any) {
		fmt.Fprintf(w, "%5.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, arguments...))
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stack, err := demo.Start(limited, demo.Options{Root: root, Dir: dir, Center: demo.DefaultCenter, Say: say})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	failed, err := show(limited, w, stack, scenario, say)
	if err != nil {
		return err
	}
	if stay {
		fmt.Fprintln(w, "\nEverything keeps running; Ctrl-C ends it.")
		<-ctx.Done()
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d faults were not detected or not named right", failed, len(scenario.Faults))
	}
	return nil
}

func show(ctx context.Context, w io.Writer, stack *demo.Stack, scenario drill.Scenario, say func(string, ...any)) (failed int, err error) {
	if err := stack.Ready(ctx); err != nil {
		return 0, err
	}
	from := time.Now()
	outcomes, err := stack.Drill().Run(ctx, scenario, say)
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(w)
	failed = drill.Table(w, outcomes)
	return failed, stack.Summary(ctx, w, from, outcomes)
}
