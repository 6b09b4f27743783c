package influx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
)

// A Request says what history is wanted.
type Request struct {
	Features []feature.Feature
	Extra    []string // measurements to copy whole, such as ai_predictions
	From, To time.Time
	Every    time.Duration // average gauges over, and take the last of counters in; 0: raw
}

// source is a measurement with what is wanted of it.
type source struct {
	name   string
	fields map[string]string   // name -> kind
	tags   []map[string]string // per feature
}

// sources merges the features of a measurement.
func (r *Request) sources() []source {
	var list []source
	for _, f := range r.Features {
		i := slices.IndexFunc(list, func(s source) bool { return s.name == f.Measurement })
		if i < 0 {
			i = len(list)
			list = append(list, source{name: f.Measurement, fields: map[string]string{}})
		}
		for _, field := range f.Fields {
			list[i].fields[field] = f.Kind
		}
		list[i].tags = append(list[i].tags, f.Tags)
	}
	for _, name := range r.Extra {
		list = append(list, source{name: name})
	}
	return list
}

// common are the tags that all features of the source ask for.
func (s *source) common() map[string]string {
	common := map[string]string{}
	for key, value := range first(s.tags) {
		if !slices.ContainsFunc(s.tags, func(t map[string]string) bool { return t[key] != value }) {
			common[key] = value
		}
	}
	return common
}

func first(tags []map[string]string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	return tags[0]
}

// influxQL is the query for a stretch of time.
func (s *source) influxQL(from, to time.Time, every time.Duration) string {
	var columns []string
	for _, field := range slices.Sorted(maps.Keys(s.fields)) {
		name := identifier(field)
		switch {
		case every == 0:
			columns = append(columns, name)
		case s.fields[field] == feature.Counter:
			columns = append(columns, fmt.Sprintf("LAST(%s) AS %s", name, name))
		default:
			columns = append(columns, fmt.Sprintf("MEAN(%s) AS %s", name, name))
		}
	}
	group := "*"
	if every > 0 && s.fields != nil {
		group = fmt.Sprintf("time(%dns), *", every.Nanoseconds())
	}
	if s.fields == nil {
		columns = []string{"*"}
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE time >= %d AND time < %d", strings.Join(columns, ", "), identifier(s.name), from.UnixNano(), to.UnixNano())
	for _, key := range slices.Sorted(maps.Keys(s.common())) {
		query += fmt.Sprintf(" AND %s = %s", identifier(key), literal(s.common()[key]))
	}
	query += " GROUP BY " + group
	if every > 0 && s.fields != nil {
		query += " fill(none)"
	}
	return query
}

// flux is the query for a stretch of time; with averaging it takes one for gauges
// and one for counters. There the stretch ends a nanosecond early: the Flux of 1.8
// would put a point at its very end into a bucket at its begin.
func (s *source) flux(bucket string, from, to time.Time, every time.Duration) []string {
	if every > 0 && s.fields != nil {
		to = to.Add(-1)
	}
	base := fmt.Sprintf("from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %s",
		fluxText(bucket), from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano), fluxText(s.name))
	for _, key := range slices.Sorted(maps.Keys(s.common())) {
		base += fmt.Sprintf(" and r[%s] == %s", fluxText(key), fluxText(s.common()[key]))
	}
	if s.fields == nil {
		return []string{base + ")"}
	}
	if every == 0 {
		return []string{base + " and (" + s.anyOf("") + "))"}
	}
	var queries []string
	for kind, function := range map[string]string{feature.Gauge: "mean", feature.Counter: "last"} {
		if fields := s.anyOf(kind); fields != "" {
			queries = append(queries, fmt.Sprintf(`%s and (%s)) |> aggregateWindow(every: %dns, fn: %s, createEmpty: false, timeSrc: "_start")`, base, fields, every.Nanoseconds(), function))
		}
	}
	return queries
}

func (s *source) anyOf(kind string) string {
	var terms []string
	for _, field := range slices.Sorted(maps.Keys(s.fields)) {
		if kind == "" || s.fields[field] == kind {
			terms = append(terms, "r._field == "+fluxText(field))
		}
	}
	return strings.Join(terms, " or ")
}
