package dashboards

// processors is what all of them say of themselves once a minute, self the one on
// the host that is selected.
var (
	processors = From{Measurement: "anomaly_processor"}
	self       = From{Measurement: "anomaly_processor", Hosts: true}
)

var health = board{
	name: "processor", title: "processor health", from: "now-1h", hosts: oneHost, hostsOf: "anomaly_processor",
	story: "Is the detector itself alive, fast and free of faults, here and on all hosts?",
	rows: [][]panel{
		{
			stat("State", "Degraded means that lines are passed on unscored.", Value{self, "state", "", "last"}, "string", look{mappings: stateMeaning, options: asText}),
			stat("Uptime", "Since Telegraf started the program. It falls to zero when the program had to be started again.", Value{self, "uptime_s", "", "last"}, "s", look{steps: steps("orange", 300.0, "green")}),
			stat("Hosts", "Groups of metrics that are joined and judged.", Value{self, "hosts", "", "last"}, "none", look{}),
			stat("Latency, 99 %", "How long 99 % of the metrics waited for the others of their interval, at most, since the start. It is bounded by max_hold.", Value{self, "latency_p99_ms", "", "last"}, "ms", look{decimals: digits(1), steps: steps("green", 500.0, "orange", 1000.0, "red")}),
			stat("Oldest model", "Time since the end of the data that the oldest serving model was fitted on. A host that learns gets a fresh one every day, if that is found to be better.", Value{self, "model_age_s", "", "last"}, "s", look{steps: steps("green", 259200.0, "orange", 604800.0, "red")}),
			stat("Errors", "Faults of the program since the start: internal faults, failed fits, log records that were dropped. All of them cost a score, none costs a metric.", faults, "none", look{steps: steps("green", 1.0, "red")}),
		},
		{
			chart("Lines", "Lines per second through the program.", "cps", line{"lines", "lines", true}),
			chart("Volume", "Bytes per second through the program.", "Bps", line{"bytes", "bytes", true}),
			chart("Vectors", "Vectors per second, and what became of them.", "cps",
				line{"vectors", "vectors", true}, line{"scored", "scored", true}, line{"learning", "learning", true}, line{"missing", "input missing", true}, line{"warming", "filling the window", true}),
		},
		{
			chart("Latency", "How long metrics waited for the others of their interval, since the start.", "ms",
				line{"latency_p50_ms", "half of them, at most", false}, line{"latency_p99_ms", "99 %, at most", false}),
			chart("Input that does not fit", "Per second: late, duplicate and invalid points, malformed and overlong lines. All are passed on, unscored.", "cps",
				line{"late", "late", true}, line{"duplicate", "duplicate", true}, line{"invalid", "invalid", true}, line{"errors_malformed", "malformed", true}, line{"errors_too_long", "too long", true}),
			chart("Hosts", "Groups that are known, and those that were forgotten since the start because there were too many or they fell silent.", "none",
				line{"hosts", "hosts", false}, line{"evicted", "forgotten", false}),
		},
		{
			chart("Anomalies", "Anomalous vectors per second, of all hosts.", "cps", line{"anomalies", "anomalies", true}),
			chart("Models", "Since the start: models that began to serve, and fits that failed.", "none",
				line{"promotions", "promoted", false}, line{"errors_fit", "failed fits", false}),
			chart("Faults", "Since the start: internal faults, and log records dropped because nobody read them.", "none",
				line{"errors_score", "while scoring", false}, line{"errors_fault", "elsewhere", false}, line{"log_dropped", "log records dropped", false}),
		},
		{{
			kind: "table", title: "All processors", width: 24, height: 8, unit: "none",
			about: "The newest report from each host, whichever is selected. The name selects it.",
			asks: []ask{
				{PerHost{processors, "state", "last", "state"}, ""},
				{PerHost{processors, "uptime_s", "last", "uptime"}, ""},
				{PerHost{processors, "hosts", "last", "hosts"}, ""},
				{PerHost{processors, "latency_p99_ms", "last", "latency, 99 %"}, ""},
				{PerHost{processors, "model_age_s", "last", "oldest model"}, ""},
			},
			look: look{transform: merge, overrides: []Override{
				property("host", "links", toBoard("processor", "Show this one", "${__value.text}")),
				property("state", "mappings", stateMeaning), property("uptime", "unit", "s"),
				property("latency, 99 %", "unit", "ms"), property("oldest model", "unit", "s"),
			}},
		}},
		{{
			kind: "table", title: "Newest reports", width: 24, height: 8, unit: "none",
			about: "What the program said of itself, as it came in.",
			asks:  []ask{{Newest{self, []string{"state", "uptime_s", "lines", "hosts", "scored", "anomalies", "latency_p99_ms"}, nil, 60}, ""}},
			look:  look{overrides: []Override{property("uptime_s", "unit", "s"), property("state", "mappings", stateMeaning)}},
		}},
	},
}

// faults adds up three counters.
var faults = Text{
	InfluxQL: `SELECT last("errors_fault") + last("errors_score") + last("log_dropped") FROM "anomaly_processor" WHERE $timeFilter AND ` + hostCond[InfluxQL],
	Flux: `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "anomaly_processor" and (r._field == "errors_fault" or r._field == "errors_score" or r._field == "log_dropped"))
  |> filter(fn: (r) => ` + hostCond[Flux] + `)
  |> last()
  |> group()
  |> sum()`,
}

// line of a chart: a field, its name, and whether it is a counter shown as a rate.
type line struct {
	field, name string
	rate        bool
}

func chart(title, about, unit string, lines ...line) panel {
	p := panel{kind: "timeseries", title: title, about: about, width: 8, height: 8, unit: unit, look: look{min: number(0), custom: map[string]any{"spanNulls": true}}}
	for _, l := range lines {
		p.asks = append(p.asks, ask{Series{From: self, Field: l.field, Agg: "max", Rate: l.rate}, l.name})
	}
	return p
}
