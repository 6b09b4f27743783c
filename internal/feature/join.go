package feature

import (
	"fmt"
	"time"

	"telegraf-anomaly/internal/lp"
)

// firstBuckets is how many buckets of a new group wait for features that were
// never seen; after them an input that is not configured delays nothing.
const firstBuckets = 3

// Limits bound what a Joiner holds.
type Limits struct {
	Groups int           // groups; beyond it the one not seen for longest is dropped
	Held   int           // items waiting in open buckets; beyond it the oldest bucket is closed
	Idle   time.Duration // a group not seen for this long, by the stream's clock, is dropped; 0: never
}

// DefaultLimits suit a gateway of a hundred thousand hosts.
var DefaultLimits = Limits{Groups: 100_000, Held: 1 << 16, Idle: 24 * time.Hour}

// Counts are what a Joiner has seen so far.
type Counts struct {
	Points, Vectors, Late, Duplicate, Invalid, Evicted, Resynced uint64
}

// An Item is a caller's handle on a point, kept until its bucket closes.
type Item[T any] struct {
	Handle T
	Used   bool // the point is part of the vector
}

// A Joiner collects the points of each group into buckets of one interval and
// turns every bucket into a Vector. T is the caller's handle on a point.
//
// It is driven by one goroutine: Add points, call Expire when the time that it
// returned has come, Flush at the end.
type Joiner[T any] struct {
	Counts Counts

	schema  *Schema
	shape   shape
	limits  Limits
	hold    time.Duration
	emit    func(v *Vector, items []Item[T])
	wanted  map[string][]int // measurement -> features
	groups  map[string]*member[T]
	recent  list[T] // all groups, least recently seen first
	open    list[T] // groups with an open bucket, oldest first
	held    int
	vector  *Vector
	tallies []tally
	keyText []byte
	free    [][]Item[T]
}

// member is a group with what joining needs to know of it.
type member[T any] struct {
	Group
	series map[string]*series
	sorted []*series // by key: sums come out the same in whatever order points arrive
	seen   time.Time // when its newest point came

	number int64 // of the newest bucket, counting from 1
	bucket int64 // the newest bucket itself: its time in intervals
	isOpen bool
	late   resync

	opened  time.Time
	waiting int // due series and awaited features that have not arrived
	items   []Item[T]

	inRecent, inOpen links[T]
}

// NewJoiner returns a Joiner for a normalized schema with an interval. emit gets
// every vector with the items of its bucket, both valid only during the call.
// hold is how long, in wall time, a bucket may wait for its features; 0 means
// until a newer bucket of the group begins.
func NewJoiner[T any](s *Schema, hold time.Duration, l Limits, emit func(*Vector, []Item[T])) (*Joiner[T], error) {
	if s.Interval <= 0 {
		return nil, fmt.Errorf("feature: the schema has no interval")
	}
	j := &Joiner[T]{
		schema: s, shape: newShape(s.Window, s.Interval), limits: l, hold: hold, emit: emit,
		wanted: map[string][]int{}, groups: map[string]*member[T]{}, vector: newVector(len(s.Features)), tallies: make([]tally, len(s.Features)),
	}
	j.recent.of = func(m *member[T]) *links[T] { return &m.inRecent }
	j.open.of = func(m *member[T]) *links[T] { return &m.inOpen }
	for i, f := range s.Features {
		j.wanted[f.Measurement] = append(j.wanted[f.Measurement], i)
	}
	return j, nil
}

// Groups returns the number of groups known now.
func (j *Joiner[T]) Groups() int { return len(j.groups) }

// Add takes a point. It returns false if the caller keeps the point, since it
// feeds no feature and follows no waiting point of its series; otherwise handle
// comes back through emit, before Add returns or later.
func (j *Joiner[T]) Add(p *lp.Point, handle T, now time.Time) (taken bool) {
	candidates := j.wanted[string(p.Name)]
	if candidates == nil {
		return false
	}
	m := j.groups[string(j.key(p))]
	var s *series
	if m != nil {
		s = m.series[string(p.Series)]
	}
	if s == nil {
		if s = newSeries(j.schema.Features, candidates, p); s == nil {
			return false
		}
		if m == nil {
			m = j.newGroup(p, now)
		}
		m.learn(s)
	}
	j.Counts.Points++
	m.seen = now
	j.recent.toBack(m)
	return j.place(m, s, p, handle, now)
}

// place puts a point into its group's open bucket, opening or closing one as
// needed.
func (j *Joiner[T]) place(m *member[T], s *series, p *lp.Point, handle T, now time.Time) bool {
	b := bucketOf(p.Time, int64(j.schema.Interval))
	if j.tooLate(m, b) {
		j.Counts.Late++
		if !m.isOpen {
			m.note(s, p, b)
			return false
		}
		j.queue(m, handle, false) // behind the points of its series that wait already
		return true
	}
	if m.isOpen && b != m.bucket {
		j.close(m)
	}
	used, duplicate := s.add(p)
	if !used && !m.isOpen {
		return false
	}
	if !m.isOpen {
		j.openBucket(m, b, now)
	}
	if duplicate {
		j.Counts.Duplicate++
	}
	if used {
		m.arrive(s)
	}
	j.queue(m, handle, used && !duplicate)
	if m.isOpen && m.waiting == 0 {
		j.close(m)
	}
	return true
}

