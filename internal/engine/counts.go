package engine

import (
	"math/bits"
	"time"
)

// Counts are what happened so far.
type Counts struct {
	Vectors, Scored, Anomalies uint64
	Learning, Missing, Warming uint64
	Annotated                  uint64 // points that came scored already
	Promotions, FitErrors      uint64
	Shortened                  uint64 // reasons without a remedy, for lack of time
	Panics                     uint64
	LastPanic                  string
}

func (e *Engine[T]) count(s Status) {
	c := &e.Counts
	switch s {
	case StatusOK:
		c.Scored++
	case StatusWarming:
		c.Scored++
		c.Warming++
	case StatusLearning, StatusNoModel:
		c.Learning++
	case StatusMissing:
		c.Missing++
	}
	if s == StatusOK && e.verdict.Anomaly {
		c.Anomalies++
	}
}

// delays is a histogram of how long points waited, in powers of two of a
// microsecond with four steps each: quantiles are exact to a fifth.
type delays struct {
	counts [4 * 40]uint64
	total  uint64
}

func (d *delays) add(t time.Duration) {
	us := uint64(max(0, t.Microseconds()))
	d.counts[step(us)]++
	d.total++
}

func step(us uint64) int {
	if us < 4 {
		return int(us)
	}
	n := bits.Len64(us)
	return min(4*(n-2)+int(us>>(n-3)&3), 4*40-1)
}

// quantile returns the upper end of the step that holds the q-quantile.
func (d *delays) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(d.total)), uint64(0)
	for i, n := range d.counts {
		if seen += n; seen > rank {
			return upper(i)
		}
	}
	return 0
}

func upper(i int) time.Duration {
	if i < 4 {
		return time.Duration(i) * time.Microsecond
	}
	n := i/4 + 2
	return time.Duration(uint64(i%4+5)<<(n-3)) * time.Microsecond
}
