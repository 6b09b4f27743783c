package feature

import (
	"slices"
	"time"

	"telegraf-anomaly/internal/lp"
)

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

func (j *Joiner[T]) newGroup(p *lp.Point, now time.Time) *member[T] {
	m := &member[T]{series: map[string]*series{}, Group: Group{Key: string(j.keyText)}}
	for _, tag := range j.schema.GroupBy {
		m.Tags = append(m.Tags, string(p.Tag(tag)))
	}
	j.groups[m.Key] = m
	j.recent.toBack(m)
	for old := j.recent.front; old != m && j.expired(old, now); old = j.recent.front {
		j.drop(old)
	}
	return m
}

// expired goes by the time of arrival: one host with a wrong clock must not
// drive out the others.
func (j *Joiner[T]) expired(m *member[T], now time.Time) bool {
	return len(j.groups) > j.limits.Groups || (j.limits.Idle > 0 && now.Sub(m.seen) > j.limits.Idle)
}

// learn adds a new series to the group.
func (m *member[T]) learn(s *series) {
	m.series[s.key] = s
	i, _ := slices.BinarySearchFunc(m.sorted, s.key, (*series).compare)
	m.sorted = slices.Insert(m.sorted, i, s)
}

// forget drops series that stopped reporting, lest interfaces that come and go
// pile up.
func (m *member[T]) forget() {
	m.sorted = slices.DeleteFunc(m.sorted, func(s *series) bool {
		gone := s.misses >= forgetMisses && m.number-s.last > 10*forgetMisses*s.stride
		if gone {
			delete(m.series, s.key)
		}
		return gone
	})
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

// resync notices that a group's clock was set back: points that are far too late,
// yet go forward among themselves for a while.
type resync struct {
	last  int64
	steps int
}

const (
	resyncSteps    = 5  // late buckets in a row, each newer than the one before
	resyncDistance = 10 // buckets behind the newest closed one
)

func (r *resync) restart(b, closed int64) bool {
	switch {
	case closed-b < resyncDistance:
		return false
	case r.steps == 0 || b < r.last:
		*r = resync{last: b, steps: 1}
	case b > r.last:
		r.last = b
		r.steps++
	}
	return r.steps > resyncSteps
}

// links and list are a doubly linked list inside the members themselves: no
// allocation when a group moves.
type links[T any] struct {
	prev, next *member[T]
	in         bool
}

type list[T any] struct {
	front, back *member[T]
	of          func(*member[T]) *links[T]
}

func (l *list[T]) remove(m *member[T]) {
	k := l.of(m)
	if !k.in {
		return
	}
	if k.prev != nil {
		l.of(k.prev).next = k.next
	} else {
		l.front = k.next
	}
	if k.next != nil {
		l.of(k.next).prev = k.prev
	} else {
		l.back = k.prev
	}
	*k = links[T]{}
}

func (l *list[T]) toBack(m *member[T]) {
	if l.back == m {
		return
	}
	l.remove(m)
	*l.of(m) = links[T]{prev: l.back, in: true}
	if l.back != nil {
		l.of(l.back).next = m
	} else {
		l.front = m
	}
	l.back = m
}
