package quality

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/trainer"
)

// sampleSize is how many values of a feature its quartiles are taken from.
const sampleSize = 200_000

// observer remembers of the vectors what the checks ask for.
type observer struct {
	schema  *feature.Schema
	vectors int
	present []int       // per feature
	sample  [][]float64 // per feature, uniform (algorithm R)
	low     []extreme
	high    []extreme
	groups  map[string]*span
	random  *rand.Rand
	steps   map[int64]int // spacings in intervals, up to maxStep
	gaps    []gap
}

// maxStep bounds the table of spacings.
const maxStep = 1000

type extreme struct {
	value float64
	time  int64
	group string
}

type span struct{ first, last int64 }

type gap struct {
	group string
	at    int64
	steps int64
}

func newObserver(s *feature.Schema) *observer {
	n := len(s.Features)
	return &observer{
		schema: s, present: make([]int, n), sample: make([][]float64, n), low: make([]extreme, n), high: make([]extreme, n),
		groups: map[string]*span{}, random: rand.New(rand.NewPCG(1, 2)), steps: map[int64]int{},
	}
}

func (o *observer) take(v trainer.Sample) {
	o.vectors++
	for f, x := range v.Values {
		if !v.Missing[f] {
			o.value(f, x, v)
		}
	}
	g := o.groups[v.Group.Key]
	if g == nil {
		o.groups[v.Group.Key] = &span{v.Time, v.Time}
		return
	}
	step := (v.Time - g.last) / int64(o.schema.Interval)
	o.steps[min(step, maxStep)]++
	if step > 1 {
		o.gaps = append(o.gaps, gap{v.Group.Key, g.last, step})
		o.keepLargest()
	}
	g.last = v.Time
}

// keepLargest bounds the list of gaps; their number is in steps.
func (o *observer) keepLargest() {
	if len(o.gaps) < 1000 {
		return
	}
	slices.SortFunc(o.gaps, func(a, b gap) int { return int(b.steps - a.steps) })
	o.gaps = o.gaps[:maxExamples]
}

func (o *observer) value(f int, x float64, v trainer.Sample) {
	o.present[f]++
	if len(o.sample[f]) < sampleSize {
		o.sample[f] = append(o.sample[f], x)
	} else if i := o.random.IntN(o.present[f]); i < sampleSize {
		o.sample[f][i] = x
	}
	if o.present[f] == 1 || x < o.low[f].value {
		o.low[f] = extreme{x, v.Time, v.Group.Key}
	}
	if o.present[f] == 1 || x > o.high[f].value {
		o.high[f] = extreme{x, v.Time, v.Group.Key}
	}
}

func (o *observer) from() time.Time {
	first := int64(math.MaxInt64)
	for _, g := range o.groups {
		first = min(first, g.first)
	}
	return stamp(first)
}

func (o *observer) to() time.Time {
	last := int64(math.MinInt64)
	for _, g := range o.groups {
		last = max(last, g.last)
	}
	return stamp(last)
}

