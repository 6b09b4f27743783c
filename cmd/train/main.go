// Command train turns stored metrics into a model, and applies models to stored
// metrics. Results go to stdout, everything for people to stderr.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/history"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitData    = 3 // not enough data
)

// version is set by the linker.
var version = "dev"

// streams are where a command writes.
type streams struct{ out, err io.Writer }

type cli struct {
	Fit   fitCmd   `cmd:"" help:"Fit a model on stored metrics and make it the store's current one."`
	Score scoreCmd `cmd:"" help:"Score stored metrics with the engine that the stream uses."`

	Version kong.VersionFlag `help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

func run(args []string, s streams) (code int) {
	exit := -1
	parser := kong.Must(&cli{}, kong.Name("train"), kong.Description("Train, apply and inspect anomaly models."),
		kong.Vars{"version": version}, kong.Writers(s.out, s.err), kong.Exit(func(c int) { exit = c }), kong.UsageOnError())
	context, err := parser.Parse(args)
	if exit >= 0 { // --help or --version
		return exit
	}
	if err != nil {
		fmt.Fprintf(s.err, "train: %v\n", err)
		return exitUsage
	}
	if err := context.Run(s); err != nil {
		fmt.Fprintf(s.err, "train: %v\n", err)
		return exitCode(err)
	}
	return exitOK
}

func exitCode(err error) int {
	for _, tooLittle := range []error{detect.ErrRows, forest.ErrConstant, history.ErrEmpty} {
		if errors.Is(err, tooLittle) {
			return exitData
		}
	}
	return exitFailure
}
