// Command stress loads the data centre over HTTP and, with a scenario, spoils its
// hosts meanwhile and asks InfluxDB whether the detector saw it. It exits 1 if a
// fault was missed or named wrong, or if too many requests failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"telegraf-anomaly/internal/drill"
	"telegraf-anomaly/internal/load"
	"telegraf-anomaly/internal/testbed"
)

type settings struct {
	load.Options
	target, influxDB, database string
	scenario, result           string
	success                    float64
}

func main() {
	var s settings
	flag.StringVar(&s.target, "target", "http://127.0.0.1:5005", "address of the data centre")
	flag.IntVar(&s.Rate, "rate", 50, "requests per second")
	flag.DurationVar(&s.Ramp, "ramp", 5*time.Second, "time to rise to the rate")
	flag.DurationVar(&s.Options.Duration, "duration", 30*time.Second, "time at the full rate; with a scenario at least as long as that")
	flag.IntVar(&s.Workers, "workers", 10, "requests at the same time, at most")
	flag.Float64Var(&s.success, "success", .99, "least share of requests that must succeed")
	flag.StringVar(&s.scenario, "scenario", "", "`file` of faults to inject")
	flag.StringVar(&s.influxDB, "influxdb", "http://127.0.0.1:8086", "address of InfluxDB, for the scenario")
	flag.StringVar(&s.database, "database", "telegraf", "database with the predictions")
	flag.StringVar(&s.result, "json", "", "`file` for the result as JSON, - for stdout")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "stress: %q is no flag; -h lists them\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "stress:", err)
		os.Exit(1)
	}
}

// outcome is the result as JSON.
type outcome struct {
	Load   load.Result     `json:"load"`
	Faults []drill.Outcome `json:"faults,omitempty"`
	Passed bool            `json:"passed"`
}

func (s settings) run(ctx context.Context, stdout, stderr io.Writer) error {
	if s.result == "-" {
		stdout = stderr // which is for people then
	}
	var result outcome
	faults, err := s.faults(ctx, stderr)
	if err != nil {
		return err
	}
	s.URL = s.target + "/metrics"
	if result.Load, err = load.Run(ctx, s.Options, func(r load.Result) {
		fmt.Fprintf(stderr, "%6d requests  %7.1f/s  p99 %7.2f ms  %6.2f %% success\n", r.Requests, r.Throughput, r.P99, 100*r.Success)
	}); err != nil {
		return err
	}
	drilled := <-faults
	result.Faults = drilled.outcomes
	failed := 0
	if len(result.Faults) > 0 {
		failed = drill.Table(stdout, result.Faults)
		fmt.Fprintln(stdout)
	}
	result.Load.Print(stdout)
	result.Passed = drilled.err == nil && failed == 0 && result.Load.Success >= s.success
	return errors.Join(drilled.err, s.save(result), s.verdict(result, failed))
}

type drilled struct {
	outcomes []drill.Outcome
	err      error
}

// faults runs the scenario, if there is one, beside the load.
func (s *settings) faults(ctx context.Context, w io.Writer) (<-chan drilled, error) {
	done := make(chan drilled, 1)
	if s.scenario == "" {
		done <- drilled{}
		return done, nil
	}
	text, err := os.ReadFile(s.scenario)
	if err != nil {
		return nil, err
	}
	scenario, err := drill.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.scenario, err)
	}
	s.Options.Duration = max(s.Options.Duration, scenario.Length())
	d := drill.Drill{Target: s.target, DB: &testbed.Server{URL: s.influxDB}, Database: s.database, Grace: 5 * time.Second}
	go func() {
		outcomes, err := d.Run(ctx, scenario, func(format string, arguments ...any) { fmt.Fprintf(w, format+"\n", arguments...) })
		done <- drilled{outcomes, err}
	}()
	return done, nil
}

func (s settings) save(o outcome) error {
	if s.result == "" {
		return nil
	}
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if s.result == "-" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(s.result, text, 0o644)
}

func (s settings) verdict(o outcome, failed int) error {
	if failed > 0 {
		return fmt.Errorf("%d of %d faults were not detected or not named right", failed, len(o.Faults))
	}
	if o.Load.Success < s.success {
		return fmt.Errorf("%.2f %% of the requests succeeded, want %.2f %%", 100*o.Load.Success, 100*s.success)
	}
	return nil
}
