package dashboards

// scored are the points of all hosts that are selected.
var scored = From{Measurement: "ai_predictions", Hosts: true}

// judged are those with a verdict, flagged those with an alarm.
var (
	judged  = From{"ai_predictions", true, []Cond{{Key: "status", Op: "=", Value: "'ok'"}}}
	flagged = From{"ai_predictions", true, []Cond{{Key: "is_anomaly", Op: "=", Value: "1"}}}
)

// scoreMeaning is quoted wherever a score is shown.
const scoreMeaning = "The score is 2^min(b, 0) in (0, 1]: higher is stranger. b adds up, in bits, how quickly the forest isolates the vector and how far it lies outside what was usual."

var fleet = board{
	name: "fleet", title: "fleet", from: "now-1h", hosts: manyHosts,
	story: "Which hosts are strange, since when, and because of what?",
	notes: []note{modelChange},
	rows: [][]panel{
		{
			stat("Hosts judged", "Hosts with a score in this time.", Value{scored, "anomaly_score", "count", "count"}, "none", look{}),
			stat("Hosts strange now", "Hosts whose newest verdict is an anomaly.", Value{judged, "is_anomaly", "last", "sum"}, "none", look{steps: steps("green", 1.0, "red")}),
			stat("Hosts with an anomaly", "Hosts that had at least one anomalous point in this time.", Value{judged, "is_anomaly", "max", "sum"}, "none", look{steps: steps("green", 1.0, "orange")}),
			stat("Anomalous points", "Points with a verdict of anomaly in this time.", Value{scored, "is_anomaly", "", "sum"}, "none", look{steps: steps("green", 1.0, "orange")}),
			stat("Episodes", "Incidents: anomalies of one host with fewer than ten calm intervals between them share an episode.", Value{flagged, "episode", "", "distinct"}, "none", look{steps: steps("green", 1.0, "orange"), noValue: "0"}),
			stat("Share of anomalous points", "Of all points that were judged. Above a few percent something concerns the whole fleet, or the models are out of date.", Value{judged, "is_anomaly", "", "mean"}, "percentunit", look{decimals: digits(2), steps: steps("green", .02, "orange", .1, "red")}),
		},
		{{
			kind: "state-timeline", title: "Verdicts by host", width: 24, height: 9, unit: "none",
			about: "Hosts that had an anomaly in this time, red where; the others have no row. A column of red across hosts is something they share: a network, a store, a deployment.",
			asks:  []ask{{Series{From: flagged, Field: "is_anomaly", Agg: "max", By: []string{"host"}, Gaps: true}, "$tag_host"}},
			look:  look{mappings: anomalyMeaning, steps: steps("green", 1.0, "red"), links: toHost("Why?", "${__field.labels.host}")},
		}},
		{{
			kind: "status-history", title: "Score by host", width: 24, height: 8, unit: "none",
			about: "The highest score of each interval, also below the threshold: what is about to become strange. Of a large fleet, choose the hosts above. " + scoreMeaning,
			asks:  []ask{{Series{From: scored, Field: "anomaly_score", Agg: "max", By: []string{"host"}, Gaps: true}, "$tag_host"}},
			look:  look{min: number(0), max: number(1), decimals: digits(3)},
		}},
		{
			{
				kind: "table", title: "Strangest hosts", width: 12, height: 10, unit: "none",
				about: "Hosts by their anomalous points in this time. The name leads to the explanation.",
				asks: []ask{
					{PerHost{scored, "anomaly_score", "max", "highest score"}, ""},
					{PerHost{scored, "is_anomaly", "sum", "anomalous points"}, ""},
					{PerHost{scored, "anomaly_score", "last", "newest score"}, ""},
					{PerHost{scored, "threshold", "last", "threshold"}, ""},
				},
				look: look{
					decimals: digits(3),
					transform: append(merge, Transformation{ID: "sortBy", Options: map[string]any{
						"sort": []map[string]any{{"field": "anomalous points", "desc": true}},
					}}),
					overrides: []Override{
						property("host", "links", toHost("Why?", "${__value.text}")),
						property("anomalous points", "decimals", 0),
						property("anomalous points", "custom.cellOptions", map[string]any{"type": "color-background"}),
						property("anomalous points", "thresholds", Thresholds{Mode: "absolute", Steps: steps("transparent", 1.0, "red")}),
					},
				},
			},
			{
				kind: "table", title: "Newest anomalies", width: 12, height: 10, unit: "none",
				about: "What was found, and why: the feature to look at first, its usual range, and the nearest value of it at which this would be normal.",
				asks:  []ask{{Newest{flagged, []string{"host", "suspect", "anomaly_score", "reason", "episode"}, []string{"host"}, 50}, ""}},
				look: look{
					noValue: "no anomaly in this time",
					overrides: []Override{
						property("host", "links", toHost("Why?", "${__value.text}")),
						property("anomaly_score", "decimals", 3),
						property("reason", "custom.width", 480),
					},
				},
			},
		},
		{{
			kind: "timeseries", title: "Anomalous points", width: 24, height: 7, unit: "short",
			about: "Anomalous points per interval, stacked by host: a thin line that stays is a host to look at, a wide peak an event of the fleet.",
			asks:  []ask{{Series{From: flagged, Field: "is_anomaly", Agg: "sum", By: []string{"host"}}, "$tag_host"}},
			look:  look{min: number(0), custom: stackedBars},
		}},
	},
}

func stat(title, about string, q Query, unit string, l look) panel {
	return panel{kind: "stat", title: title, about: about, width: 4, height: 4, asks: []ask{{q, title}}, unit: unit, look: l}
}

// property sets something of a column of a table.
func property(field, id string, value any) Override {
	return Override{Matcher: Matcher{ID: "byName", Options: field}, Properties: []Property{{ID: id, Value: value}}}
}

// ofQuery sets something of the lines that a query gives. Their names are not to
// be relied on: with Flux they are themselves set by an override.
func ofQuery(ref string, properties ...Property) Override {
	return Override{Matcher: Matcher{ID: "byFrameRefID", Options: ref}, Properties: properties}
}

var stackedBars = map[string]any{
	"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": map[string]any{"mode": "normal", "group": "A"},
}

// modelChange marks when another model began to serve, and why.
var modelChange = note{
	name: "Model changes", color: "purple", text: "why", tags: "decision",
	query: Text{
		InfluxQL: `SELECT "why", "decision" FROM "anomaly_drift" WHERE $timeFilter AND "why" != '' ORDER BY time DESC LIMIT 100`,
		Flux: `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "anomaly_drift" and (r._field == "why" or r._field == "decision"))
  |> ` + pivot + `
  |> filter(fn: (r) => r.why != "")
  |> group()
  |> map(fn: (r) => ({time: r._time, text: r.why, tags: r.decision}))
  |> limit(n: 100)`,
	},
}
