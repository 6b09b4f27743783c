package feature

import (
	"math"
	"slices"
	"time"

	"telegraf-anomaly/internal/lp"
)

const (
	gapIntervals = 5 // a counter older than this many usual spacings, and than a hiccup, gives no rate
	forgetMisses = 3 // a series that missed this many due intervals is no longer waited for
)

// series is the memory of one series that feeds at least one feature.
type series struct {
	key    string
	inputs []input
	last   int64 // number, in its group, of the bucket with its newest sample
	stride int32 // its usual spacing in buckets of the group
	gap    int32 // its newest spacing
	misses int32 // due buckets missed in a row
	seen   bool
}

// newSeries returns nil if p feeds no feature.
func newSeries(features []Feature, candidates []int, p *lp.Point) *series {
	var inputs []input
	for _, i := range candidates {
		if f := &features[i]; f.selects(p) {
			inputs = append(inputs, newInput(f, i))
		}
	}
	if inputs == nil {
		return nil
	}
	return &series{key: string(p.Series), inputs: inputs, stride: 1}
}

// add takes the fields of p. used reports whether any of them feeds a feature,
// duplicate whether all of those were given for this very time before.
func (s *series) add(features []Feature, p *lp.Point) (used, duplicate bool) {
	duplicate = true
	for i := range s.inputs {
		in := &s.inputs[i]
		for k, name := range features[in.feature].Fields {
			if v, ok := numeric(p, name); ok {
				used = true
				duplicate = !in.fields[k].add(v, p.Time) && duplicate
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

// here reports whether the series has a sample in the group's bucket number n.
func (s *series) here(n int64) bool { return s.seen && s.last == n }

// alive reports whether the series is still expected to report.
func (s *series) alive() bool { return s.seen && s.misses < forgetMisses }

// due reports whether the series should have a sample in the group's bucket
// number n, but has none yet.
func (s *series) due(n int64) bool { return s.alive() && n-s.last >= int64(s.stride) }

// arrived notes that the series has a sample in bucket number n. A spacing that
// comes twice in a row is the usual one.
func (s *series) arrived(n int64) {
	if s.seen && n > s.last {
		if gap := int32(min(n-s.last, math.MaxInt32)); gap == s.gap {
			s.stride = gap
		} else {
			s.gap = gap
		}
	}
	s.seen, s.last, s.misses = true, n, 0
}

// longest is the distance in time beyond which two samples give no rate.
func (s *series) longest(interval time.Duration) int64 {
	return max(gapIntervals*int64(s.stride)*int64(interval), int64(hiccup))
}

// feeds reports whether the series is an input of the feature.
func (s *series) feeds(feature int) bool {
	return slices.ContainsFunc(s.inputs, func(in input) bool { return int(in.feature) == feature })
}

// discard ends the bucket of a sample that came too late for it: counters keep
// it as their starting point.
func (s *series) discard() {
	for i := range s.inputs {
		s.inputs[i].take(0)
	}
}
