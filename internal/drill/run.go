package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/testbed"
)

// Database answers InfluxQL; testbed.Server is one.
type Database interface {
	Query(ctx context.Context, database, influxQL string) ([]testbed.Row, error)
}

// Drill is where faults go in and verdicts come out.
type Drill struct {
	Target   string // of the data centre, such as http://127.0.0.1:5005
	DB       Database
	Database string

	// Grace is how long after the end of a fault an alarm still counts: the way
	// through Telegraf into InfluxDB takes a flush interval or two.
	Grace time.Duration
}

// An Outcome is what became of a fault.
type Outcome struct {
	Fault
	From     time.Time     `json:"from"` // when it was injected
	Detected bool          `json:"detected"`
	Delay    time.Duration `json:"delay_ns"` // from there to the time of the first scored point that alarms
	Named    string        `json:"named"`    // feature with the highest Shapley value at that point
	Score    float64       `json:"score"`
	Reason   string        `json:"reason"`
	Calm     bool          `json:"calm_before"` // no alarm on this host in the calmTime before

	sighted bool // an alarm is there, perhaps not with all of its fields
}

// Right reports whether the fault was seen and a feature at fault was named.
func (o *Outcome) Right() bool { return o.Detected && slices.Contains(o.Kind.Cause(), o.Named) }

// Run injects the faults at their times and returns what became of each, in
// order, once the last one is over; for one that is still not detected it waits
// the grace longer. say, which may be nil, is told what happens.
func (d *Drill) Run(ctx context.Context, s Scenario, say func(format string, arguments ...any)) ([]Outcome, error) {
	if say == nil {
		say = func(string, ...any) {}
	}
	began := time.Now()
	outcomes := make([]Outcome, len(s.Faults))
	for i, f := range s.Faults {
		outcomes[i] = Outcome{Fault: f}
	}
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for end := began.Add(s.Length()); ; {
		open := 0
		for i := range outcomes {
			if err := d.step(ctx, &outcomes[i], began, say); err != nil {
				return outcomes, err
			}
			if !outcomes[i].Detected {
				open++
			}
		}
		if now := time.Now(); now.After(end.Add(d.Grace)) || open == 0 && now.After(end) {
			return outcomes, nil
		}
		select {
		case <-ctx.Done():
			return outcomes, ctx.Err()
		case <-ticker.C:
		}
	}
}

// step injects a fault when its time has come, and looks for its alarm after.
func (d *Drill) step(ctx context.Context, o *Outcome, began time.Time, say func(string, ...any)) error {
	switch {
	case o.Detected || time.Since(began) < time.Duration(o.At):
		return nil
	case o.From.IsZero():
		if err := d.inject(ctx, o); err != nil {
			return err
		}
		say("%s on %s for %v", o.Kind, o.Host, time.Duration(o.Duration))
		return d.calm(ctx, o)
	}
	if err := d.look(ctx, o); err != nil {
		return err
	}
	if o.Detected {
		say("%s on %s: alarm after %v, %s", o.Kind, o.Host, o.Delay.Round(10*time.Millisecond), o.Named)
	}
	return nil
}

func (d *Drill) inject(ctx context.Context, o *Outcome) error {
	body, err := json.Marshal(map[string]any{"kind": o.Kind, "host": o.Host, "size": o.Size, "duration": o.Duration})
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Target+"/stress", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("drill: %s answered %s: %s", request.URL, response.Status, bytes.TrimSpace(text))
	}
	var accepted datacenter.Stress
	if err := json.Unmarshal(text, &accepted); err != nil {
		return fmt.Errorf("drill: %s: %w", request.URL, err)
	}
	o.From = accepted.From
	return nil
}

const calmTime = 10 * time.Second

// calm looks at the time before the fault, so that an alarm that was there
// already is not taken for its detection.
func (d *Drill) calm(ctx context.Context, o *Outcome) error {
	rows, err := d.alarms(ctx, o.Host, o.From.Add(-calmTime), o.From, 1)
	o.Calm = len(rows) == 0
	return err
}

func (d *Drill) look(ctx context.Context, o *Outcome) error {
	rows, err := d.alarms(ctx, o.Host, o.From, o.From.Add(time.Duration(o.Duration)+d.Grace), 1)
	if err != nil || len(rows) == 0 {
		return err
	}
	// InfluxDB shows the fields of a point one by one as it stores them: what is
	// looked at is there for a while already.
	if !o.sighted {
		o.sighted = true
		return nil
	}
	row := rows[0]
	o.Detected, o.Delay, o.Named, o.Reason = true, row.Time().Sub(o.From), Strongest(row), row.Text("reason")
	o.Score, _ = row.Float("anomaly_score")
	return nil
}

func (d *Drill) alarms(ctx context.Context, host string, from, until time.Time, limit int) ([]testbed.Row, error) {
	return d.DB.Query(ctx, d.Database, fmt.Sprintf(
		"SELECT * FROM ai_predictions WHERE host = '%s' AND is_anomaly = 1 AND time >= %d AND time < %d LIMIT %d",
		host, from.UnixNano(), until.UnixNano(), limit))
}

// Strongest names the feature that pushes a scored point most towards an anomaly.
func Strongest(row testbed.Row) (feature string) {
	most := math.Inf(-1)
	for column := range row {
		name, is := strings.CutPrefix(column, "shap_")
		if v, ok := row.Float(column); is && name != "base" && ok && (v > most || v == most && name < feature) {
			feature, most = name, v
		}
	}
	return feature
}
