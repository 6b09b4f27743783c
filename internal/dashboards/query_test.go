package dashboards

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each kind of query, in both languages.
func TestQueries(t *testing.T) {
	some := From{Measurement: "m", Hosts: true}
	for _, c := range []struct {
		name           string
		q              Query
		influxQL, flux string
	}{
		{
			"series", Series{From: From{Measurement: "m"}, Field: "f", Agg: "max", By: []string{"host"}},
			`SELECT max("f") FROM "m" WHERE $timeFilter GROUP BY time($__interval), "host" fill(none)`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "f")
  |> group(columns: ["host"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, column: "_value", createEmpty: false)
  |> keep(columns: ["_time", "_value", "host"])`,
		},
		{
			"rate", Series{From: From{Measurement: "m"}, Field: "f", Agg: "max", Rate: true},
			`SELECT non_negative_derivative(max("f"), 1s) FROM "m" WHERE $timeFilter GROUP BY time($__interval) fill(none)`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "f")
  |> group(columns: [])
  |> aggregateWindow(every: v.windowPeriod, fn: max, column: "_value", createEmpty: false)
  |> derivative(unit: 1s, nonNegative: true)
  |> keep(columns: ["_time", "_value"])`,
		},
		{
			"fields by regular expression", Series{From: some, Field: "/^shap_/", Agg: "mean"},
			`SELECT mean(/^shap_/) FROM "m" WHERE $timeFilter AND "host" =~ /^$host$/ GROUP BY time($__interval) fill(none)`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field =~ /^shap_/)
  |> filter(fn: (r) => r["host"] =~ /^${host:regex}$/)
  |> group(columns: ["_field"])
  |> aggregateWindow(every: v.windowPeriod, fn: mean, column: "_value", createEmpty: false)
  |> keep(columns: ["_time", "_value", "_field"])`,
		},
		{
			"value over hosts, with conditions", Value{From{"m", false, []Cond{{"s", "=", "'ok'", false}, {"t", "!=", "''", true}}}, "f", "last", "sum"},
			`SELECT sum("each") FROM (SELECT last("f") AS "each" FROM "m" WHERE $timeFilter AND "s" = 'ok' AND "t" != '' GROUP BY "host") WHERE $timeFilter`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r["t"] != "")
  |> filter(fn: (r) => r._field == "f" or r._field == "s")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r["s"] == "ok")
  |> last(column: "f")
  |> group()
  |> sum(column: "f")`,
		},
		{
			"different values", Value{From{Measurement: "m"}, "f", "", "distinct"},
			`SELECT count(distinct("f")) FROM "m" WHERE $timeFilter`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "f")
  |> group()
  |> distinct(column: "_value")
  |> count()`,
		},
		{
			"a column of a table", PerHost{From{Measurement: "m"}, "f", "last", "newest"},
			`SELECT last("f") AS "newest" FROM "m" WHERE $timeFilter GROUP BY "host"`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "f")
  |> group(columns: ["host"])
  |> sort(columns: ["_time"])
  |> last(column: "_value")
  |> group()
  |> keep(columns: ["host", "_value"])
  |> rename(columns: {_value: "newest"})`,
		},
		{
			"newest rows", Newest{From{Measurement: "m"}, []string{"host", "f"}, []string{"host"}, 5},
			`SELECT "host", "f" FROM "m" WHERE $timeFilter ORDER BY time DESC LIMIT 5`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "f")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: 5)
  |> keep(columns: ["_time", "host", "f"])`,
		},
		{
			"ratio", Ratio{From{Measurement: "m"}, "a", "b", []string{"t"}},
			`SELECT max("ratio") FROM (SELECT "a" / "b" AS "ratio" FROM "m" WHERE $timeFilter) WHERE $timeFilter GROUP BY time($__interval), "t" fill(none)`,
			`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "m")
  |> filter(fn: (r) => r._field == "a" or r._field == "b")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({r with _value: r["a"] / r["b"]}))
  |> group(columns: ["t"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)
  |> keep(columns: ["_time", "_value", "t"])`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.influxQL, render(c.q, InfluxQL))
			require.Equal(t, c.flux, render(c.q, Flux))
		})
	}
}

func TestNamesOfLinesInFlux(t *testing.T) {
	for name, want := range map[string]string{
		"score": "score", "$tag_host": "${__field.labels.host}",
		"$tag_feature $tag_test": "${__field.labels.feature} ${__field.labels.test}", "$col": "${__field.labels._field}",
	} {
		require.Equal(t, want, ask{name: name}.fluxName())
	}
}
