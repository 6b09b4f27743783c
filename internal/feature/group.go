package feature

import (
	"slices"
	"sort"
	"time"

	"telegraf-anomaly/internal/lp"
)

const (
	// maxSeries bounds the series of a group that feed features.
	maxSeries = 4096

	// forgetAfter is how many of its own spacings after its last sample a series
	// is forgotten.
	forgetAfter = 30
)

// member is a group with what joining needs to know of it.
type member[T any] struct {
	Group
	sorted []*series // by key: sums come out the same in whatever order points arrive
	seen   time.Time // when its newest point came

	number int64 // of the newest bucket, counting from 1
	bucket int64 // the newest bucket itself: its time in intervals
	isOpen bool
	clock  clock

	opened  time.Time
	waiting int // due series and awaited features that have not arrived
	items   []Item[T]

	inRecent, inOpen links[T]
}

// key builds the text that names a point's group; it is reused by the next call.
func (j *Joiner[T]) key(p *lp.Point) []byte {
	k := j.keyText[:0]
	for i, tag := range j.schema.GroupBy {
		if i > 0 {
			k = append(k, 0)
		}
		k = append(k, p.Tag(tag)...)
	}
	j.keyText = k
	return k
}

// newGroup makes the group whose key was built last.
func (j *Joiner[T]) newGroup(p *lp.Point) *member[T] {
	m := &member[T]{Group: Group{Key: string(j.keyText), Tags: make([]string, 0, len(j.schema.GroupBy))}}
	for rest := m.Key; len(m.Tags) < len(j.schema.GroupBy); {
		n := len(p.Tag(j.schema.GroupBy[len(m.Tags)]))
		m.Tags = append(m.Tags, rest[:n]) // of one memory with the key
		rest = rest[min(n+1, len(rest)):]
	}
	j.groups[m.Key] = m
	return m
}

// evict drops groups that are beyond the limits, but for the one just seen. Age
// goes by the time of arrival: one host with a wrong clock must not drive out
// the others.
func (j *Joiner[T]) evict(seen *member[T], now time.Time) {
	for m := j.recent.front; m != seen; m = j.recent.front {
		idle := j.limits.Idle > 0 && now.Sub(m.seen) > j.limits.Idle
		if !idle && len(j.groups) <= j.limits.Groups {
			return
		}
		j.drop(m)
	}
}

// drop forgets a group; what waits in its bucket comes out first.
func (j *Joiner[T]) drop(m *member[T]) {
	if m.isOpen {
		j.close(m)
	}
	delete(j.groups, m.Key)
	j.recent.remove(m)
	j.Counts.Evicted++
}

// Each calls f for every group, least recently seen first.
func (j *Joiner[T]) Each(f func(*Group)) {
	for m := j.recent.front; m != nil; m = m.inRecent.next {
		f(&m.Group)
	}
}

// search returns the place of a series among the sorted ones.
func (m *member[T]) search(key []byte) int {
	return sort.Search(len(m.sorted), func(i int) bool { return m.sorted[i].key >= string(key) })
}

// find returns the series, nil if it is not known.
func (m *member[T]) find(key []byte) *series {
	if i := m.search(key); i < len(m.sorted) && m.sorted[i].key == string(key) {
		return m.sorted[i]
	}
	return nil
}

// learn adds a new series to the group, unless there are too many.
func (m *member[T]) learn(s *series) bool {
	if len(m.sorted) >= maxSeries {
		return false
	}
	s.last = m.number // as far as forgetting goes
	m.sorted = slices.Insert(m.sorted, m.search([]byte(s.key)), s)
	return true
}

// forget drops series that stopped reporting, lest interfaces that come and go
// pile up.
func (m *member[T]) forget() {
	m.sorted = slices.DeleteFunc(m.sorted, func(s *series) bool { return m.number-s.last > forgetAfter*int64(s.stride) })
}

// fed reports whether any series has brought the feature so far.
func (m *member[T]) fed(feature int) bool {
	return slices.ContainsFunc(m.sorted, func(s *series) bool { return s.seen && s.feeds(feature) })
}
