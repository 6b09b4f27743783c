package feature

import (
	"math"
	"time"

	"telegraf-anomaly/internal/lp"
)

// firstBuckets is how many buckets of a new group wait for features that were
// never seen; after them an input that is not configured delays nothing.
const firstBuckets = 3

// maxFree is how many buckets' room for items is kept for buckets to come.
const maxFree = 16_384

// bucketOf rounds a time to the nearest multiple of the interval whose own time
// can be told.
func bucketOf(t, interval int64) int64 {
	b, rest := t/interval, t%interval
	switch {
	case rest >= interval-rest && b < math.MaxInt64/interval:
		return b + 1
	case -rest > interval+rest && b > math.MinInt64/interval:
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
	if m.number == 1 {
		m.waiting++ // nobody knows yet which series there are: time ends this one
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

// arrive notes that s has a sample in the open bucket of m.
func (m *member[T]) arrive(s *series) {
	if s.due(m.number) {
		m.waiting--
	} else if !s.seen && m.number <= firstBuckets {
		for i := range s.inputs {
			if !m.fed(int(s.inputs[i].feature)) {
				m.waiting--
			}
		}
	}
	s.arrived(m.number)
}

// note remembers a series that came just behind the closing of its bucket: from
// now on its group waits for it, and its counters have a starting point.
func (m *member[T]) note(features []Feature, s *series, p *lp.Point, b int64) {
	if b != m.bucket || s.here(m.number) {
		return
	}
	if used, _ := s.add(features, p); used {
		s.discard()
		s.arrived(m.number)
	}
}

func (j *Joiner[T]) queue(m *member[T], handle T, used bool) {
	m.items = append(m.items, Item[T]{Handle: handle, Used: used})
	j.held++
	if j.held > j.limits.Held {
		j.close(j.open.front)
	}
}

// close turns the open bucket of m into a vector.
func (j *Joiner[T]) close(m *member[T]) {
	disturbed := j.combine(m)
	j.Counts.Vectors++
	j.vector.Opened = m.opened
	m.advance(j.schema, j.shape, m.bucket, disturbed, j.vector)
	j.emit(j.vector, m.items)

	j.held -= len(m.items)
	clear(m.items)
	if len(j.free) < maxFree {
		j.free = append(j.free, m.items[:0])
	}
	m.items = nil
	m.isOpen, m.clock = false, clock{}
	j.open.remove(m)
}

// combine computes the features of m's open bucket from its series. disturbed
// says that a counter went back.
func (j *Joiner[T]) combine(m *member[T]) (disturbed bool) {
	clear(j.tallies)
	for _, s := range m.sorted {
		if s.due(m.number) {
			s.misses++
		}
		for i := range s.inputs {
			in := &s.inputs[i]
			switch {
			case s.here(m.number):
				x, got := in.take(s.longest(j.schema.Interval))
				j.tallies[in.feature].add(x, got)
				disturbed = disturbed || got == reset
			case s.alive():
				j.tallies[in.feature].lost = true
			}
		}
	}
	for i := range j.tallies {
		j.decide(i)
	}
	m.forget()
	return disturbed
}

// decide makes the value of a feature from its tally.
func (j *Joiner[T]) decide(i int) {
	f, v := &j.schema.Features[i], j.vector
	x, ok := j.tallies[i].value(f.Combine)
	if ok {
		if x, ok = f.valid(x); !ok {
			j.Counts.Invalid++
		}
	}
	v.Values[i], v.Missing[i] = x, !ok
}
