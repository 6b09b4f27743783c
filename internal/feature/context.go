package feature

import (
	"math"
	"time"
)

// Places of one feature's numbers in Vector.Context, ContextWidth of them.
const (
	Value     = iota // the value itself
	Level            // rolling mean, the current value included
	Deviation        // rolling sample standard deviation
	Run              // intervals in a row without a change

	ContextWidth
)

// A Vector is what is known of one group in one interval. It is reused: copy
// what must outlive the call it was given to.
type Vector struct {
	Group   *Group
	Time    int64     // nanoseconds; the bucket's own time
	Values  []float64 // per feature; NaN where Missing
	Missing []bool    // per feature: no value, not even a carried one
	Carried []bool    // per feature: the value is an earlier one
	Settled bool      // the past is long enough, and calm enough, to judge by
	Opened  time.Time // when the first point of the interval came
	// Context holds ContextWidth numbers per feature, the features one after the
	// other. It is complete only if no feature is missing.
	Context []float64

	inWindow []int32 // per feature: values that the rolling numbers are made of
}

// Complete reports whether every feature has a value.
func (v *Vector) Complete() bool {
	for _, m := range v.Missing {
		if m {
			return false
		}
	}
	return true
}

func newVector(features int) *Vector {
	return &Vector{
		Values:  make([]float64, features),
		Missing: make([]bool, features),
		Carried: make([]bool, features),
		Context: make([]float64, features*ContextWidth),

		inWindow: make([]int32, features),
	}
}

// past is what a group remembers of one feature between buckets.
type past struct {
	window
	value  float64 // newest real value
	bucket int64   // and its bucket
	known  bool
	since  int64 // bucket with which the window began to fill
}

// A Group is a set of series that belong together, normally one host.
type Group struct {
	Key  string   // the values of the group_by tags, joined
	Tags []string // the values of the group_by tags, in the schema's order
	// State is for whoever receives the group's vectors.
	State any

	past   []past
	newest int64 // bucket of its newest vector
	quiet  int64 // bucket up to which a disturbance may still show
}

// A gap is a silence of more than gapBuckets intervals and more than a hiccup, as
// when this program is restarted: a reboot takes longer.
const (
	gapBuckets = 3
	hiccup     = time.Minute
)

// advance completes v, whose Values and Missing hold what bucket b brought, with
// the group's past. disturbed says that a counter was reset.
func (g *Group) advance(s *Schema, sh shape, b int64, disturbed bool, v *Vector) {
	if g.past == nil {
		g.past, g.quiet = make([]past, len(s.Features)), b
	} else if disturbed || b-g.newest > max(gapBuckets, int64(hiccup/s.Interval)) {
		g.quiet = b + sh.quiet
	}
	g.newest = b
	v.Group, v.Time, v.Settled = g, b*int64(s.Interval), b >= g.quiet
	for i := range g.past {
		p := &g.past[i]
		p.slide(sh, b)
		v.Carried[i] = false
		if !v.Missing[i] {
			p.add(sh, v.Values[i])
			p.value, p.bucket, p.known = v.Values[i], b, true
		} else if p.known && s.Missing == Carry && b-p.bucket <= CarryIntervals {
			v.Values[i], v.Missing[i], v.Carried[i] = p.value, false, true
		}
		if v.Missing[i] {
			v.Values[i] = math.NaN()
		}
		v.inWindow[i] = p.describe(v.Values[i], v.Context[i*ContextWidth:])
		v.Settled = p.warm(sh, b, v.inWindow[i]) && v.Settled
	}
}

// warm reports whether the window's n values, up to bucket b, mean anything. An
// input slower than the group's interval, which Carry stretches, brings fewer.
func (p *past) warm(sh shape, b int64, n int32) bool {
	if n == 0 || (n == 1 && p.bucket == b) {
		p.since = b
	}
	return sh.warm == 0 || (b-p.since >= sh.warm-1 && int64(n) >= max(2, sh.warm/CarryIntervals))
}

// describe writes the context of one feature and returns how many values are in
// its window.
func (p *past) describe(value float64, dst []float64) int32 {
	m := p.total()
	dst[Value], dst[Level], dst[Deviation], dst[Run] = value, m.mean, m.deviation(), float64(p.run)
	if m.n == 0 {
		dst[Level] = value
	}
	return m.n
}

// Suppose writes to dst the context that v would have if feature f had the value
// x now, all else equal: the rolling numbers without the true value and with x.
func (v *Vector) Suppose(dst []float64, f int, x float64) {
	copy(dst, v.Context)
	c := dst[f*ContextWidth : (f+1)*ContextWidth]
	old, n := c[Value], v.inWindow[f]
	if c[Value] = x; !same(x, old) {
		c[Run] = 0
	}
	if n == 0 {
		c[Level] = x
		return
	}
	m := moments{n: n, mean: c[Level], m2: float64(c[Deviation]*c[Deviation]) * float64(n-1)}
	if v.Carried[f] {
		m.add(x) // the old value is not in the window
	} else {
		m.replace(old, x)
	}
	c[Level], c[Deviation] = m.mean, m.deviation()
}

// Fill puts a value in for a missing feature.
func (v *Vector) Fill(f int, value float64) {
	v.Values[f], v.Missing[f], v.Carried[f] = value, false, true
	c := v.Context[f*ContextWidth:]
	c[Value] = value
	if math.IsNaN(c[Level]) {
		c[Level] = value
	}
}
