package dashboards

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// sourceUID is that of the InfluxQL source in grafana/provisioning. Alert rules
// cannot use variables.
const sourceUID = "influxdb-influxql"

// Rule is an alert in short.
type Rule struct {
	UID, Title string
	Query      string // InfluxQL; {from} is the beginning of the time looked at
	Reduce     string // how each series becomes one number
	Condition  string // on $B, that number
	Window     int    // seconds that the query looks back
	For        string // how long the condition must hold
	NoData     string // OK, NoData or Alerting
	Severity   string
	Summary    string
	Text       string
	Board      string // dashboard that shows it
	Panel      int
}

// Alerts are the rules. They look back by themselves, and do not need a
// dashboard to be open.
var Alerts = []Rule{
	{
		UID: "anomaly-sustained", Title: "Host strange for minutes", Severity: "warning", For: "2m", NoData: "OK", Window: 300, Reduce: "mean", Condition: "$B > 0.5",
		Query:   `SELECT mean("is_anomaly") FROM "ai_predictions" WHERE $timeFilter AND "status" = 'ok' GROUP BY time(10s), "host" fill(none)`,
		Summary: "{{ $labels.host }} is strange", Text: "More than half of the points of the last five minutes are anomalous. The Host dashboard says why.", Board: "host", Panel: 7,
	},
	{
		UID: "anomaly-fleet-rate", Title: "Too much of the fleet is strange", Severity: "critical", For: "2m", NoData: "OK", Window: 300, Reduce: "mean", Condition: "$B > 0.2",
		Query:   `SELECT mean("is_anomaly") FROM "ai_predictions" WHERE $timeFilter AND "status" = 'ok' GROUP BY time(10s) fill(none)`,
		Summary: "A fifth of all points is anomalous", Text: "Something concerns the whole fleet, or the models are out of date.", Board: "fleet", Panel: 7,
	},
	{
		// A host that was heard of in the last hour, and is not any more. A span of
		// five minutes that has just begun is empty for a minute.
		UID: "anomaly-processor-silent", Title: "Processor silent", Severity: "critical", For: "2m", NoData: "Alerting", Window: 3600, Reduce: "last", Condition: "$B < 1",
		Query:   `SELECT count("lines") FROM "anomaly_processor" WHERE $timeFilter GROUP BY time(5m), "host" fill(0)`,
		Summary: "No report of the processor on {{ $labels.host }} for five minutes", Text: "It reports once a minute. Telegraf may be down, its output may not reach the database, or the program may be missing.", Board: "processor", Panel: 1,
	},
	{
		UID: "anomaly-processor-degraded", Title: "Processor degraded", Severity: "warning", For: "5m", NoData: "OK", Window: 300, Reduce: "max", Condition: "$B > 0",
		Query:   `SELECT count("lines") FROM "anomaly_processor" WHERE $timeFilter AND "state" = 'degraded' GROUP BY time(1m), "host" fill(none)`,
		Summary: "The processor on {{ $labels.host }} passes metrics on unscored", Text: "Its configuration or model is refused, or it found a fault of its own. Telegraf's log says why, and so does the field fault.", Board: "processor", Panel: 1,
	},
	{
		UID: "anomaly-restarts", Title: "Processor keeps restarting", Severity: "warning", For: "0s", NoData: "OK", Window: 1800, Reduce: "max", Condition: "$B < 600",
		Query:   `SELECT max("uptime_s") FROM "anomaly_processor" WHERE $timeFilter GROUP BY time(30m), "host" fill(none)`,
		Summary: "The processor on {{ $labels.host }} did not live for ten minutes in the last thirty", Text: "What it learns after a start is lost if it ends again so soon. Telegraf's log says why it ended.", Board: "processor", Panel: 2,
	},
	{
		UID: "anomaly-drift", Title: "Drift", Severity: "info", For: "0s", NoData: "OK", Window: 10800, Reduce: "sum", Condition: "$B > 2",
		Query:   `SELECT sum("drifted") FROM "anomaly_drift" WHERE $timeFilter AND "test" != '' GROUP BY time(1h), "host", "feature" fill(none)`,
		Summary: "{{ $labels.feature }} of {{ $labels.host }} has moved away from what its model was fitted on", Text: "Three or more tests say so within three hours. A model that learns fits itself again; one that was given needs a new fit.", Board: "model", Panel: 9,
	},
	{
		UID: "anomaly-model-old", Title: "Model too old", Severity: "info", For: "10m", NoData: "OK", Window: 600, Reduce: "last", Condition: "$B > 604800",
		Query:   `SELECT max("model_age_s") FROM "anomaly_processor" WHERE $timeFilter GROUP BY time(1m), "host" fill(none)`,
		Summary: "The oldest model on {{ $labels.host }} was fitted on data of more than a week ago", Text: "A host that learns fits a fresh model every day: the decisions of the Model dashboard say why none of them serves. For a model that was given, fit and promote a new one.", Board: "processor", Panel: 5,
	},
}

// Rules renders Grafana's provisioning file of the alert rules.
func Rules() ([]byte, error) {
	var rules []any
	for _, r := range Alerts {
		rules = append(rules, r.provisioned())
	}
	file := map[string]any{"apiVersion": 1, "groups": []any{map[string]any{
		"orgId": 1, "name": "telegraf-anomaly", "folder": "Telegraf anomaly", "interval": "1m", "rules": rules,
	}}}
	var b bytes.Buffer
	b.WriteString("# Rendered from internal/dashboards; change it there.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(file); err != nil {
		return nil, fmt.Errorf("dashboards: alert rules: %w", err)
	}
	return b.Bytes(), e.Close()
}

func (r Rule) provisioned() map[string]any {
	return map[string]any{
		"uid": r.UID, "title": r.Title, "condition": "C", "for": r.For, "noDataState": r.NoData, "execErrState": "Error",
		"dashboardUid": uid(r.Board, InfluxQL), "panelId": r.Panel,
		"annotations": map[string]string{"summary": r.Summary, "description": r.Text},
		"labels":      map[string]string{"severity": r.Severity, "product": familyTag},
		"data": []any{
			r.step("A", sourceUID, map[string]any{"query": r.Query, "rawQuery": true, "resultFormat": "time_series"}),
			r.step("B", "__expr__", map[string]any{"type": "reduce", "expression": "A", "reducer": r.Reduce, "settings": map[string]any{"mode": "dropNN"}}),
			r.step("C", "__expr__", map[string]any{"type": "math", "expression": r.Condition}),
		},
	}
}

func (r Rule) step(ref, source string, model map[string]any) map[string]any {
	model["refId"] = ref
	return map[string]any{
		"refId": ref, "datasourceUid": source, "model": model,
		"relativeTimeRange": map[string]int{"from": r.Window, "to": 0},
	}
}
