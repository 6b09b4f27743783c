package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"telegraf-anomaly/internal/history"
)

type writer = io.Writer

// terminal is how a command talks: to programs on out, to people on err.
type terminal struct {
	ctx         context.Context
	out, err    io.Writer
	quiet, json bool
}

// say tells people something.
func (t *terminal) say(format string, arguments ...any) {
	if !t.quiet {
		fmt.Fprintf(t.err, format+"\n", arguments...)
	}
}

// warn tells people something even if they asked for silence.
func (t *terminal) warn(format string, arguments ...any) {
	fmt.Fprintf(t.err, "train: warning: "+format+"\n", arguments...)
}

// unread warns of rows that no figure of a command accounts for.
func (t *terminal) unread(r *history.Record) {
	if n := r.Report.Bad; n > 0 {
		t.warn("%d rows could not be read, the first: %v", n, r.Report.Problems[0])
	}
}

// result ends a command: the text goes to people, and with --json the value goes
// to stdout.
func (t *terminal) result(value any, text func(io.Writer)) error {
	if !t.quiet {
		text(t.err)
	}
	return t.names(value)
}

// names ends a command whose result has names that a script goes on with, such as
// that of a file: they go to stdout, one a line, or with --json the value does.
func (t *terminal) names(value any, names ...string) error {
	if t.json {
		e := json.NewEncoder(t.out)
		e.SetIndent("", "  ")
		return e.Encode(value)
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(t.out, name); err != nil {
			return err
		}
	}
	return nil
}

// table lines cells up.
func table(w io.Writer, rows ...[]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(tw, "\t")
			}
			fmt.Fprint(tw, cell)
		}
		fmt.Fprintln(tw)
	}
	_ = tw.Flush() // as lost as any line to a terminal that is gone
}

// progress shows how far a job of n steps is: a bar on a terminal, else lines.
func (t *terminal) progress(what string, n int) (step func(line string)) {
	if t.quiet {
		return func(string) {}
	}
	if f, ok := t.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions(n, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(n > 3))
		return func(string) { _ = bar.Add(1) }
	}
	i := 0
	return func(line string) {
		i++
		fmt.Fprintf(t.err, "%s %d of %d: %s\n", what, i, n, line)
	}
}

// figure prints a number that may not exist.
func figure(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	return fmt.Sprintf("%.3g", x)
}
