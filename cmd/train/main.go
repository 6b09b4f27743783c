// Command train turns stored metrics into a model, and applies models to stored
// metrics. What a program may want goes to stdout: names of files and versions,
// CSV, and with --json JSON; everything for people goes to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/trainer"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2 // of the command line or of a configuration file
	exitData        = 3 // not enough data
	exitGate        = 4 // a quality gate failed
	exitInterrupted = 130
)

var (
	errGate  = errors.New("quality gate")  // data or a model did not pass
	errUsage = errors.New("configuration") // what was asked for cannot be meant
	errData  = errors.New("not enough data")
)

// version is set by the linker.
var version = "dev"

type cli struct {
	Collect  collectCmd  `cmd:"" help:"Copy history out of InfluxDB into a line-protocol file."`
	Check    checkCmd    `cmd:"" help:"Look at an InfluxDB: what is there, and what would be missing?"`
	Simulate simulateCmd `cmd:"" help:"Make synthetic metrics with labelled incidents."`
	Validate validateCmd `cmd:"" help:"Check stored metrics: schema, ranges, gaps, duplicates, outliers, freshness."`

	Fit      fitCmd      `cmd:"" help:"Fit a model on stored metrics and make it the store's current one."`
	Score    scoreCmd    `cmd:"" help:"Score stored metrics with the engine that the stream uses."`
	Evaluate evaluateCmd `cmd:"" help:"Measure a model against labels, or against planted incidents."`
	Report   reportCmd   `cmd:"" help:"Write one HTML file that shows what a model makes of a record."`

	List     listCmd     `cmd:"" help:"List the versions of a store."`
	Inspect  inspectCmd  `cmd:"" help:"Show what a model is and where it came from."`
	Diff     diffCmd     `cmd:"" help:"Show in what two models differ."`
	Promote  promoteCmd  `cmd:"" help:"Make a version the store's current one."`
	Rollback rollbackCmd `cmd:"" help:"Make the version before the current one current."`
	Prune    pruneCmd    `cmd:"" help:"Remove old versions."`
	Export   exportCmd   `cmd:"" help:"Write a model as JSON, trees included."`
	Replay   replayCmd   `cmd:"" help:"Score stored points again and show the first difference."`

	Track   trackCmd   `cmd:"" help:"Upload runs that MLflow has not got yet."`
	Grafana grafanaCmd `cmd:"" help:"Create the data source and the dashboards in a Grafana, or check them."`
	Parity  parityCmd  `cmd:"" help:"Compare the forest with scikit-learn's on labelled sets."`

	Quiet   bool             `short:"q" help:"Say nothing but errors."`
	JSON    bool             `name:"json" help:"Write the result as JSON to stdout."`
	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, err writer) int {
	var c cli
	exit := -1
	parser := kong.Must(&c, kong.Name("train"), kong.Description("Train, apply and inspect anomaly models."),
		kong.Vars{"version": version}, kong.Writers(out, err), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	parsed, e := parser.Parse(args)
	if exit >= 0 { // --help or --version
		return exit
	}
	if e != nil {
		fmt.Fprintf(err, "train: %v\n", e)
		return exitUsage
	}
	t := &terminal{ctx: ctx, out: out, err: err, quiet: c.Quiet, json: c.JSON}
	if e := parsed.Run(t); e != nil {
		fmt.Fprintf(err, "train: %v\n", e)
		return exitCode(ctx, e)
	}
	return exitOK
}

func exitCode(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		return exitInterrupted
	}
	switch {
	case errors.Is(err, errGate):
		return exitGate
	case errors.Is(err, errUsage):
		return exitUsage
	}
	for _, tooLittle := range []error{errData, detect.ErrRows, forest.ErrConstant, history.ErrEmpty, history.ErrShort, trainer.ErrNoIncident} {
		if errors.Is(err, tooLittle) {
			return exitData
		}
	}
	return exitFailure
}
