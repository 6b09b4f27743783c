package retrain

import (
	"cmp"
	"encoding/binary"
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

// A Sample is what a Reservoir held, for another goroutine or process: for each
// context its key, its time and its values, eight, eight and four bytes each, the
// lowest first.
type Sample []byte

// Take returns a copy of what r holds, in the memory of s if that is large enough: the
// stream waits meanwhile.
func (s Sample) Take(r *Reservoir) Sample {
	s = slices.Grow(s[:0], len(r.Entries)*sampleSize(r.Width))
	for i := range r.Entries {
		e := &r.Entries[i]
		s = binary.LittleEndian.AppendUint64(s, math.Float64bits(e.Key))
		s = binary.LittleEndian.AppendUint64(s, uint64(e.Time))
		for _, x := range e.Context {
			s = binary.LittleEndian.AppendUint32(s, math.Float32bits(x))
		}
	}
	return s
}

// sampleSize is how many bytes of a Sample a context of that width takes.
func sampleSize(width int) int { return 16 + 4*width }

// Rows returns the contexts in the order of time, and the range of their times.
func (s Sample) Rows(width int) (contexts *mat.Dense, from, to time.Time) {
	rows := slices.Collect(slices.Chunk(s, sampleSize(width)))
	slices.SortFunc(rows, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(timeOf(a), timeOf(b)), cmp.Compare(keyOf(a), keyOf(b)))
	})
	contexts = mat.NewDense(len(rows), width, nil)
	for i, row := range rows {
		for j := range width {
			contexts.Set(i, j, float64(math.Float32frombits(binary.LittleEndian.Uint32(row[16+4*j:]))))
		}
	}
	return contexts, time.Unix(0, timeOf(rows[0])).UTC(), time.Unix(0, timeOf(rows[len(rows)-1])).UTC()
}

func keyOf(row Sample) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(row)) }
func timeOf(row Sample) int64  { return int64(binary.LittleEndian.Uint64(row[8:])) }

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
