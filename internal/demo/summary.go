package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"telegraf-anomaly/internal/drill"
)

// Summary prints what InfluxDB says of the time of a drill beyond its faults: how
// many points the hosts without one alarmed on, what was stored beside them, and the
// queries to see more.
func (s *Stack) Summary(ctx context.Context, w io.Writer, from time.Time, outcomes []drill.Outcome) error {
	spoiled := make([]string, len(outcomes))
	for i, o := range outcomes {
		spoiled[i] = o.Host
	}
	others := fmt.Sprintf("host =~ /^host/ AND host !~ /%s/ AND time >= %d", strings.Join(spoiled, "|"), from.UnixNano())
	judged, err := s.count(ctx, "status = 'ok' AND "+others)
	if err != nil {
		return err
	}
	alarmed, err := s.count(ctx, "is_anomaly = 1 AND "+others)
	if err != nil {
		return err
	}
	machine, err := s.raw(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `
Hosts without a fault: %.0f alarms on %.0f points.
Points of this machine beside them, unscored: %s.

See for yourself: curl -sG %s/query --data-urlencode db=%s --data-urlencode "q=…" with
  SELECT host, reason, anomaly_score FROM ai_predictions WHERE is_anomaly = 1 AND time > now() - 5m
  SELECT last(anomaly_score), last(threshold), last(model) FROM ai_predictions GROUP BY host
`, alarmed, judged, machine, s.DB.URL, Database)
	return err
}

func (s *Stack) count(ctx context.Context, where string) (n float64, err error) {
	rows, err := s.DB.Query(ctx, Database, "SELECT count(anomaly_score) FROM ai_predictions WHERE "+where)
	if err == nil && len(rows) > 0 {
		n, _ = rows[0].Float("count")
	}
	return n, err
}

// raw lists how many points of this machine itself were stored.
func (s *Stack) raw(ctx context.Context) (string, error) {
	rows, err := s.DB.Query(ctx, Database, "SELECT count(usage_idle) FROM cpu; SELECT count(used_percent) FROM mem; SELECT count(used_percent) FROM disk; SELECT count(bytes_recv) FROM net")
	var counts []string
	for _, row := range rows {
		n, _ := row.Float("count")
		counts = append(counts, fmt.Sprintf("%s %.0f", row["name"], n))
	}
	return strings.Join(counts, ", "), err
}
