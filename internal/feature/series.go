package feature

import (
	"math"
	"strings"

	"telegraf-anomaly/internal/lp"
)

const (
	gapIntervals = 5 // a counter older than this many usual spacings, and than a hiccup, gives no rate
	forgetMisses = 3 // a series that missed this many due intervals is no longer waited for
)

// series is the memory of one series that feeds at least one feature.
type series struct {
	key    string
	seen   bool
	last   int64 // number, in its group, of the bucket with its newest sample
	stride int64 // its usual spacing in buckets of the group
	misses int   // due buckets missed in a row
	inputs []input
}

// input is what one series contributes to one feature in the open bucket.
type input struct {
	feature int
	counter bool
	fields  []reading
}

// reading is one field of an input.
type reading struct {
	name     string
	sum      float64 // gauge: sum of the bucket's samples
	n        int     // samples in this bucket
	value    float64 // newest sample
	time     int64
	previous float64 // counter: newest sample of an earlier bucket
	before   int64   // and its time
	counted  bool    // there is such a sample
}

// newSeries returns nil if p feeds no feature.
func newSeries(features []Feature, candidates []int, p *lp.Point) *series {
	var inputs []input
	for _, i := range candidates {
		f := &features[i]
		if !f.selects(p) {
			continue
		}
		inputs = append(inputs, newInput(f, i))
	}
	if inputs == nil {
		return nil
	}
	return &series{key: string(p.Series), inputs: inputs, stride: 1}
}

func newInput(f *Feature, i int) input {
	in := input{feature: i, counter: f.Kind == Counter, fields: make([]reading, len(f.Fields))}
	for k, name := range f.Fields {
		in.fields[k].name = name
	}
	return in
}

// add takes the fields of p. used reports whether any of them feeds a feature,
// duplicate whether all of those were given for this very time before.
func (s *series) add(p *lp.Point) (used, duplicate bool) {
	duplicate = true
	for i := range s.inputs {
		for k := range s.inputs[i].fields {
			r := &s.inputs[i].fields[k]
			v, ok := numeric(p, r.name)
			if !ok {
				continue
			}
			used = true
			if r.n > 0 && r.time == p.Time {
				continue
			}
			duplicate = false
			r.sum += v
			r.n++
			if p.Time >= r.time || r.n == 1 {
				r.value, r.time = v, p.Time
			}
		}
	}
	return used, used && duplicate
}

func numeric(p *lp.Point, name string) (float64, bool) {
	for i := range p.Fields {
		if f := &p.Fields[i]; string(f.Key) == name {
			return f.Value, f.Numeric && !math.IsNaN(f.Value) && !math.IsInf(f.Value, 0)
		}
	}
	return 0, false
}

func (s *series) compare(key string) int { return strings.Compare(s.key, key) }

// due reports whether the series should have a sample in the group's bucket
// number n.
func (s *series) due(n int64) bool {
	return s.seen && s.misses < forgetMisses && n-s.last >= s.stride
}

// arrived notes that the series has a sample in bucket number n.
func (s *series) arrived(n int64) {
	if s.seen && n > s.last && s.misses < forgetMisses {
		s.stride = n - s.last
	}
	s.seen, s.last, s.misses = true, n, 0
}

// feeds reports whether the series is an input of the feature.
func (s *series) feeds(feature int) bool {
	for i := range s.inputs {
		if s.inputs[i].feature == feature {
			return true
		}
	}
	return false
}

// discard ends the bucket of a sample that came too late for it: counters keep
// it as their starting point.
func (s *series) discard() {
	for i := range s.inputs {
		s.inputs[i].take(0, 0)
	}
}

// take returns the series' contribution in the bucket and makes the input
// ready for the next one. lost says that there is traffic that cannot be known,
// since a counter went back. A first sample, also one after a gap, is not ok but
// not lost either: the other series still make a sum.
func (in *input) take(stride, interval int64) (v float64, ok, lost bool) {
	ok = true
	for k := range in.fields {
		x, have, gone := in.fields[k].take(in.counter, stride*interval)
		v += x
		ok = ok && have
		lost = lost || gone
	}
	return v, ok, lost
}

func (r *reading) take(counter bool, spacing int64) (v float64, ok, lost bool) {
	if r.n == 0 {
		return 0, false, false
	}
	defer func() { r.sum, r.n = 0, 0 }()
	if !counter {
		return r.sum / float64(r.n), true, false
	}
	rise, dt, first := r.value-r.previous, r.time-r.before, !r.counted
	r.previous, r.before, r.counted = r.value, r.time, true
	switch {
	case first || dt > max(gapIntervals*spacing, int64(hiccup)):
		return 0, false, false
	case dt <= 0 || rise < 0:
		return 0, false, true
	default:
		return rise / (float64(dt) / 1e9), true, false
	}
}
