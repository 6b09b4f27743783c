package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// feature is a column of a record with what is ordinary in it.
type feature struct {
	Column
	column      int
	values      []float64
	median, low float64 // low: the 1 % quantile
	dev         float64 // 1.4826·MAD or, where half the values are equal, the standard deviation
	related     bool    // to another column
}

const minCorrelation = .5

func profile(rows [][]float64, columns []Column) ([]*feature, error) {
	var features []*feature
	for i, c := range columns {
		f := &feature{Column: c, column: i}
		for r, row := range rows {
			if len(row) != len(columns) {
				return nil, fmt.Errorf("sim: plant: row %d has %d values, want %d", r, len(row), len(columns))
			}
			f.values = append(f.values, row[i])
		}
		if f.measure(); f.dev > 0 {
			features = append(features, f)
		}
	}
	if len(features) == 0 {
		return nil, errors.New("sim: plant: no column ever changes")
	}
	relate(features)
	return features, nil
}

func (f *feature) measure() {
	sorted := known(f.values)
	if len(sorted) == 0 {
		return
	}
	slices.Sort(sorted)
	f.median = stat.Quantile(.5, stat.Empirical, sorted, nil)
	f.low = stat.Quantile(.01, stat.Empirical, sorted, nil)
	away := make([]float64, len(sorted))
	for i, v := range sorted {
		away[i] = math.Abs(v - f.median)
	}
	slices.Sort(away)
	f.dev = 1.4826 * stat.Quantile(.5, stat.Empirical, away, nil)
	if f.dev == 0 && sorted[0] < sorted[len(sorted)-1] {
		f.dev = stat.StdDev(sorted, nil)
	}
}

func relate(features []*feature) {
	for i, a := range features {
		for _, b := range features[:i] {
			if math.Abs(correlation(a.values, b.values)) >= minCorrelation {
				a.related, b.related = true, true
			}
		}
	}
}

// correlation leaves out rows where either value is missing.
func correlation(a, b []float64) float64 {
	var x, y []float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	return stat.Correlation(x, y, nil)
}

func (f *feature) clip(v float64) float64 {
	if f.Min == f.Max {
		return v
	}
	return max(f.Min, min(f.Max, v)) // keeps NaN
}

// An incident shows where it makes a difference.

// always wants most of the values to be there.
func always(_ *feature, span []float64) bool { return 2*len(known(span)) >= len(span) }

func farFromMedian(f *feature, span []float64) bool {
	away := known(span)
	for i, v := range away {
		away[i] = math.Abs(v - f.median)
	}
	return always(f, span) && mean(away) > .7*f.dev
}

func aboveLow(f *feature, span []float64) bool {
	return always(f, span) && mean(span)-f.low > .7*f.dev
}

// moves wants a change at every other row at least.
func moves(f *feature, span []float64) bool {
	changes, there := 0, known(span)
	for i := 1; i < len(there); i++ {
		changes += count(there[i] != there[i-1])
	}
	return always(f, span) && 2*changes >= len(there)-1
}

func mean(span []float64) float64 { return stat.Mean(known(span), nil) }

func known(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}

func shift(least, most float64) func(*planter, *feature, []float64) {
	return func(p *planter, f *feature, span []float64) {
		size := between(p.random, least, most)
		for i := range span {
			span[i] += float64(size * f.dev)
		}
	}
}

func ramp(p *planter, f *feature, span []float64) {
	size := between(p.random, 3, 6)
	for i := range span {
		span[i] += float64(size*f.dev) * float64(i+1) / float64(len(span))
	}
}

func flat(_ *planter, _ *feature, span []float64) {
	held := known(span)[0]
	for i, v := range span {
		if !math.IsNaN(v) {
			span[i] = held
		}
	}
}

func drop(_ *planter, f *feature, span []float64) {
	for i := range span {
		span[i] = f.low + float64(.15*(span[i]-f.low))
	}
}

func mirror(_ *planter, f *feature, span []float64) {
	for i := range span {
		span[i] = 2*f.median - span[i]
	}
}
