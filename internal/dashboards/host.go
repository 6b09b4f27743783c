package dashboards

var host = board{
	name: "host", title: "host", from: "now-15m", hosts: oneHost,
	story: "What is strange about this host, since when, and is it one feature or all of them?",
	notes: []note{anomalousSpan},
	rows: [][]panel{
		{
			stat("Verdict", "The newest verdict.", Value{judged, "is_anomaly", "", "last"}, "none", look{mappings: anomalyMeaning, steps: steps("green", 1.0, "red")}),
			stat("Score", scoreMeaning, Value{scored, "anomaly_score", "", "last"}, "none", look{decimals: digits(3), min: number(0), max: number(1)}),
			stat("Threshold", "Scores above it are anomalies. It is the model's own, raised so that false alarms stay within their budget.", Value{scored, "threshold", "", "last"}, "none", look{decimals: digits(3)}),
			stat("Status", "What became of the newest vector.", Value{scored, "status", "", "last"}, "string", look{mappings: statusMeaning, options: asText}),
			stat("Model", "Id of the model that serves: the first digits of its digest.", Value{scored, "model", "", "last"}, "string", look{options: asText}),
			stat("Anomalous points", "In this time.", Value{scored, "is_anomaly", "", "sum"}, "none", look{steps: steps("green", 1.0, "orange")}),
		},
		{{
			kind: "timeseries", title: "Score against threshold", width: 24, height: 8, unit: "none",
			about: "Anomalous where the score is above the threshold. " + scoreMeaning,
			asks: []ask{
				{Series{From: scored, Field: "anomaly_score", Agg: "max"}, "score"},
				{Series{From: scored, Field: "threshold", Agg: "mean"}, "threshold"},
			},
			look: look{min: number(0), max: number(1), decimals: digits(3), overrides: []Override{
				ofQuery("B",
					Property{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{10, 10}}},
					Property{"color", fixed("red")}, Property{"custom.fillOpacity", 0}),
			}},
		}},
		{
			{
				kind: "timeseries", title: "What pushes the score", width: 16, height: 9, unit: "none",
				about: "Exact Shapley values in bits: a feature with +1 doubles the score, with -1 halves it. shap_base and these add up to the logarithm of the score, as long as that is below 1.",
				asks:  []ask{{Series{From: scored, Field: contributions, Agg: "mean"}, "$col"}},
				look:  look{decimals: digits(3), custom: stackedBars, transform: strip},
			},
			{
				kind: "bargauge", title: "One feature or all?", width: 8, height: 9, unit: "none",
				about: "Strongest push of each feature in this time, in bits. One long bar is a fault of that resource; several are load, or a change of what the host does.",
				asks:  []ask{{Series{From: scored, Field: contributions, Agg: "max"}, "$col"}},
				look:  look{decimals: digits(2), min: number(0), transform: strip, steps: steps("blue", .5, "orange", 1.0, "red"), options: map[string]any{"reduceOptions": map[string]any{"calcs": []string{"max"}, "fields": "", "values": false}}},
			},
		},
		{
			value("CPU", "Busy time of all cores.", "cpu", "percent", look{min: number(0), max: number(100)}),
			value("Memory", "Used memory.", "memory", "percent", look{min: number(0), max: number(100)}),
			value("Network", "Received and sent, all interfaces that count.", "network", "Bps", look{min: number(0)}),
		},
		{{
			kind: "table", title: "Why", width: 24, height: 9, unit: "none",
			about: "Each anomalous point in words, newest first.",
			asks:  []ask{{Newest{flagged, []string{"suspect", "anomaly_score", "reason", "episode"}, nil, 100}, ""}},
			look: look{noValue: "no anomaly in this time", overrides: []Override{
				property("anomaly_score", "decimals", 3),
				property("anomaly_score", "custom.width", 130),
				property("episode", "custom.width", 110),
			}},
		}},
	},
}

// contributions are the fields shap_<feature> without shap_base, for regular
// expressions that cannot say "not".
const contributions = "/^shap_([^b]|b[^a])/"

func value(title, about, field, unit string, l look) panel {
	l.overrides = append(l.overrides, shade)
	return panel{
		kind: "timeseries", title: title, about: about + " As the detector saw it, joined and as a rate. Red behind it: anomalous.", width: 8, height: 8, unit: unit,
		asks: []ask{
			{Series{From: scored, Field: field, Agg: "mean"}, field},
			{Series{From: judged, Field: "is_anomaly", Agg: "max"}, "anomalous"},
		}, look: l,
	}
}

// shade draws is_anomaly as red spans of the panel's whole height, on an axis that
// is not shown.
var shade = ofQuery("B",
	Property{"unit", "none"}, Property{"min", 0}, Property{"max", 1}, Property{"color", fixed("red")},
	Property{"custom.axisPlacement", "hidden"}, Property{"custom.lineInterpolation", "stepAfter"},
	Property{"custom.lineWidth", 0}, Property{"custom.fillOpacity", 20}, Property{"custom.showPoints", "never"},
	Property{"custom.hideFrom", map[string]bool{"legend": true, "tooltip": true, "viz": false}})

func fixed(color string) map[string]any {
	return map[string]any{"mode": "fixed", "fixedColor": color}
}

// anomalousSpan tells in all panels of a host what an anomaly was. Only Flux can
// group points by the episode, which is a field, and so give spans; the others
// mark each interval.
var anomalousSpan = note{
	name: "Anomalies", color: "red", text: "reason", tags: "episode",
	query: Text{
		InfluxQL: `SELECT first("reason") AS "reason", first("episode") AS "episode" FROM "ai_predictions" WHERE $timeFilter AND "host" =~ /^$host$/ AND "is_anomaly" = 1 GROUP BY time($__interval) fill(none)`,
		Flux: `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "ai_predictions" and (r._field == "reason" or r._field == "episode"))
  |> filter(fn: (r) => ` + hostCond[Flux] + `)
  |> ` + pivot + `
  |> group(columns: ["episode"])
  |> map(fn: (r) => ({episode: r.episode, reason: r.reason, from: int(v: r._time)}))
  |> reduce(identity: {time: 9223372036854775807, timeEnd: 0, text: ""}, fn: (r, accumulator) => ({
      time: if r.from < accumulator.time then r.from else accumulator.time,
      timeEnd: if r.from > accumulator.timeEnd then r.from else accumulator.timeEnd,
      text: if accumulator.text == "" then r.reason else accumulator.text}))
  |> map(fn: (r) => ({time: time(v: r.time), timeEnd: time(v: r.timeEnd), text: r.text, tags: r.episode}))
  |> group()`,
	},
}
