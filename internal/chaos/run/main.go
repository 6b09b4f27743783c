// Command run lets things go wrong around a real Telegraf with the processor, and
// prints what each cost. It exits with 1 unless everything is as it has to be.
// `make chaos` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"telegraf-anomaly/internal/chaos"
	"telegraf-anomaly/internal/testbed"
)

func main() {
	short := flag.Bool("short", false, "let faults last seconds only")
	only := flag.String("only", "", "regular `expression` that the names of faults must match")
	dir := flag.String("dir", ".run/chaos", "folder for configurations, data and logs")
	jobs := flag.Int("jobs", 1, "faults at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, chaos.Options{Dir: *dir, Only: *only, Long: !*short, Jobs: *jobs})
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, o chaos.Options) (failed int, err error) {
	if o.Root, err = testbed.Root(); err != nil {
		return 0, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return 0, err
	}
	if err := testbed.Install(ctx, o.Root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB); err != nil {
		return 0, err
	}
	began := time.Now()
	o.Say = func(format string, arguments ...any) {
		fmt.Printf("%4.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, arguments...))
	}
	results, err := chaos.Run(ctx, o)
	fmt.Println()
	return chaos.Table(os.Stdout, results), err
}
