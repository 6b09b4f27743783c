package drill

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Table prints a line for each outcome, and returns how many faults were not
// detected or not named right.
func Table(w io.Writer, outcomes []Outcome) (failed int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FAULT\tHOST\tSIZE\tDETECTED\tDELAY\tNAMED\tSCORE\tRESULT\tREASON")
	for i := range outcomes {
		o := &outcomes[i]
		result := "pass"
		if !o.Right() {
			failed++
			result = "FAIL"
		}
		fmt.Fprintf(table, "%s\t%s\t%.3g\t%s\n", o.Kind, o.Host, orOne(o.Size), o.found(result))
	}
	table.Flush()
	return failed
}

func (o *Outcome) found(result string) string {
	if !o.Detected {
		return fmt.Sprintf("no\t-\t-\t-\t%s\twanted %s", result, strings.Join(o.Kind.Cause(), " or "))
	}
	reason := o.Reason
	if !o.Right() {
		reason = fmt.Sprintf("wanted %s; %s", strings.Join(o.Kind.Cause(), " or "), reason)
	}
	if !o.Calm {
		reason = "(it alarmed before the fault already) " + reason
	}
	return fmt.Sprintf("yes\t%v\t%s\t%.3f\t%s\t%s", o.Delay.Round(10*time.Millisecond), o.Named, o.Score, result, reason)
}

func orOne(size float64) float64 {
	if size == 0 {
		return 1
	}
	return size
}
