package feature

import (
	"math"
	"time"
)

// maxSlots bounds the memory of a window. A window of more intervals than this
// is kept in slots of several intervals each, so that it slides by one slot at a
// time: it then covers between window-slot and window of the past.
const maxSlots = 30

// shape is how a window is cut into slots, the same for every group.
type shape struct {
	slots int   // 0: no window
	per   int64 // intervals per slot
	warm  int   // values that a feature needs before its context means anything
	quiet int64 // intervals for which a gap or a reset is felt
}

func newShape(window, interval time.Duration) shape {
	n := int64(0)
	if interval > 0 {
		n = int64(window / interval)
	}
	if n < 2 {
		return shape{}
	}
	per := (n + maxSlots - 1) / maxSlots
	return shape{slots: int((n + per - 1) / per), per: per, warm: int(max(2, n/3)), quiet: max(1, 2*n/3)}
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

// merge is Chan's parallel update.
func (m *moments) merge(o moments) {
	if o.n == 0 {
		return
	}
	n, d := m.n+o.n, o.mean-m.mean
	share := float64(o.n) / float64(n)
	m.mean += float64(d * share)
	m.m2 += o.m2 + float64(float64(d*d)*float64(float64(m.n)*share))
	m.n = n
}

// deviation is the sample standard deviation, 0 below two values.
func (m *moments) deviation() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(m.m2 / float64(m.n-1))
}

// window is the recent past of one feature of one group.
type window struct {
	slots  []moments
	newest int64 // number of the newest slot
	last   float64
	run    int32 // values in a row equal to last
}

// add puts x, of bucket b, into the window.
func (w *window) add(s shape, b int64, x float64) {
	if w.slots == nil {
		w.slots = make([]moments, max(1, s.slots))
	}
	if s.slots > 0 {
		w.slide(b / s.per)
		w.slots[slot(w.newest, s.slots)].add(x)
	}
	if math.Abs(x-w.last) <= 1e-9*math.Abs(x) {
		w.run++
	} else {
		w.last, w.run = x, 0
	}
}

// slide empties the slots that the window has left behind.
func (w *window) slide(to int64) {
	if d := to - w.newest; d < 0 || d >= int64(len(w.slots)) {
		clear(w.slots)
	} else {
		for n := w.newest + 1; n <= to; n++ {
			w.slots[slot(n, len(w.slots))] = moments{}
		}
	}
	w.newest = to
}

func slot(n int64, slots int) int {
	i := int(n % int64(slots))
	if i < 0 {
		i += slots
	}
	return i
}

// total merges the slots, oldest first, so that equal content gives equal bits.
func (w *window) total() (m moments) {
	for i := range w.slots {
		m.merge(w.slots[slot(w.newest+1+int64(i), len(w.slots))])
	}
	return m
}
