// Package quality says whether stored metrics are fit to learn from: six checks,
// each with counts, examples and a verdict.
package quality

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/trainer"
)

// Status is the verdict of a check.
type Status string

// Verdicts, in the order of their weight.
const (
	Pass Status = "pass"
	Warn Status = "warn"
	Fail Status = "fail"
)

// A Check is one question to the data.
type Check struct {
	Name     string         `json:"name"`
	Status   Status         `json:"status"`
	Summary  string         `json:"summary"`
	Counts   map[string]int `json:"counts"`
	Examples []string       `json:"examples,omitempty"`
}

// A Report is what the checks found.
type Report struct {
	Vectors  int           `json:"vectors"`
	Groups   int           `json:"groups"`
	From     time.Time     `json:"from,omitzero"`
	To       time.Time     `json:"to,omitzero"`
	Interval time.Duration `json:"interval"`
	Status   Status        `json:"status"`
	Checks   []Check       `json:"checks"`
}

// Limits are what the checks tolerate, as shares unless said otherwise.
const (
	missingWarn, missingFail     = 0.01, 0.20
	gapWarn, gapFail             = 0.01, 0.20 // of the time
	duplicateWarn, duplicateFail = 0.0, 0.10
	outlierWarn, outlierFail     = 0.01, 0.10 // beyond 3 interquartile ranges
	rangeWarn, rangeFail         = 0.0, 0.01
	regularWarn, regularFail     = 0.99, 0.80
	typeWarn, typeFail           = 0.0, 0.01
)

// maxExamples per check.
const maxExamples = 5

// Inspect runs all checks. absent are features that the record has no column
// for. maxAge is how old the newest row may be at now; 0 for any age.
func Inspect(ctx context.Context, src *trainer.Source, s feature.Schema, absent []string, now time.Time, maxAge time.Duration) (*Report, error) {
	types := &typeCount{features: s.Features}
	if !src.CSV {
		if err := src.Read(types); err != nil {
			return nil, err
		}
	}
	bare := open(s)
	o := newObserver(&bare)
	dropped, err := trainer.Walk(ctx, src, &bare, o.take)
	if err != nil {
		return nil, err
	}
	r := &Report{Vectors: o.vectors, Groups: len(o.groups), Interval: s.Interval, From: o.from(), To: o.to()}
	r.Checks = []Check{
		schemaCheck(src, o, types, absent, s.Names()), o.ranges(s.Features), o.missing(s.Names()), duplicates(src, dropped, o.vectors),
		o.outliers(s.Names()), o.freshness(src, now, maxAge),
	}
	r.Status = Pass
	for _, c := range r.Checks {
		r.Status = worse(r.Status, c.Status)
	}
	return r, nil
}

// open is the schema without the limits that would turn bad values into missing
// ones, and without a past.
func open(s feature.Schema) feature.Schema {
	s.Features = slices.Clone(s.Features)
	for i := range s.Features {
		s.Features[i].Min, s.Features[i].Max = nil, nil
	}
	s.Window, s.Missing = 0, feature.Skip
	return s
}

func worse(a, b Status) Status {
	order := []Status{Pass, Warn, Fail}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// above judges a share that should be small.
func above(share, warn, fail float64) Status {
	switch {
	case share > fail:
		return Fail
	case share > warn:
		return Warn
	}
	return Pass
}

func share(n, of int) float64 { return float64(n) / float64(max(1, of)) }

// typeCount is a history.Sink that looks for fields that are not numbers.
type typeCount struct {
	features []feature.Feature
	fields   int
	wrong    map[string]int
}

// Point implements history.Sink.
func (t *typeCount) Point(p *lp.Point) error {
	for i := range t.features {
		if t.features[i].Measurement != string(p.Name) {
			continue
		}
		for _, f := range p.Fields {
			if slices.Contains(t.features[i].Fields, string(f.Key)) {
				t.count(p, &f)
			}
		}
	}
	return nil
}

func (t *typeCount) count(p *lp.Point, f *lp.Field) {
	t.fields++
	if !f.Numeric {
		if t.wrong == nil {
			t.wrong = map[string]int{}
		}
		t.wrong[string(p.Name)+"."+string(f.Key)]++
	}
}

// Row implements history.Sink: the reader of tables takes numbers only.
func (t *typeCount) Row(history.Row) error { return nil }

func schemaCheck(src *trainer.Source, o *observer, types *typeCount, absent, features []string) Check {
	c := Check{Name: "schema", Counts: map[string]int{"features": len(features) + len(absent), "absent": len(absent), "unreadable": src.Report.Bad}}
	for _, name := range absent {
		c.Examples = append(c.Examples, fmt.Sprintf("there is no numeric column %q", name))
	}
	for f, name := range features {
		if o.present[f] == 0 {
			c.Counts["absent"]++
			c.Examples = append(c.Examples, fmt.Sprintf("feature %q never has a value", name))
		}
	}
	for field, n := range types.wrong {
		c.Counts["not a number"] += n
		c.Examples = append(c.Examples, fmt.Sprintf("%s is not a number in %d points", field, n))
	}
	for _, p := range src.Report.Problems {
		c.Examples = append(c.Examples, p.String())
	}
	slices.Sort(c.Examples)
	bad := c.Counts["not a number"] + src.Report.Bad
	c.Status = above(share(bad, bad+max(types.fields, src.Report.Rows)), typeWarn, typeFail)
	if c.Counts["absent"] > 0 {
		c.Status = Fail
	}
	c.Summary = fmt.Sprintf("%d of %d features are there; %d rows unreadable, %d values of a wrong type",
		c.Counts["features"]-c.Counts["absent"], c.Counts["features"], src.Report.Bad, c.Counts["not a number"])
	return c.trim()
}

func duplicates(src *trainer.Source, dropped trainer.Counts, vectors int) Check {
	c := Check{Name: "duplicates", Counts: map[string]int{"duplicate": dropped["duplicate"], "late": dropped["late"]}}
	n := dropped["duplicate"] + dropped["late"]
	c.Status = above(share(n, n+max(vectors, src.Report.Rows)), duplicateWarn, duplicateFail)
	c.Summary = fmt.Sprintf("%d rows repeat a moment, %d come after a newer one; all are dropped", dropped["duplicate"], dropped["late"])
	return c
}

func (c Check) trim() Check {
	if more := len(c.Examples) - maxExamples; more > 0 {
		c.Examples = append(c.Examples[:maxExamples:maxExamples], fmt.Sprintf("and %d more", more))
	}
	return c
}

// String gives the report as text.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d vectors of %d group(s), %s to %s, every %v\n", r.Vectors, r.Groups, r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), r.Interval)
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-4s  %-10s  %s\n", strings.ToUpper(string(c.Status)), c.Name, c.Summary)
		for _, e := range c.Examples {
			fmt.Fprintf(&b, "                  %s\n", e)
		}
	}
	return b.String()
}