func stamp(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// ranges judges by the share of the sample that lies outside.
func (o *observer) ranges(features []feature.Feature) Check {
	c := Check{Name: "ranges", Counts: map[string]int{}}
	worst := 0.0
	for f := range features {
		limits := &features[f]
		n := 0
		for _, x := range o.sample[f] {
			if limits.Min != nil && x < *limits.Min || limits.Max != nil && x > *limits.Max {
				n++
			}
		}
		c.Counts[limits.Name] = n
		worst = math.Max(worst, share(n, len(o.sample[f])))
		if limits.Min != nil && o.present[f] > 0 && o.low[f].value < *limits.Min {
			c.Examples = append(c.Examples, o.low[f].describe(limits.Name, "below", *limits.Min))
			worst = math.Max(worst, math.SmallestNonzeroFloat64)
		}
		if limits.Max != nil && o.present[f] > 0 && o.high[f].value > *limits.Max {
			c.Examples = append(c.Examples, o.high[f].describe(limits.Name, "above", *limits.Max))
			worst = math.Max(worst, math.SmallestNonzeroFloat64)
		}
	}
	c.Status = above(worst, rangeWarn, rangeFail)
	c.Summary = fmt.Sprintf("at most %.2g %% of a feature's values are outside its valid range; they count as missing", 100*worst)
	if worst == 0 {
		c.Summary = "all values are inside their valid ranges"
	}
	return c.trim()
}

func (e extreme) describe(name, where string, limit float64) string {
	return fmt.Sprintf("%s %s = %g is %s %g (%s)", stamp(e.time).Format(time.RFC3339), name, e.value, where, limit, orAll(e.group))
}

func orAll(group string) string {
	if group == "" {
		return "the only group"
	}
	return group
}

func (o *observer) missing(names []string) Check {
	c := Check{Name: "missing", Counts: map[string]int{}}
	worst := 0.0
	for f, name := range names {
		c.Counts[name] = o.vectors - o.present[f]
		worst = math.Max(worst, share(o.vectors-o.present[f], o.vectors))
	}
	skipped := 0
	for step, n := range o.steps {
		skipped += max(0, int(step)-1) * n
	}
	c.Counts["rows"] = skipped
	slices.SortFunc(o.gaps, func(a, b gap) int { return int(b.steps - a.steps) })
	for _, g := range o.gaps {
		c.Examples = append(c.Examples, fmt.Sprintf("%s: nothing for %v from %s", orAll(g.group), time.Duration(g.steps)*o.schema.Interval, stamp(g.at).Format(time.RFC3339)))
	}
	lost := share(skipped, skipped+o.vectors)
	c.Status = worse(above(worst, missingWarn, missingFail), above(lost, gapWarn, gapFail))
	c.Summary = fmt.Sprintf("at most %.2g %% of a feature's values are missing; %d rows (%.2g %%) are absent in gaps", 100*worst, skipped, 100*lost)
	return c.trim()
}

// outliers counts values beyond Tukey's outer fences, three interquartile ranges
// from the quartiles. See Tukey, Exploratory Data Analysis (1977), 2D.
func (o *observer) outliers(names []string) Check {
	c := Check{Name: "outliers", Counts: map[string]int{}}
	worst := 0.0
	for f, name := range names {
		sorted := slices.Sorted(slices.Values(o.sample[f]))
		if len(sorted) == 0 {
			continue
		}
		q1, q3 := stat.Quantile(.25, stat.LinInterp, sorted, nil), stat.Quantile(.75, stat.LinInterp, sorted, nil)
		low, high := q1-3*(q3-q1), q3+3*(q3-q1)
		n := 0
		for _, x := range sorted {
			if x < low || x > high {
				n++
			}
		}
		c.Counts[name] = n
		worst = math.Max(worst, share(n, len(sorted)))
		if n > 0 {
			c.Examples = append(c.Examples, fmt.Sprintf("%s: %d of %d values outside %.4g … %.4g; extremes %.4g and %.4g", name, n, len(sorted), low, high, sorted[0], sorted[len(sorted)-1]))
		}
	}
	c.Status = above(worst, outlierWarn, outlierFail)
	c.Summary = fmt.Sprintf("at most %.2g %% of a feature's values are beyond three interquartile ranges", 100*worst)
	return c.trim()
}

func (o *observer) freshness(src *trainer.Source, now time.Time, maxAge time.Duration) Check {
	c := Check{Name: "freshness", Counts: map[string]int{}, Status: Pass}
	if src.CSV && !src.HasTime {
		c.Status, c.Summary = Warn, "there is no time column: age and regularity are unknown, and so is the past of a row"
		return c
	}
	total, regular := 0, o.steps[1]
	for _, n := range o.steps {
		total += n
	}
	c.Counts["steps"], c.Counts["regular"] = total, regular
	age, limit := now.Sub(o.to()).Round(time.Second), "any age will do"
	even := share(regular, total)
	switch {
	case even < regularFail:
		c.Status = Fail
	case even < regularWarn:
		c.Status = Warn
	}
	if maxAge > 0 {
		limit = fmt.Sprintf("at most %v will do", maxAge)
	}
	if maxAge > 0 && age > maxAge {
		c.Status = Fail
		c.Examples = append(c.Examples, fmt.Sprintf("the newest row is older than %v", maxAge))
	}
	if age < 0 {
		c.Status = worse(c.Status, Warn)
		c.Examples = append(c.Examples, "the newest row lies in the future")
	}
	c.Summary = fmt.Sprintf("the newest row is %s old, %s; %.4g %% of the steps are one interval of %v", days(age), limit, 100*even, o.schema.Interval)
	return c
}

// days is a time as people count it.
func days(age time.Duration) string {
	if age < 48*time.Hour {
		return age.String()
	}
	return fmt.Sprintf("%d days", int(age.Hours()/24))
}
