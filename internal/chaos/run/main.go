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
	soak := flag.Duration("soak", 0, "let nothing go wrong, for so `long`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	well, err := run(ctx, chaos.Options{Dir: *dir, Only: *only, Long: !*short, Jobs: *jobs}, *soak)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !well {
		os.Exit(1)
	}
}

func run(ctx context.Context, o chaos.Options, soak time.Duration) (well bool, err error) {
	if o.Root, err = testbed.Root(); err != nil {
		return false, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return false, err
	}
	if err := testbed.Install(ctx, o.Root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB); err != nil {
		return false, err
	}
	began := time.Now()
	o.Say = func(format string, arguments ...any) {
		fmt.Printf("%4.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, arguments...))
	}
	if soak > 0 {
		samples, lost, err := chaos.Soak(ctx, o, soak)
		fmt.Println()
		return chaos.PrintSoak(os.Stdout, samples, lost), err
	}
	results, err := chaos.Run(ctx, o)
	fmt.Println()
	return chaos.Table(os.Stdout, results) == 0, err
}
