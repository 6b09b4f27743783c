package feature

import (
	"fmt"
	"time"

	"telegraf-anomaly/internal/lp"
)

// Limits bound what a Joiner holds.
type Limits struct {
	Groups int           // groups; beyond it the one not seen for longest is dropped
	Held   int           // items waiting in open buckets; beyond it the oldest bucket is closed
	Idle   time.Duration // a group of which nothing came for this long is dropped; 0: never
}

// DefaultLimits suit a gateway of a hundred thousand hosts.
var DefaultLimits = Limits{Groups: 100_000, Held: 1 << 16, Idle: 24 * time.Hour}

// Counts are what a Joiner has seen so far.
type Counts struct {
	Points    uint64 // of series that feed a feature
	Vectors   uint64
	Late      uint64 // points behind the newest bucket of their group, or far ahead of it
	Duplicate uint64 // points that repeat a time of their series
	Invalid   uint64 // values outside their feature's valid range
	Refused   uint64 // points of series beyond maxSeries
	Evicted   uint64 // groups dropped
	Resynced  uint64 // times that a group's clock turned out to have been set
}

// An Item is a caller's handle on a point, kept until its bucket closes.
type Item[T any] struct {
	Handle T
	Used   bool // the point is part of the vector
	Done   bool // set by the receiver once the handle is out of its hands, see Abandon
}

// A Joiner collects the points of each group into buckets of one interval and
// turns every bucket into a Vector. T is the caller's handle on a point.
//
// Which series a bucket waits for is known from the buckets before. One that
// appears, or comes back after long, may be too late for its first.
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
		s = m.find(p.Series)
	}
	if s == nil {
		if s = newSeries(j.schema.Features, candidates, p); s == nil {
			return false
		}
		if m == nil {
			m = j.newGroup(p)
		}
		if !m.learn(s) {
			j.Counts.Refused++
			return false
		}
	}
	j.Counts.Points++
	m.seen = now
	j.recent.toBack(m)
	j.evict(m, now)
	return j.place(m, s, p, handle, now)
}

// place puts a point into its group's open bucket, opening or closing one as
// needed.
func (j *Joiner[T]) place(m *member[T], s *series, p *lp.Point, handle T, now time.Time) bool {
	b := bucketOf(p.Time, int64(j.schema.Interval))
	if !j.inTime(m, b) {
		j.Counts.Late++
		if !m.isOpen {
			m.note(j.schema.Features, s, p, b)
			return false
		}
		j.queue(m, handle, false) // behind the points of its series that wait already
		return true
	}
	if m.isOpen && b != m.bucket {
		j.close(m)
	}
	used, duplicate := s.add(j.schema.Features, p)
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

// inTime reports whether bucket b of the group may still take points: it is open,
// or newer than all before. Where the group's clock has been set it starts anew.
func (j *Joiner[T]) inTime(m *member[T], b int64) bool {
	if m.number == 0 {
		return true
	}
	if !far(b, m.bucket) {
		return b > m.bucket || (b == m.bucket && m.isOpen)
	}
	if !m.clock.confirms(b) {
		return false
	}
	j.Counts.Resynced++
	if m.isOpen {
		j.close(m)
	}
	if b < m.bucket {
		m.past = nil
	}
	return true
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

// Abandon returns the handles of everything that waits and is not marked as
// done, oldest bucket first, without making vectors. It is for a receiver that
// failed inside emit. The Joiner must not be used any more.
func (j *Joiner[T]) Abandon() (handles []T) {
	for m := j.open.front; m != nil; m = m.inOpen.next {
		for _, item := range m.items {
			if !item.Done {
				handles = append(handles, item.Handle)
			}
		}
	}
	return handles
}
