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
	for lines := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-telegraf.Done():
			return fmt.Errorf("Telegraf ended by itself; the end of its log:\n%s", tail(telegraf.Log(), 15))
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
			fmt.Fprint(w, line(row, testbed.IsTerminal(w)))
		}
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// line is what is shown of one prediction.
func line(row testbed.Row, color bool) string {
	text := fmt.Sprintf(layout, row.Time().Format(time.TimeOnly),
		number(row, "cpu", "%.1f"), number(row, "memory", "%.1f"), rate(row, "network"),
		number(row, "anomaly_score", "%.3f"), verdict(row), contributor(row))
	if flag, _ := row.Float("is_anomaly"); flag == 1 && color {
		return red + strings.TrimSuffix(text, "\n") + plain + "\n"
	}
	return text
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

// contributor names the feature that pushes most towards an anomaly, and of an
// anomaly the reason. With one bit more the score doubles.
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
	reason, _, _ := strings.Cut(row.Text("reason"), ";")
	return strings.TrimSpace(fmt.Sprintf("%-7s %+.3f bits  %s", best, most, reason))
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
