package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"telegraf-anomaly/internal/testbed"
)

const (
	layout      = "%-8s  %6s  %6s  %11s  %6s  %-14s  %s\n"
	headerEvery = 30 // lines
	red, plain  = "\x1b[1;31m", "\x1b[0m"
)

var features = []string{"cpu", "memory", "network"}

// watch prints every prediction that InfluxDB receives, until ctx ends. It fails
// when one of the two programs ends before.
func watch(ctx context.Context, w io.Writer, telegraf *testbed.Process, db *testbed.Server, since time.Time) error {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	said := ""
	for lines := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-telegraf.Done():
			return fmt.Errorf("telegraf ended by itself; the end of its log:\n%s", tail(telegraf.Log(), 15))
		case <-db.Done():
			return fmt.Errorf("InfluxDB ended by itself; the end of its log:\n%s", tail(db.Log(), 15))
		case <-ticker.C:
		}
		rows, err := db.Query(ctx, "telegraf", fmt.Sprintf("SELECT * FROM ai_predictions WHERE time > %d", since.UnixNano()))
		if err != nil {
			continue // the database does not exist before Telegraf's first write
		}
		for _, row := range rows {
			if lines%headerEvery == 0 {
				fmt.Fprintf(w, layout, "TIME", "CPU %", "MEM %", "NETWORK", "SCORE", "VERDICT", "STRONGEST CONTRIBUTOR")
			}
			lines++
			since = row.Time()
			why := reason(row)
			fmt.Fprint(w, line(row, unlike(said, why), testbed.IsTerminal(w)))
			said = why
		}
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// line is what is shown of one prediction, and why it is one.
func line(row testbed.Row, why string, color bool) string {
	text := strings.TrimRight(fmt.Sprintf(layout, row.Time().Format(time.TimeOnly),
		number(row, "cpu", "%.1f"), number(row, "memory", "%.1f"), rate(row, "network"),
		number(row, "anomaly_score", "%.3f"), verdict(row), contributor(row)+why), " \n")
	if flag, _ := row.Float("is_anomaly"); flag == 1 && color {
		text = red + text + plain
	}
	return text + "\n"
}

// reason is the first half of why an anomaly is one.
func reason(row testbed.Row) string {
	why, _, _ := strings.Cut(row.Text("reason"), ";")
	return why
}

// unlike is a reason, or a sign of repetition if it names the feature and the fault
// of the one before: only the value differs.
func unlike(before, why string) string {
	feature, _, _ := strings.Cut(why, " ")
	_, fault, _ := strings.Cut(why, ": ")
	switch {
	case why == "":
		return ""
	case strings.HasPrefix(before, feature+" ") && strings.HasSuffix(before, ": "+fault):
		return "  the same"
	}
	return "  " + why
}

func number(row testbed.Row, name, format string) string {
	if v, ok := row.Float(name); ok {
		return fmt.Sprintf(format, v)
	}
	return "-"
}

// rate shows bytes per second in a unit that suits.
func rate(row testbed.Row, name string) string {
	v, ok := row.Float(name)
	if !ok {
		return "-"
	}
	unit := 0
	for units := []string{"B/s", "kB/s", "MB/s", "GB/s"}; ; unit++ {
		if v < 999.5 || unit == len(units)-1 {
			return fmt.Sprintf("%.1f %s", v, units[unit])
		}
		v /= 1000
	}
}

func verdict(row testbed.Row) string {
	flag, _ := row.Float("is_anomaly")
	switch status := row.Text("status"); {
	case status == "learning":
		progress, _ := row.Float("progress")
		return fmt.Sprintf("learning %2.0f %%", 100*progress)
	case flag == 1:
		return "ANOMALY"
	case status == "ok":
		return "normal"
	case status == "missing":
		return "input missing"
	default:
		return status
	}
}

// contributor names the feature that pushes most towards an anomaly. With one bit
// more the score doubles.
func contributor(row testbed.Row) string {
	best, most := "", math.Inf(-1)
	for _, f := range features {
		if v, ok := row.Float("shap_" + f); ok && v > most {
			best, most = f, v
		}
	}
	if best == "" {
		return "-"
	}
	return fmt.Sprintf("%-7s %+.3f bits", best, most)
}

// summarize prints what InfluxDB holds of this run, by query. strict makes it an
// error if there is nothing raw or nothing scored.
func summarize(w io.Writer, db *testbed.Server, began time.Time, strict bool) error {
	fmt.Fprintf(w, "\nInfluxDB holds of this run:\n")
	least := math.Inf(1)
	for _, q := range []struct{ what, field, from string }{
		{"raw", "usage_idle", "cpu"},
		{"raw", "used_percent", "mem"},
		{"raw", "bytes_recv", "net"},
		{"scored", "anomaly_score", "cpu, mem, net"},
		{"scored", "anomaly_score", "ai_predictions"},
	} {
		query := fmt.Sprintf("SELECT count(%s) FROM %s WHERE time >= '%s'", q.field, q.from, began.UTC().Format(time.RFC3339))
		n, err := count(db, query)
		if err != nil {
			return err
		}
		least = min(least, n)
		fmt.Fprintf(w, "  %6.0f %-6s points   %s\n", n, q.what, query)
	}
	if strict && least == 0 {
		return fmt.Errorf("something is missing above; without a model in the folder, learning one takes the first minute")
	}
	return nil
}

// count adds up what a query counts in each series. Ctrl-C has already been
// pressed when it is called, so it has a context of its own.
func count(db *testbed.Server, query string) (n float64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rows, err := db.Query(ctx, "telegraf", query)
	for _, row := range rows {
		v, _ := row.Float("count")
		n += v
	}
	return n, err
}
