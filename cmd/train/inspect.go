package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

type inspectCmd struct {
	storeFlag
	Name string `arg:"" optional:"" help:"Version, or its id. Default: the current one."`
}

// Run shows what a model is.
func (c *inspectCmd) Run(t *terminal) error {
	b, err := c.load(c.Name)
	if err != nil {
		return err
	}
	e := newExport(b)
	e.Forest.Trees = nil
	return t.result(e, func(w io.Writer) { inspect(w, b) })
}

func standardized(d *detect.Model) string {
	if d.Standard == nil {
		return ""
	}
	return ", standardized"
}

func inspect(w io.Writer, b *model.Bundle) {
	p, d, f := b.Provenance, b.Detector, b.Detector.Forest
	o := d.Options
	table(w,
		[]string{"model", b.ID()},
		[]string{"features", strings.Join(b.Schema.Names(), ", ") + " (schema " + p.SchemaHash + ")"},
		[]string{"interval, window", b.Schema.Interval.String() + ", " + b.Schema.Past().String()},
		[]string{"forest", fmt.Sprintf("%d trees, %d rows each, %d columns (%s per feature%s)", f.Trees(), f.SampleSize(), f.Columns(), d.Columns, standardized(d))},
		[]string{"threshold", fmt.Sprintf("%.6f (contamination %g, alarms per week %g)", d.Threshold, o.Contamination, o.AlarmsPerWeek)},
		[]string{"weights, bits", fmt.Sprintf("range %g, residual %g, relation %g, jump %g, flat %g", o.RangeWeight, o.ResidualWeight, o.RelationWeight, o.JumpWeight, o.FlatWeight)},
		[]string{"seed", strconv.FormatUint(o.Seed, 10)},
		[]string{"data", fmt.Sprintf("%s: %d rows of %d group(s), %s to %s", p.Source, p.Rows, p.Groups, p.From.Format(time.RFC3339), p.To.Format(time.RFC3339))},
		[]string{"left out", trainer.Counts(p.Dropped).String()},
		[]string{"data digest", p.DataDigest},
		[]string{"fitted by", fmt.Sprintf("%s (commit %s, %s)", p.Program, orNone(p.Commit), p.Go)},
		[]string{"probes", fmt.Sprintf("%d, reproduced", len(b.Probes))},
	)
	fmt.Fprintln(w)
	rows := [][]string{{"FEATURE", "RANGE LOW", "RANGE HIGH", "UNIT", "MEDIAN", "LONGEST STILL", "SEEN AS"}}
	for i, name := range d.Features {
		r := d.Range[i]
		rows = append(rows, []string{name, short(r.Low), short(r.High), short(r.Unit), short(d.Median[i]), short(d.Still[i]), d.Seen(i)})
	}
	table(w, rows...)
	if len(p.Metrics) > 0 {
		fmt.Fprintln(w)
		rows = [][]string{{"METRIC", "HELD OUT"}}
		for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
			rows = append(rows, []string{name, figure(p.Metrics[name])})
		}
		table(w, rows...)
	}
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

type diffCmd struct {
	storeFlag
	A string `arg:"" help:"Version, or its id."`
	B string `arg:"" help:"Version, or its id."`
}

// difference is one value that two models do not share.
type difference struct {
	Path string `json:"path"`
	A    any    `json:"a"`
	B    any    `json:"b"`
}

// Run compares two models, value by value.
func (c *diffCmd) Run(t *terminal) error {
	a, err := c.load(c.A)
	if err != nil {
		return err
	}
	b, err := c.load(c.B)
	if err != nil {
		return err
	}
	differences, err := diff(a, b)
	if err != nil {
		return err
	}
	return t.result(differences, func(w io.Writer) {
		rows := [][]string{{"VALUE", "A", "B"}}
		for _, d := range differences {
			rows = append(rows, []string{d.Path, cell(d.A), cell(d.B)})
		}
		table(w, rows...)
	})
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case float64:
		return short(v)
	}
	return fmt.Sprint(v)
}

// diff compares the models' JSON but for the trees and probes, which are digits
// without a meaning of their own.
func diff(a, b *model.Bundle) ([]difference, error) {
	x, err := leaves(a)
	if err != nil {
		return nil, err
	}
	y, err := leaves(b)
	if err != nil {
		return nil, err
	}
	differences := []difference{}
	paths := maps.Clone(x)
	maps.Copy(paths, y)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if !reflect.DeepEqual(x[path], y[path]) {
			differences = append(differences, difference{path, x[path], y[path]})
		}
	}
	return differences, nil
}

func leaves(b *model.Bundle) (map[string]any, error) {
	e := newExport(b)
	e.Forest.Trees, e.Probes = nil, nil
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	flat := map[string]any{}
	flatten(flat, "", tree)
	return flat, nil
}

func flatten(dst map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			flatten(dst, strings.TrimPrefix(path+"."+key, "."), child)
		}
	case []any:
		for i, child := range v {
			flatten(dst, path+"["+strconv.Itoa(i)+"]", child)
		}
	default:
		dst[path] = v
	}
}
