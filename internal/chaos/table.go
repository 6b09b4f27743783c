package chaos

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// Table prints a line for each result, under it what was wrong and what a user
// reads, and returns how many results are not as they have to be.
func Table(w io.Writer, results []Result) (failed int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FAULT\tIN\tOUT\tLOST\tMAY\tSTORED\tSCORING BACK\tMEMORY\tRESULT")
	for i := range results {
		r := &results[i]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%d\t%v\t%.0f to %.0f MB\t%s\n", r.Name, r.In, r.Out, r.Lost, r.allowed(), r.Stored, r.Back.Round(time.Millisecond), r.Before/1e6, r.Most/1e6, r.verdict())
		if len(r.Wrong) > 0 {
			failed++
		}
	}
	table.Flush()
	fmt.Fprintln(w, "\nWhat a user reads from the fault on")
	for i := range results {
		r := &results[i]
		fmt.Fprintf(w, "\n%s\n", r.Name)
		for _, wrong := range r.Wrong {
			fmt.Fprintf(w, "  WRONG: %s\n", wrong)
		}
		for _, line := range r.Log {
			fmt.Fprintf(w, "  %s\n", line)
		}
		if len(r.Log) == 0 {
			fmt.Fprintln(w, "  no warning, no error")
		}
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", len(results)-failed, failed)
	return failed
}

func (r *Result) allowed() string {
	if r.Allowed < 0 {
		return "all while away"
	}
	return fmt.Sprint(r.Allowed)
}

var (
	complaint = regexp.MustCompile(`^\S+ ([WE]! .*)$`)
	numbers   = regexp.MustCompile(`\d+`)
)

const (
	maxComplaints = 8
	maxWidth      = 160
)

// complaints are the warnings and errors of a log; those that differ in numbers
// only are shown once, with how often they came.
func complaints(log, dir string) (lines []string) {
	count, first := map[string]int{}, []string{}
	text := map[string]string{}
	for line := range strings.Lines(strings.ReplaceAll(log, dir+"/", "")) {
		m := complaint.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || strings.Contains(line, "[inputs.execd]") { // which is the test's own
			continue
		}
		key := numbers.ReplaceAllString(m[1], "#")
		if count[key]++; count[key] == 1 {
			first, text[key] = append(first, key), m[1]
		}
	}
	for _, key := range first[:min(len(first), maxComplaints)] {
		line := text[key]
		if len(line) > maxWidth {
			line = strings.ToValidUTF8(line[:maxWidth], "") + "..."
		}
		if count[key] > 1 {
			line = fmt.Sprintf("%s (%d times)", line, count[key])
		}
		lines = append(lines, line)
	}
	if more := len(first) - maxComplaints; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}
