package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
)

// verdictWriter writes the engine's points as csv, lp or json. What differs from
// run to run, the latency, is left out.
type verdictWriter struct {
	out     *bufio.Writer
	format  string
	groupBy []string
	columns []string
	started bool
}

func newVerdictWriter(out *bufio.Writer, format string, groupBy, features []string) *verdictWriter {
	w := &verdictWriter{out: out, format: format, groupBy: groupBy}
	w.columns = []string{engine.FieldScore, engine.FieldIsAnomaly, engine.FieldThreshold, engine.FieldBase}
	for _, f := range features {
		w.columns = append(w.columns, engine.PrefixShap+f)
	}
	w.columns = append(w.columns, engine.FieldStatus)
	return w
}

func (w *verdictWriter) write(r *lp.Record) {
	switch w.format {
	case "lp":
		w.lp(r)
	case "json":
		w.json(r)
	default:
		w.csv(r)
	}
}

func (w *verdictWriter) lp(r *lp.Record) {
	kept := *r
	kept.Fields = nil
	for _, v := range r.Fields {
		if v.Key != engine.FieldLatency {
			kept.Fields = append(kept.Fields, v)
		}
	}
	_, _ = w.out.Write(lp.AppendRecord(nil, &kept)) // bufio keeps the error for Flush
}

func (w *verdictWriter) json(r *lp.Record) {
	object := map[string]any{"time": stamp(r.Time)}
	for _, t := range r.Tags {
		object[t[0]] = t[1]
	}
	for _, v := range r.Fields {
		if v.Key != engine.FieldLatency {
			object[v.Key] = v.Any()
		}
	}
	_ = json.NewEncoder(w.out).Encode(object)
}

func (w *verdictWriter) csv(r *lp.Record) {
	out := csv.NewWriter(w.out)
	if !w.started {
		w.started = true
		_ = out.Write(append([]string{"time", strings.Join(w.groupBy, "+")}, w.columns...))
	}
	fields := map[string]string{}
	for _, v := range r.Fields {
		fields[v.Key] = text(v.Any())
	}
	var group []string
	for _, t := range r.Tags {
		group = append(group, t[1])
	}
	row := []string{stamp(r.Time), strings.Join(group, "+")}
	for _, c := range w.columns {
		row = append(row, fields[c])
	}
	_ = out.Write(row)
	out.Flush()
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

func text(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
