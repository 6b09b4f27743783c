package retrain

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
)

// A Reservoir is a bounded sample of contexts in which the chance to be kept
// halves with every half-life of age: Efraimidis and Spirakis' weighted sampling
// ("Weighted random sampling with a reservoir", 2006) with weights that grow
// exponentially in time, in logarithms so that nothing overflows.
//
// It is plain data, so that it can be stored. The zero value needs New's fields.
type Reservoir struct {
	Width    int
	Capacity int
	HalfLife time.Duration
	Seed     uint64 // state of the generator
	Entries  []Entry
}

// Entry is one kept context.
type Entry struct {
	Key     float64 // the largest key leaves first
	Time    int64
	Context []float32
}

// Add offers a context. weight is its chance against others of the same age.
func (r *Reservoir) Add(t int64, context []float64, weight float64) {
	age := float64(t) / float64(r.HalfLife) * math.Ln2
	key := math.Log(r.exponential()) - age - math.Log(weight)
	switch {
	case len(r.Entries) < r.Capacity:
		r.Entries = append(r.Entries, Entry{Key: key, Time: t, Context: narrow(nil, context)})
		if len(r.Entries) == r.Capacity {
			for i := len(r.Entries)/2 - 1; i >= 0; i-- {
				r.sink(i)
			}
		}
	case key < r.Entries[0].Key:
		r.Entries[0].Key, r.Entries[0].Time = key, t
		narrow(r.Entries[0].Context[:0], context)
		r.sink(0)
	}
}

// exponential draws from the unit exponential distribution.
func (r *Reservoir) exponential() float64 {
	source := rand.NewPCG(r.Seed, 0xa11ce)
	r.Seed = source.Uint64()
	return -math.Log1p(-float64(r.Seed>>11)/(1<<53)) + math.SmallestNonzeroFloat64
}

// sink restores the heap below i; the largest key is on top.
func (r *Reservoir) sink(i int) {
	for {
		largest := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(r.Entries) && r.Entries[child].Key > r.Entries[largest].Key {
				largest = child
			}
		}
		if largest == i {
			return
		}
		r.Entries[i], r.Entries[largest] = r.Entries[largest], r.Entries[i]
		i = largest
	}
}

func narrow(dst []float32, src []float64) []float32 {
	for _, x := range src {
		dst = append(dst, float32(x))
	}
	return dst
}

func widen(src []float32) []float64 {
	dst := make([]float64, len(src))
	for i, x := range src {
		dst[i] = float64(x)
	}
	return dst
}

// A Snapshot is what a Reservoir held, for another goroutine. Its memory is used
// again by the next one: while it is taken the stream waits.
type Snapshot struct {
	entries []Entry
	values  []float32 // of all contexts
}

// Take makes s a copy of what r holds.
func (s *Snapshot) Take(r *Reservoir) {
	s.entries, s.values = append(s.entries[:0], r.Entries...), slices.Grow(s.values[:0], len(r.Entries)*r.Width)
	for i, e := range r.Entries {
		s.values = append(s.values, e.Context...)
		s.entries[i].Context = s.values[len(s.values)-len(e.Context):]
	}
}

// Rows returns the contexts in the order of time, and the range of their times.
func (s *Snapshot) Rows() (contexts *mat.Dense, from, to time.Time) {
	entries := s.entries
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Key, b.Key)) })
	contexts = mat.NewDense(len(entries), len(entries[0].Context), nil)
	for i, e := range entries {
		for j, x := range e.Context {
			contexts.Set(i, j, float64(x))
		}
	}
	return contexts, time.Unix(0, entries[0].Time).UTC(), time.Unix(0, entries[len(entries)-1].Time).UTC()
}

// Recent is a ring of contexts, evenly spaced in time, that spans a period. It
// remembers which were flagged.
type Recent struct {
	Width   int
	Spacing int64 // nanoseconds between entries
	Size    int
	Entries []Entry // oldest first; Key is 1 for a flagged one, else 0
}

// Add offers a context, which is kept if the newest one is Spacing older. It
// returns the one that leaves for it, if any.
func (r *Recent) Add(t int64, context []float64, flagged bool) (old Entry, left bool) {
	n := len(r.Entries)
	if n > 0 && t-r.Entries[n-1].Time < r.Spacing && t >= r.Entries[n-1].Time {
		return old, false
	}
	if left = n >= r.Size; left {
		old = r.Entries[0]
		copy(r.Entries, r.Entries[1:])
		r.Entries = r.Entries[:n-1]
	}
	e := Entry{Time: t, Context: narrow(nil, context)}
	if flagged {
		e.Key = 1
	}
	r.Entries = append(r.Entries, e)
	return old, left
}

// lately is the share of the ring that counts as now, or as then, and persisting
// the share of it that must be flagged for a change to have begun then and to go
// on now.
const (
	lately     = 1.0 / 12
	persisting = 1.0 / 3
)

// Persists reports whether much was flagged both at the beginning of the ring and
// at its end. A single flag of long ago makes no lasting change of an incident.
func (r *Recent) Persists() bool {
	n := max(1, int(lately*float64(len(r.Entries))))
	return flagged(r.Entries[:n]) >= persisting && flagged(r.Entries[len(r.Entries)-n:]) >= persisting
}

// flagged is the share of entries that was flagged.
func flagged(entries []Entry) float64 {
	sum := 0.0
	for _, e := range entries {
		sum += e.Key
	}
	return sum / float64(len(entries))
}
