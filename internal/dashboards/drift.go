package dashboards

var (
	tests = From{"anomaly_drift", true, []Cond{
		{Key: "test", Op: "!=", Value: "''", Tag: true},
		{Key: "feature", Op: "=~", Value: "/^${feature:regex}$/", Tag: true},
	}}
	decisions = From{"anomaly_drift", true, []Cond{{Key: "why", Op: "!=", Value: "''"}}}
)

var modelAndDrift = board{
	name: "model", title: "model and drift", from: "now-3h", hosts: manyHosts, feature: true,
	story: "Which model judges which host, does it still fit, and would another judge differently?",
	notes: []note{modelChange},
	rows: [][]panel{
		{
			wide(stat("Models", "Different models that served in this time.", Value{scored, "model", "", "distinct"}, "none", look{})),
			wide(stat("Decisions", "Models that were fitted, promoted, refused or rolled back in this time.", Value{decisions, "decision", "", "count"}, "none", look{noValue: "0"})),
			wide(stat("Drifted", "Drift tests that were above their threshold in this time.", Value{tests, "drifted", "", "sum"}, "none", look{steps: steps("green", 1.0, "orange"), noValue: "0"})),
			wide(stat("Disagreement", "Share of points on which the model beside the serving one says something else.", disagreement, "percentunit", look{decimals: digits(2), steps: steps("green", .05, "orange", .1, "red")})),
		},
		{
			{
				kind: "table", title: "Models by host", width: 10, height: 9, unit: "none",
				about: "Newest model and threshold of each host.",
				asks: []ask{
					{PerHost{scored, "model", "last", "model"}, ""},
					{PerHost{scored, "threshold", "last", "threshold"}, ""},
					{PerHost{scored, "anomaly_score", "count", "points"}, ""},
				},
				look: look{decimals: digits(4), transform: merge, overrides: []Override{
					property("host", "links", toHost("Show the host", "${__value.text}")), property("points", "decimals", 0),
				}},
			},
			{
				kind: "table", title: "Decisions", width: 14, height: 9, unit: "none",
				about: "What happened to the models, and why.",
				asks:  []ask{{Newest{decisions, []string{"host", "decision", "why"}, []string{"host"}, 100}, ""}},
				look:  look{noValue: "nothing was decided in this time", overrides: []Override{property("why", "custom.width", 480)}},
			},
		},
		{
			{
				kind: "timeseries", title: "Thresholds", width: 12, height: 8, unit: "none",
				about: "A step is another model. Between steps a threshold follows the scores, to keep false alarms within their budget.",
				asks:  []ask{{Series{From: scored, Field: "threshold", Agg: "mean", By: []string{"host"}}, "$tag_host"}},
				look:  look{min: number(0), max: number(1), decimals: digits(3)},
			},
			{
				kind: "histogram", title: "Distribution of scores", width: 12, height: 8, unit: "none",
				about: "Mean scores per interval of all hosts. A model that fits has one hill with a thin tail to the right.",
				asks:  []ask{{Series{From: scored, Field: "anomaly_score", Agg: "mean", By: []string{"host"}}, "$tag_host"}},
				look:  look{},
			},
		},
		{
			{
				kind: "timeseries", title: "Drift tests against their thresholds", width: 12, height: 9, unit: "percentunit",
				about: "Statistic over threshold, the highest of the hosts: above 100 % a feature, or the score, moved away from what the model was fitted on. All tests measure the same effect, half a standard deviation.",
				asks:  []ask{{Ratio{tests, "statistic", "threshold", []string{"feature", "test"}}, "$tag_feature $tag_test"}},
				look:  look{min: number(0), steps: steps("green", 1.0, "red"), custom: map[string]any{"drawStyle": "points", "pointSize": 7, "showPoints": "always", "thresholdsStyle": map[string]any{"mode": "line"}}},
			},
			{
				kind: "table", title: "Newest drift tests", width: 12, height: 9, unit: "none",
				about: "As they came in; the tests are asked once an hour.",
				asks:  []ask{{Newest{tests, []string{"host", "feature", "test", "statistic", "threshold", "drifted"}, []string{"host", "feature", "test"}, 200}, ""}},
				look: look{decimals: digits(3), overrides: []Override{
					property("drifted", "mappings", []Mapping{{Type: "value", Options: map[string]Meaning{"0": {"no", "green", 0}, "1": {"drifted", "red", 1}}}}),
					property("drifted", "custom.cellOptions", map[string]any{"type": "color-text"}),
				}},
			},
		},
		{
			{
				kind: "timeseries", title: "Champion and challenger", width: 16, height: 8, unit: "none",
				about: "Mean scores of the serving model and of the one beside it: the predecessor in the first hour, a challenger in its probation, or one that is only compared.",
				asks: []ask{
					{Series{From: compared, Field: "anomaly_score", Agg: "mean"}, "champion"},
					{Series{From: compared, Field: "challenger_score", Agg: "mean"}, "challenger"},
				},
				look: look{min: number(0), max: number(1), decimals: digits(3)},
			},
			{
				kind: "timeseries", title: "Learning", width: 8, height: 8, unit: "percentunit",
				about: "How much of what its first model needs a host has seen. Hosts with a model are not shown.",
				asks:  []ask{{Series{From: scored, Field: "progress", Agg: "max", By: []string{"host"}}, "$tag_host"}},
				look:  look{min: number(0), max: number(1), noValue: "every host has a model"},
			},
		},
	},
}

func wide(p panel) panel {
	p.width = 6
	return p
}

// compared are points that two models have judged.
var compared = From{"ai_predictions", true, []Cond{{Key: "challenger_score", Op: ">=", Value: "0"}}}

var disagreement = Text{
	InfluxQL: `SELECT mean("differs") FROM (SELECT abs("is_anomaly" - "challenger_is_anomaly") AS "differs" FROM "ai_predictions" WHERE $timeFilter AND "host" =~ /^$host$/) WHERE $timeFilter`,
	Flux: `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "ai_predictions" and (r._field == "is_anomaly" or r._field == "challenger_is_anomaly"))
  |> filter(fn: (r) => ` + hostCond[Flux] + `)
  |> ` + pivot + `
  |> filter(fn: (r) => exists r.challenger_is_anomaly)
  |> map(fn: (r) => ({_value: if r.is_anomaly == r.challenger_is_anomaly then 0.0 else 1.0}))
  |> group()
  |> mean()`,
}