// tooLate reports whether bucket b is behind the newest one of the group, or is
// that one and closed already. A clock that was set back starts the group anew.
func (j *Joiner[T]) tooLate(m *member[T], b int64) bool {
	if m.number == 0 || b > m.bucket || (b == m.bucket && m.isOpen) {
		return false
	}
	if !m.late.restart(b, m.bucket) {
		return true
	}
	j.Counts.Resynced++
	if m.isOpen {
		j.close(m)
	}
	m.past = nil
	return false
}

// note remembers a series that was first seen just behind the closing of its
// bucket: from now on its group waits for it.
func (m *member[T]) note(s *series, p *lp.Point, b int64) {
	if b != m.bucket || s.last == m.number {
		return
	}
	if used, _ := s.add(p); used {
		s.discard()
		s.arrived(m.number)
	}
}

func (j *Joiner[T]) queue(m *member[T], handle T, used bool) {
	m.items = append(m.items, Item[T]{handle, used})
	j.held++
	if j.held > j.limits.Held {
		j.close(j.open.front)
	}
}

// bucketOf rounds a time to the nearest multiple of the interval.
func bucketOf(t, interval int64) int64 {
	b, rest := t/interval, t%interval
	switch {
	case rest >= interval-rest:
		return b + 1
	case -rest > interval+rest:
		return b - 1
	}
	return b
}

func (j *Joiner[T]) openBucket(m *member[T], b int64, now time.Time) {
	m.isOpen, m.bucket, m.opened, m.waiting = true, b, now, 0
	m.number++
	for _, s := range m.sorted {
		if s.due(m.number) {
			m.waiting++
		}
	}
	if m.number <= firstBuckets {
		for i := range j.schema.Features {
			if !m.fed(i) {
				m.waiting++
			}
		}
	}
	if n := len(j.free); n > 0 {
		m.items, j.free = j.free[n-1], j.free[:n-1]
	}
	j.open.toBack(m)
}

// fed reports whether any series has brought the feature so far.
func (m *member[T]) fed(feature int) bool {
	for _, s := range m.sorted {
		if s.seen && s.feeds(feature) {
			return true
		}
	}
	return false
}

// arrive notes that s has a sample in the open bucket of m.
func (m *member[T]) arrive(s *series) {
	if s.due(m.number) {
		m.waiting--
	} else if !s.seen && m.number <= firstBuckets {
		for i := range s.inputs {
			if !m.fed(s.inputs[i].feature) {
				m.waiting--
			}
		}
	}
	s.arrived(m.number)
}

// close turns the open bucket of m into a vector.
func (j *Joiner[T]) close(m *member[T]) {
	reset := j.combine(m)
	j.Counts.Vectors++
	j.vector.Opened = m.opened
	m.advance(j.schema, j.shape, m.bucket, reset, j.vector)
	j.emit(j.vector, m.items)

	j.held -= len(m.items)
	clear(m.items)
	j.free, m.items = append(j.free, m.items[:0]), nil
	m.isOpen, m.late = false, resync{}
	j.open.remove(m)
}

// combine computes the features of m's open bucket from its series. reset says
// that a counter went back.
func (j *Joiner[T]) combine(m *member[T]) (reset bool) {
	v := j.vector
	clear(j.tallies)
	for _, s := range m.sorted {
		absent := s.due(m.number)
		if absent {
			s.misses++
		}
		for i := range s.inputs {
			t := &j.tallies[s.inputs[i].feature]
			x, ok, lost := s.inputs[i].take(s.stride, int64(j.schema.Interval))
			reset = reset || lost
			t.lost = t.lost || lost || (absent && s.misses < forgetMisses)
			if ok {
				t.add(x)
			}
		}
	}
	for i := range v.Values {
		f := &j.schema.Features[i]
		x, ok := j.tallies[i].value(f.Combine)
		if ok {
			if x, ok = f.valid(x); !ok {
				j.Counts.Invalid++
			}
		}
		v.Values[i], v.Missing[i] = x, !ok
	}
	m.forget()
	return reset
}

// Expire closes the buckets that waited for longer than the hold time and
// returns when to call again; the zero time means that nothing waits.
func (j *Joiner[T]) Expire(now time.Time) (next time.Time) {
	for m := j.open.front; m != nil && j.hold > 0; m = j.open.front {
		if deadline := m.opened.Add(j.hold); deadline.After(now) {
			return deadline
		}
		j.close(m)
	}
	return time.Time{}
}

// Flush closes every open bucket.
func (j *Joiner[T]) Flush() {
	for m := j.open.front; m != nil; m = j.open.front {
		j.close(m)
	}
}

// Abandon returns the handles of everything that waits, oldest bucket first,
// without making vectors. The Joiner must not be used any more.
func (j *Joiner[T]) Abandon() (handles []T) {
	for m := j.open.front; m != nil; m = m.inOpen.next {
		for _, item := range m.items {
			handles = append(handles, item.Handle)
		}
	}
	return handles
}
