package dashboards

import (
	"fmt"
	"slices"
	"strings"
)

// Language is what an InfluxDB data source of Grafana speaks. One source speaks
// one language, so each dashboard exists once for each.
type Language string

// The languages.
const (
	InfluxQL Language = "influxql"
	Flux     Language = "flux"
)

// Languages lists them, the preferred one first.
func Languages() []Language { return []Language{InfluxQL, Flux} }

// A Query says what to ask, in no language.
type Query interface {
	influxQL() string
	flux() string
}

func render(q Query, l Language) string {
	if l == Flux {
		return q.flux()
	}
	return q.influxQL()
}

// Cond is a condition on a field or, with Tag, on a tag. Op is "=", "!=" or "=~".
type Cond struct {
	Key, Op string
	Value   string // number or regular expression as it is; text in single quotes
	Tag     bool
}

// From is where points come from: a measurement, of the hosts that the dashboard
// has selected if Hosts is set.
type From struct {
	Measurement string
	Hosts       bool
	Where       []Cond
}

// hostCond is how a dashboard's variable selects, in either language.
var hostCond = map[Language]string{
	InfluxQL: `"host" =~ /^$host$/`,
	Flux:     `r["host"] =~ /^${host:regex}$/`,
}

// influxQL is the condition behind WHERE.
func (f From) influxQL() string {
	parts := []string{"$timeFilter"}
	if f.Hosts {
		parts = append(parts, hostCond[InfluxQL])
	}
	for _, c := range f.Where {
		parts = append(parts, fmt.Sprintf("%q %s %s", c.Key, c.Op, c.Value))
	}
	return strings.Join(parts, " AND ")
}

// flux is a pipeline of the named fields, whose names may be one regular
// expression in slashes. Conditions on fields need points as rows, which shape
// tells.
func (f From) flux(fields ...string) (pipeline string, rows bool) {
	wanted := fields
	lines := []string{
		"from(bucket: v.defaultBucket)",
		"range(start: v.timeRangeStart, stop: v.timeRangeStop)",
		fmt.Sprintf("filter(fn: (r) => r._measurement == %q)", f.Measurement),
	}
	var onFields []string
	for _, c := range f.Where {
		test := fmt.Sprintf("r[%q] %s %s", c.Key, fluxOp(c.Op), strings.ReplaceAll(c.Value, "'", `"`))
		if c.Tag {
			lines = append(lines, "filter(fn: (r) => "+test+")")
			continue
		}
		if !slices.Contains(wanted, c.Key) {
			wanted = append(wanted, c.Key)
		}
		onFields = append(onFields, test)
	}
	lines = append(lines, "filter(fn: (r) => "+anyField(wanted)+")")
	if f.Hosts {
		lines = append(lines, "filter(fn: (r) => "+hostCond[Flux]+")")
	}
	if len(onFields) > 0 {
		lines = append(lines, pivot, "filter(fn: (r) => "+strings.Join(onFields, " and ")+")")
	}
	return strings.Join(lines, "\n  |> "), len(onFields) > 0
}

const pivot = `pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`

func fluxOp(op string) string {
	if op == "=" {
		return "=="
	}
	return op
}

func anyField(names []string) string {
	var tests []string
	for _, name := range names {
		if strings.HasPrefix(name, "/") {
			tests = append(tests, "r._field =~ "+name)
		} else {
			tests = append(tests, fmt.Sprintf("r._field == %q", name))
		}
	}
	return strings.Join(tests, " or ")
}

// quoted is a field in InfluxQL: regular expressions stand for themselves.
func quoted(field string) string {
	if strings.HasPrefix(field, "/") {
		return field
	}
	return fmt.Sprintf("%q", field)
}

func quotedAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, ", ")
}

// column of a pipeline that holds a field's values.
func column(field string, rows bool) string {
	if rows {
		return field
	}
	return "_value"
}
