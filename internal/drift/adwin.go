package drift

import (
	"iter"
	"math"
	"slices"
)

const (
	// ADWINDelta is the confidence parameter δ of each cut, the authors' value.
	ADWINDelta = 0.002
	// ADWINThreshold is the distance, in reference deviations, of the adaptive window's mean from the reference that
	// counts as drift: Cohen's medium effect.
	ADWINThreshold = 0.5

	adwinBuckets = 5 // of each size; M in the paper
	adwinMinimum = 5 // values on either side of a cut
)

// ADWIN is an adaptive window over a stream of standardised values: it grows while the stream is stationary and drops its
// older part when the means of two sub-windows W₀, W₁ (n = n₀ + n₁) differ by more than
//
//	ε = √(2/m · σ² · ln(2 ln n / δ)) + 2/(3m) · ln(2 ln n / δ),   1/m = 1/n₀ + 1/n₁,
//
// with σ² the variance of the whole window and δ = [ADWINDelta]. The bound is stated for values of range 1; as in MOA and
// river it is used with the deviation as the unit. A cut is not yet drift: over a long stream some are certain. They only
// choose the window; what is judged is how far its mean lies from the reference ([ADWIN.Shift]).
//
// The window is an exponential histogram: at most five buckets of each of the sizes 1, 2, 4, …, so n values take
// O(log n) memory (a year of hours: 49 buckets, 0.8 KB) and Add takes O(log n) time. Cuts are tried between buckets.
// Buckets are merged by the rule of Chan, Golub and LeVeque (1979), and sums are always taken anew over the buckets, so
// that no rounding error builds up.
//
// The zero value is ready. The field is its whole state: encode it to survive a restart.
//
// Source: Bifet and Gavaldà, Learning from Time-Changing Data with Adaptive Windowing, SDM 2007, §3 (ADWIN2);
// Datar et al., Maintaining Stream Statistics over Sliding Windows, SIAM J. Comput. 31 (2002).
type ADWIN struct {
	Rows [][]Bucket // Rows[k] holds buckets of 2^k values, oldest first
}

// Bucket summarises consecutive values.
type Bucket struct {
	Sum float64 // of the values
	SS  float64 // of the squared deviations from the bucket's mean
}

// Add takes the next value, finite and of the order of 1, and reports whether older values were dropped.
func (a *ADWIN) Add(z float64) (cut bool) {
	a.insert(0, Bucket{Sum: z})
	for a.dropIfCut() {
		cut = true
	}
	return cut
}

// Len returns the number of values in the window.
func (a *ADWIN) Len() int { return int(a.total().n) }

// Mean returns the mean of the window, 0 if it is empty.
func (a *ADWIN) Mean() float64 {
	t := a.total()
	return t.sum / max(t.n, 1)
}

// Shift returns |sum of the window| / max(Len, cycle): the distance of its mean from the reference (0), where a window
// shorter than a cycle is filled up with values at the reference. No cycle of that length can lift it above ½.
func (a *ADWIN) Shift(cycle int) float64 {
	t := a.total()
	return math.Abs(t.sum) / max(t.n, float64(cycle), 1)
}

// insert appends a bucket to row k and merges the two oldest of a row that has become too long into one of the next.
func (a *ADWIN) insert(k int, b Bucket) {
	if k == len(a.Rows) {
		a.Rows = append(a.Rows, nil)
	}
	a.Rows[k] = append(a.Rows[k], b)
	if row := a.Rows[k]; len(row) > adwinBuckets {
		size := float64(int(1) << k)
		merged := row[0].summary(size).merge(row[1].summary(size))
		a.Rows[k] = slices.Delete(row, 0, 2)
		a.insert(k+1, Bucket{Sum: merged.sum, SS: merged.ss})
	}
}

// dropIfCut drops the oldest bucket if some cut shows two different means.
func (a *ADWIN) dropIfCut() bool {
	total := a.total()
	if total.n < 2*adwinMinimum {
		return false
	}
	var head summary
	for b := range a.oldestFirst() {
		head = head.merge(b)
		if head.n >= adwinMinimum && total.n-head.n >= adwinMinimum && differ(head, total) {
			a.dropOldest()
			return true
		}
	}
	return false
}

// differ reports whether the means of head and of the rest of total are further apart than ε.
func differ(head, total summary) bool {
	tail := summary{n: total.n - head.n, sum: total.sum - head.sum}
	confidence := math.Log(2 * math.Log(total.n) / ADWINDelta)
	perM := 1/head.n + 1/tail.n
	epsilon := math.Sqrt(2*perM*total.ss/total.n*confidence) + float64(2*perM*confidence/3)
	return math.Abs(head.sum/head.n-tail.sum/tail.n) > epsilon
}

func (a *ADWIN) dropOldest() {
	last := len(a.Rows) - 1
	a.Rows[last] = slices.Delete(a.Rows[last], 0, 1)
	if len(a.Rows[last]) == 0 {
		a.Rows = a.Rows[:last]
	}
}

func (a *ADWIN) total() summary {
	var t summary
	for b := range a.oldestFirst() {
		t = t.merge(b)
	}
	return t
}

func (a *ADWIN) oldestFirst() iter.Seq[summary] {
	return func(yield func(summary) bool) {
		for k, row := range slices.Backward(a.Rows) {
			for _, b := range row {
				if !yield(b.summary(float64(int(1) << k))) {
					return
				}
			}
		}
	}
}

// summary is a count with its sum and its squared deviations from the mean.
type summary struct{ n, sum, ss float64 }

func (b Bucket) summary(size float64) summary { return summary{size, b.Sum, b.SS} }

func (s summary) merge(o summary) summary {
	if s.n == 0 {
		return o
	}
	d, n := s.sum/s.n-o.sum/o.n, s.n+o.n
	return summary{n, s.sum + o.sum, s.ss + o.ss + float64(d*d*s.n*o.n/n)}
}
