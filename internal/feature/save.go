package feature

import (
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/state"
)

// Save writes down what the Joiner knows of its groups, least recently seen
// first. Open buckets are not part of it: Flush first. each adds what the caller
// knows of a group.
func (j *Joiner[T]) Save(w *state.Writer, each func(*state.Writer, *Group)) {
	w.Int(int64(len(j.groups)))
	for m := j.recent.front; m != nil; m = m.inRecent.next {
		m.save(w)
		each(w, &m.Group)
	}
}

// Load takes up what Save wrote, for the same schema. It is called before the
// first Add. now stands for the time at which the groups were last seen.
func (j *Joiner[T]) Load(r *state.Reader, now time.Time, each func(*state.Reader, *Group)) {
	for range r.Count(1) {
		m := &member[T]{seen: now}
		m.load(r, j.schema, j.shape)
		each(r, &m.Group)
		if r.Err() != nil {
			return
		}
		j.groups[m.Key] = m
		j.recent.toBack(m)
	}
}

func (m *member[T]) save(w *state.Writer) {
	w.Text(m.Key)
	for _, t := range m.Tags {
		w.Text(t)
	}
	for _, v := range []int64{m.number, m.bucket, m.newest, m.quiet} {
		w.Int(v)
	}
	w.Int(int64(len(m.sorted)))
	for _, s := range m.sorted {
		s.save(w)
	}
	w.Int(int64(len(m.past)))
	for i := range m.past {
		m.past[i].save(w)
	}
}

func (m *member[T]) load(r *state.Reader, s *Schema, sh shape) {
	m.Key = r.Text()
	for range s.GroupBy {
		m.Tags = append(m.Tags, r.Text())
	}
	for _, v := range []*int64{&m.number, &m.bucket, &m.newest, &m.quiet} {
		*v = r.Int()
	}
	for range r.Count(1) {
		if x := loadSeries(r, s); x != nil {
			m.sorted = append(m.sorted, x)
		}
	}
	slices.SortFunc(m.sorted, func(a, b *series) int { return strings.Compare(a.key, b.key) })
	if n := r.Count(1); n == len(s.Features) {
		m.past = make([]past, n)
		for i := range m.past {
			m.past[i].load(r, sh)
		}
	} else if n != 0 {
		r.Fail("a group has %d features, want %d", n, len(s.Features))
	}
}

func (s *series) save(w *state.Writer) {
	w.Text(s.key)
	w.Bool(s.seen)
	w.Int(s.last)
	w.Int(int64(s.stride))
	w.Int(int64(s.gap))
	w.Int(int64(s.misses))
	w.Int(int64(len(s.inputs)))
	for _, in := range s.inputs {
		w.Int(int64(in.feature))
		for _, f := range in.fields {
			w.Bool(f.counted)
			w.Float(f.previous)
			w.Int(f.before)
		}
	}
}

func loadSeries(r *state.Reader, schema *Schema) *series {
	s := &series{key: r.Text(), seen: r.Bool(), last: r.Int(), stride: int32(r.Int()), gap: int32(r.Int()), misses: int32(r.Int())}
	for range r.Count(1) {
		f := int(r.Int())
		if f < 0 || f >= len(schema.Features) {
			r.Fail("a series feeds feature %d of %d", f, len(schema.Features))
			return nil
		}
		in := newInput(&schema.Features[f], f)
		for k := range in.fields {
			in.fields[k].counted, in.fields[k].previous, in.fields[k].before = r.Bool(), r.Float(), r.Int()
		}
		s.inputs = append(s.inputs, in)
	}
	if s.stride < 1 || s.misses < 0 {
		r.Fail("a series comes every %d intervals and missed %d", s.stride, s.misses)
	}
	return s
}

func (p *past) save(w *state.Writer) {
	w.Bool(p.known)
	w.Float(p.value)
	w.Int(p.bucket)
	w.Int(p.since)
	w.Float(p.last)
	w.Int(int64(p.run))
	w.Int(p.newest)
	w.Int(int64(len(p.slots)))
	for i := range p.slots {
		m := p.slots[i].moments()
		if i == slot(p.newest, len(p.slots)) {
			m = p.current
		}
		w.Int(int64(m.n))
		w.Float(m.mean)
		w.Float(m.m2)
	}
}

func (p *past) load(r *state.Reader, sh shape) {
	p.known, p.value, p.bucket, p.since = r.Bool(), r.Float(), r.Int(), r.Int()
	p.last, p.run, p.newest = r.Float(), int32(r.Int()), r.Int()
	n := r.Count(17)
	switch {
	case n == 0 && !p.known:
		return
	case n != sh.slots:
		r.Fail("a window has %d slots, want %d", n, sh.slots)
		return
	}
	p.slots = make([]stretch, n)
	for i := range p.slots {
		m := moments{n: int32(r.Int()), mean: r.Float(), m2: r.Float()}
		if i == slot(p.newest, n) {
			p.current = m
		} else {
			p.slots[i] = m.stretch()
		}
	}
}
