package feature

import (
	"math"
	"time"
)

// maxSlots bounds the memory of a window. A window of more intervals than this
// is kept in slots of several intervals each, so that it slides by one slot at a
// time: it then covers, by less than one slot, more or less than it should. For
// 15 minutes of 10 seconds that is two values of 90 at most; a mean was off by
// 1.2 % of the values' spread in the worst case seen.
const maxSlots = 30

// shape is how a window is cut into slots, the same for every group.
type shape struct {
	slots int   // 0: no window
	per   int64 // intervals per slot
	warm  int64 // intervals that a window must span before it means anything
	quiet int64 // intervals for which a gap or a reset is felt
}

// minIntervals is the least that a window spans: a mean of three values says
// little (docs/FEATURES.md).
const minIntervals = 8

func newShape(window, interval time.Duration) shape {
	if window == 0 || interval == 0 {
		return shape{}
	}
	n := int64(max(window, minIntervals*interval) / interval)
	per := (n + maxSlots - 1) / maxSlots
	return shape{slots: int((n + per - 1) / per), per: per, warm: max(2, n/3), quiet: max(1, 2*n/3)}
}

// moments are count, mean and sum of squared deviations of a set of values.
type moments struct {
	n        int32
	mean, m2 float64
}

// add is Welford's update.
func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / float64(m.n)
	m.m2 += float64(d * (x - m.mean))
}

// replace is Welford's update for a value that changes from old to x.
func (m *moments) replace(old, x float64) {
	mean := m.mean + (x-old)/float64(m.n)
	m.m2 = math.Max(0, m.m2+float64((x-old)*((x-mean)+(old-m.mean))))
	m.mean = mean
}

// deviation is the sample standard deviation, 0 below two values.
func (m *moments) deviation() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(m.m2 / float64(m.n-1))
}

// A stretch is the moments of a slot that is over, in 16 bytes: their mean to the
// bit, their deviation to seven digits.
type stretch struct {
	mean   float64
	spread float32 // root of the sum of squared deviations, which might not fit itself
	n      int32
}

func (m *moments) stretch() stretch {
	return stretch{n: m.n, mean: m.mean, spread: float32(math.Sqrt(m.m2))}
}

func (s *stretch) moments() moments {
	spread := float64(s.spread)
	return moments{n: s.n, mean: s.mean, m2: spread * spread}
}

// window is the recent past of one feature of one group.
type window struct {
	slots   []stretch // the place of the newest one is empty
	current moments   // of the newest slot: its values may yet be taken back, see Suppose
	newest  int64     // number of the newest slot
	last    float64
	run     int32 // values in a row equal to last
}

// slide moves the window to bucket b, emptying the slots that it leaves behind.
func (w *window) slide(s shape, b int64) {
	if w.slots == nil {
		w.slots, w.last = make([]stretch, s.slots), math.NaN()
	}
	if s.slots == 0 {
		return
	}
	to := floorDiv(b, s.per)
	if to == w.newest {
		return
	}
	w.slots[slot(w.newest, s.slots)] = w.current.stretch()
	w.current = moments{}
	if d := to - w.newest; d < 0 || d >= int64(s.slots) {
		clear(w.slots)
	} else {
		for n := w.newest + 1; n <= to; n++ {
			w.slots[slot(n, s.slots)] = stretch{}
		}
	}
	w.newest = to
}

// add puts the value of the bucket that the window was moved to into it.
func (w *window) add(s shape, x float64) {
	if s.slots > 0 {
		w.current.add(x)
	}
	if same(x, w.last) {
		w.run++
	} else {
		w.last, w.run = x, 0
	}
}

// same reports whether two values in a row count as unchanged.
func same(x, last float64) bool { return math.Abs(x-last) <= 1e-9*math.Abs(x) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func slot(n int64, slots int) int {
	i := int(n % int64(slots))
	if i < 0 {
		i += slots
	}
	return i
}

// total puts the slots together, oldest first, so that equal content gives equal
// bits: the mean of the means, and the deviations within and between slots.
func (w *window) total() (m moments) {
	oldest := 0
	if len(w.slots) > 0 {
		oldest = slot(w.newest+1, len(w.slots))
	}
	sum := 0.0
	for _, part := range [][]stretch{w.slots[oldest:], w.slots[:oldest]} {
		for i := range part {
			m.n += part[i].n
			sum += float64(part[i].mean * float64(part[i].n))
		}
	}
	if m.n += w.current.n; m.n == 0 {
		return m
	}
	sum += float64(w.current.mean * float64(w.current.n))
	m.mean = sum / float64(m.n)
	for _, part := range [][]stretch{w.slots[oldest:], w.slots[:oldest]} {
		for i := range part {
			s := part[i].moments()
			m.m2 += s.about(m.mean)
		}
	}
	m.m2 += w.current.about(m.mean)
	return m
}

// about is the sum of squared deviations from another mean.
func (m *moments) about(mean float64) float64 {
	d := m.mean - mean
	return m.m2 + float64(float64(d*d)*float64(m.n))
}
