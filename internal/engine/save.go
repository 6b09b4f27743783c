package engine

import (
	"fmt"
	"sort"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/state"
)

// layout is the version of what Save writes.
const layout = 2

// Owner identifies what a saved state belongs to.
func (c *Config) Owner() string {
	return fmt.Sprintf("%d %s shared=%v", layout, c.Schema.Hash(), c.Shared)
}

// Save writes down everything that the engine has learned, but for the models,
// which are in their store, and for the points that wait. It reports false if
// there is nothing to save yet.
func (e *Engine[T]) Save(w *state.Writer) bool {
	if e.joiner == nil {
		return false
	}
	w.Int(int64(e.config.Schema.Interval))
	names := make([]string, 0, len(e.units))
	for name := range e.units {
		names = append(names, name)
	}
	sort.Strings(names)
	w.Int(int64(len(names)))
	for _, name := range names {
		w.Text(name)
		e.units[name].Save(w)
	}
	shared := e.shared != nil && !e.shared.Fixed()
	w.Bool(shared)
	if shared {
		e.shared.Save(w)
	}
	e.joiner.Save(w, func(w *state.Writer, g *feature.Group) { e.host(g).save(w) })
	return true
}

// Load takes up what Save wrote, before the first Add. After an error the engine
// must not be used. now stands for the time at which hosts were last seen.
func (e *Engine[T]) Load(r *state.Reader, now time.Time) error {
	interval := time.Duration(r.Int())
	if interval <= 0 {
		return fmt.Errorf("%w: interval %v", state.ErrDamaged, interval)
	}
	if e.joiner == nil {
		e.config.Schema.Interval = interval
		if err := e.start(); err != nil {
			return err
		}
	}
	if e.config.Schema.Interval != interval {
		return fmt.Errorf("%w: interval %v, want %v", state.ErrOther, interval, e.config.Schema.Interval)
	}
	units := r.Count(1)
	if units > 0 && e.shared != nil {
		return fmt.Errorf("%w: units of single groups", state.ErrOther)
	}
	for range units {
		name := r.Text()
		if r.Err() != nil {
			break
		}
		u := e.newUnit(name, groupSample)
		u.Load(r)
		e.units[name] = u
	}
	if r.Bool() {
		if e.shared == nil || e.shared.Fixed() {
			return fmt.Errorf("%w: a unit of all groups", state.ErrOther)
		}
		e.shared.Load(r)
	}
	e.joiner.Load(r, now, func(r *state.Reader, g *feature.Group) {
		if r.Err() == nil {
			e.host(g).load(r, len(e.config.Schema.Features))
		}
	})
	return r.Err()
}

func (h *host) save(w *state.Writer) {
	h.baseline.save(w)
	b := &h.budget
	for _, v := range []float64{b.Base, b.Excess, b.Extra} {
		w.Float(v)
	}
	w.Int(int64(b.Regime))
	w.Int(b.Newest)
	w.Bool(h.budgeted != nil && h.budgeted == h.unit.Champion)
	a := &h.alarm
	w.Int(int64(a.History))
	w.Bool(a.Active)
	w.Int(int64(a.Below))
	w.Text(a.Episode)
	w.Int(a.Start)
	w.Int(a.Last)
}

func (h *host) load(r *state.Reader, features int) {
	h.baseline.load(r, features)
	b := &h.budget
	for _, v := range []*float64{&b.Base, &b.Excess, &b.Extra} {
		*v = r.Float()
	}
	b.Regime, b.Newest = int(r.Int()), r.Int()
	if r.Bool() {
		h.budgeted = h.unit.Champion
	}
	a := &h.alarm
	a.History, a.Active, a.Below = uint64(r.Int()), r.Bool(), int(r.Int())
	a.Episode, a.Start, a.Last = r.Text(), r.Int(), r.Int()
}

func (b *baseline) save(w *state.Writer) {
	w.Int(b.Born)
	w.Int(int64(b.Seen))
	for _, v := range [][]float64{b.Size, b.Mean, b.Deviation} {
		w.Floats(v)
	}
}

func (b *baseline) load(r *state.Reader, features int) {
	b.Born, b.Seen = r.Int(), int(r.Int())
	for _, v := range []*[]float64{&b.Size, &b.Mean, &b.Deviation} {
		*v = r.Floats()
		if n := len(*v); n != features && (n != 0 || b.Seen != 0) {
			r.Fail("a baseline has %d features, want %d", n, features)
		}
	}
}
