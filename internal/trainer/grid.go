package trainer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// A Point is one choice of parameters.
type Point struct {
	Options detect.Options
	Window  time.Duration
}

// An Axis is a parameter that a search varies.
type Axis struct {
	Name string
	set  []func(*Point)
}

// DefaultAxis varies what matters most: how much is called strange. The options'
// own contamination comes first, so that a search is never worse than none.
func DefaultAxis(o detect.Options) string {
	axis := fmt.Sprintf("contamination=%g", o.Contamination)
	for _, c := range []float64{0.01, 0.05, 0.1} {
		if c != o.Contamination {
			axis += fmt.Sprintf(",%g", c)
		}
	}
	return axis
}

// ParseAxis reads an axis like "trees=50,100". Names are contamination, trees,
// sample_size, window and range_weight.
func ParseAxis(text string) (a Axis, err error) {
	name, list, ok := strings.Cut(text, "=")
	if !ok {
		return a, fmt.Errorf("grid %q: want name=value,value", text)
	}
	a.Name = name
	for _, value := range strings.Split(list, ",") {
		set, err := setter(name, strings.TrimSpace(value))
		if err != nil {
			return a, fmt.Errorf("grid %q: %w", text, err)
		}
		a.set = append(a.set, set)
	}
	return a, nil
}

func setter(name, value string) (func(*Point), error) {
	whole, notWhole := strconv.Atoi(value)
	x, notNumber := strconv.ParseFloat(value, 64)
	d, notDuration := time.ParseDuration(value)
	switch name {
	case "contamination":
		return func(p *Point) { p.Options.Contamination = x }, notNumber
	case "trees":
		return func(p *Point) { p.Options.Trees = whole }, notWhole
	case "sample_size":
		return func(p *Point) { p.Options.SampleSize = whole }, notWhole
	case "window":
		return func(p *Point) { p.Window = d }, notDuration
	case "range_weight":
		return func(p *Point) { p.Options.RangeWeight = x }, notNumber
	}
	return nil, fmt.Errorf("no parameter %q; there are contamination, trees, sample_size, window and range_weight", name)
}

// Points are all combinations, the last axis varying fastest.
func Points(start Point, axes []Axis) []Point {
	points := []Point{start}
	for _, a := range axes {
		var next []Point
		for _, p := range points {
			for _, set := range a.set {
				q := p
				set(&q)
				next = append(next, q)
			}
		}
		points = next
	}
	return points
}

// Params are the point's parameters by name.
func (p Point) Params() map[string]string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	params := map[string]string{
		"trees": strconv.Itoa(p.Options.Trees), "sample_size": strconv.Itoa(p.Options.SampleSize),
		"contamination": number(p.Options.Contamination), "window": p.Window.String(), "seed": strconv.FormatUint(p.Options.Seed, 10),
		"range_weight": number(p.Options.RangeWeight), "residual_weight": number(p.Options.ResidualWeight),
		"relation_weight": number(p.Options.RelationWeight), "jump_weight": number(p.Options.JumpWeight),
		"flat_weight": number(p.Options.FlatWeight),
	}
	if p.Options.Standardize {
		params["standardize"] = "true"
	}
	if p.Options.AlarmsPerWeek > 0 {
		params["alarms_per_week"] = number(p.Options.AlarmsPerWeek)
	}
	return params
}

// A Trial is a point with what it did on the validation part.
type Trial struct {
	Point
	Measurement
	Err error
}

// A Search chooses among points.
type Search struct {
	Trials  []Trial
	Best    int
	Planted bool    // the incidents are not real: there were no labels
	Budget  float64 // false alarms per host and day that a choice may cost
}

// Grid fits every point on the training part and judges it on the validation
// part, by its labels or, without any, by planted incidents. sets gives the
// training set for a window, and done is told of each trial, in any order.
func Grid(ctx context.Context, points []Point, sets func(time.Duration) (*Set, error), t *Table, split Split, budget float64, done func(Trial)) (*Search, error) {
	validation, planted, err := validation(t, split, points[0].Options.Seed)
	if err != nil {
		return nil, err
	}
	byWindow := map[time.Duration]*Set{}
	for _, p := range points {
		if byWindow[p.Window] != nil {
			continue
		}
		set, err := sets(p.Window)
		if err != nil {
			return nil, err
		}
		if byWindow[p.Window], err = set.Before(split.Validation); err != nil {
			return nil, err
		}
	}
	s := &Search{Trials: make([]Trial, len(points)), Planted: planted, Budget: budget}
	err = parallel(len(points), runtime.NumCPU(), func(i int) error {
		s.Trials[i] = try(ctx, points[i], byWindow[points[i].Window], validation, split)
		done(s.Trials[i])
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	s.Best = best(s.Trials, budget)
	return s, s.Trials[s.Best].Err
}

func try(ctx context.Context, p Point, part *Set, validation *Table, split Split) Trial {
	trial := Trial{Point: p}
	b, err := Fit(part, p.Options, emptyProvenance)
	if err != nil {
		trial.Err = err
		return trial
	}
	j, err := JudgeTable(ctx, withSchema(validation, part.Schema), b, split.Validation, 1)
	if err != nil {
		trial.Err = err
		return trial
	}
	trial.Measurement = Measure(j, part.Schema.Names())
	return trial
}

func withSchema(t *Table, s feature.Schema) *Table {
	c := *t
	c.Schema = s
	return &c
}

// best prefers what keeps to the budget of false alarms, or comes nearest; within
// it more incidents found; then a better ranking, fewer false alarms, and the
// earlier point. A trial that failed is worst.
func best(trials []Trial, budget float64) int {
	order := make([]int, len(trials))
	for i := range order {
		order[i] = i
	}
	defined := func(x float64) float64 {
		if math.IsNaN(x) {
			return 0
		}
		return x
	}
	found := func(t *Trial) float64 { // what costs too much is not bought for what it brings
		if t.FalseAlarmsPerDay > budget {
			return 0
		}
		return defined(t.EventRecall)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &trials[a], &trials[b]
		return cmp.Or(
			cmp.Compare(btoi(x.Err != nil), btoi(y.Err != nil)),
			cmp.Compare(math.Max(x.FalseAlarmsPerDay, budget), math.Max(y.FalseAlarmsPerDay, budget)),
			cmp.Compare(found(y), found(x)),
			cmp.Compare(defined(y.AveragePrecision), defined(x.AveragePrecision)),
			cmp.Compare(x.FalseAlarmsPerDay, y.FalseAlarmsPerDay),
		)
	})
	return order[0]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
