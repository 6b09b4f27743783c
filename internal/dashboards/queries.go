package dashboards

import (
	"fmt"
	"slices"
	"strings"
)

// Series is a field over time, one line for each value of the By tags.
type Series struct {
	From
	Field string // a name, or a regular expression in slashes
	Agg   string // max, mean, sum, …
	By    []string
	Rate  bool // growth per second of a counter
	Gaps  bool // intervals without a point are shown as such
}

func (q Series) influxQL() string {
	value := fmt.Sprintf("%s(%s)", q.Agg, quoted(q.Field))
	if q.Rate {
		value = "non_negative_derivative(" + value + ", 1s)"
	}
	fill := "none"
	if q.Gaps {
		fill = "null"
	}
	return fmt.Sprintf("SELECT %s FROM %q WHERE %s GROUP BY %s fill(%s)",
		value, q.Measurement, q.From.influxQL(), strings.Join(append([]string{"time($__interval)"}, quotedEach(q.By)...), ", "), fill)
}

func (q Series) flux() string {
	text, rows := q.From.flux(q.Field)
	by := q.By
	if strings.HasPrefix(q.Field, "/") {
		by = append([]string{"_field"}, by...)
	}
	text += fmt.Sprintf("\n  |> group(columns: [%s])", quotedAll(by))
	text += fmt.Sprintf("\n  |> aggregateWindow(every: v.windowPeriod, fn: %s, column: %q, createEmpty: %t)", q.Agg, column(q.Field, rows), q.Gaps)
	if q.Rate {
		text += "\n  |> derivative(unit: 1s, nonNegative: true)"
	}
	return text + only(column(q.Field, rows), by)
}

// only leaves nothing beside time, value and labels that a panel could show.
func only(value string, labels []string) string {
	return fmt.Sprintf("\n  |> keep(columns: [%s])", quotedAll(append([]string{"_time", value}, labels...)))
}

func quotedEach(names []string) (quoted []string) {
	for _, name := range names {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return quoted
}

// Ratio is one field divided by another over time, at its largest.
type Ratio struct {
	From
	Over, Under string
	By          []string
}

func (q Ratio) influxQL() string {
	return fmt.Sprintf("SELECT max(\"ratio\") FROM (SELECT %q / %q AS \"ratio\" FROM %q WHERE %s) WHERE $timeFilter GROUP BY %s fill(none)",
		q.Over, q.Under, q.Measurement, q.From.influxQL(), strings.Join(append([]string{"time($__interval)"}, quotedEach(q.By)...), ", "))
}

func (q Ratio) flux() string {
	text, rows := q.From.flux(q.Over, q.Under)
	if !rows {
		text += "\n  |> " + pivot
	}
	return text + fmt.Sprintf("\n  |> map(fn: (r) => ({r with _value: r[%q] / r[%q]}))\n  |> group(columns: [%s])\n  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)",
		q.Over, q.Under, quotedAll(q.By)) + only("_value", q.By)
}

// Value is one number: Total of what Each is for every host. Without Each it is
// Total of all points.
type Value struct {
	From
	Field string
	Each  string
	Total string // "distinct" counts different values
}

func (q Value) influxQL() string {
	total := q.Total + "(%s)"
	if q.Total == "distinct" {
		total = "count(distinct(%s))"
	}
	if q.Each == "" {
		return fmt.Sprintf("SELECT "+total+" FROM %q WHERE %s", quoted(q.Field), q.Measurement, q.From.influxQL())
	}
	return fmt.Sprintf("SELECT "+total+" FROM (SELECT %s(%q) AS \"each\" FROM %q WHERE %s GROUP BY \"host\") WHERE $timeFilter",
		`"each"`, q.Each, q.Field, q.Measurement, q.From.influxQL())
}

func (q Value) flux() string {
	text, rows := q.From.flux(q.Field)
	at := fmt.Sprintf("column: %q", column(q.Field, rows))
	if q.Each != "" {
		text += fmt.Sprintf("\n  |> %s(%s)", q.Each, at)
	}
	text += "\n  |> group()"
	if q.Total == "last" {
		text += "\n  |> sort(columns: [\"_time\"])"
	}
	if q.Total == "distinct" {
		return text + fmt.Sprintf("\n  |> distinct(%s)\n  |> count()", at)
	}
	text += fmt.Sprintf("\n  |> %s(%s)", q.Total, at)
	if q.Total == "last" {
		text += only(column(q.Field, rows), nil)
	}
	return text
}

// PerHost is one value for each host, a column of a table. Tables are merged from
// several of them.
type PerHost struct {
	From
	Field, Agg, As string
}

func (q PerHost) influxQL() string {
	return fmt.Sprintf("SELECT %s(%q) AS %q FROM %q WHERE %s GROUP BY \"host\"", q.Agg, q.Field, q.As, q.Measurement, q.From.influxQL())
}

func (q PerHost) flux() string {
	text, rows := q.From.flux(q.Field)
	c := column(q.Field, rows)
	return text + fmt.Sprintf("\n  |> group(columns: [\"host\"])\n  |> sort(columns: [\"_time\"])\n  |> %s(column: %q)\n  |> group()\n  |> keep(columns: [\"host\", %q])\n  |> rename(columns: {%s: %q})", q.Agg, c, c, c, q.As)
}

// Newest are the newest points, as rows of a table.
type Newest struct {
	From
	Columns []string // fields and tags
	Tags    []string // those of the columns that are tags
	Limit   int
}

func (q Newest) influxQL() string {
	return fmt.Sprintf("SELECT %s FROM %q WHERE %s ORDER BY time DESC LIMIT %d", quotedAll(q.Columns), q.Measurement, q.From.influxQL(), q.Limit)
}

func (q Newest) flux() string {
	var fields []string
	for _, c := range q.Columns {
		if !slices.Contains(q.Tags, c) {
			fields = append(fields, c)
		}
	}
	text, rows := q.From.flux(fields...)
	if !rows {
		text += "\n  |> " + pivot
	}
	return text + fmt.Sprintf("\n  |> group()\n  |> sort(columns: [\"_time\"], desc: true)\n  |> limit(n: %d)\n  |> keep(columns: [%s])", q.Limit, quotedAll(append([]string{"_time"}, q.Columns...)))
}

// Text is a query that only the named words say; both languages are written out.
type Text struct{ InfluxQL, Flux string }

func (q Text) influxQL() string { return q.InfluxQL }
func (q Text) flux() string     { return q.Flux }
