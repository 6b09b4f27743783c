package main

import (
	"math"
	"slices"
	"syscall"
	"time"
)

// used is the processor time of this process, all threads and the kernel's work
// for it together.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bundle is long enough for the clock.
const bundle = 5 * time.Millisecond

// best is the least processor time of a call, in microseconds, among bundles of
// calls that take so long in all.
func best(limit time.Duration, call func()) float64 {
	least, n := math.Inf(1), 1
	for end := used() + limit; used() < end; {
		start := used()
		for range n {
			call()
		}
		d := used() - start
		if d < bundle {
			n *= 2
			continue
		}
		least = min(least, micros(d)/float64(n))
	}
	return least
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// A contender takes part in a comparison. measure returns one figure, the less
// the better, or says why there is none.
type contender struct {
	who     string
	measure func() (float64, error)
}

// alternate lets all contenders run by turns, for so many rounds: whatever else
// the machine does hits them alike. Of a contender the best round counts.
func alternate(what string, rounds int, contenders ...contender) []figure {
	figures := make([]figure, len(contenders))
	for i, c := range contenders {
		figures[i] = figure{What: what, Who: c.who}
	}
	for range rounds {
		for i, c := range contenders {
			if figures[i].Why != "" {
				continue
			}
			v, err := c.measure()
			if err != nil {
				figures[i].Why = err.Error()
				continue
			}
			figures[i].Rounds = append(figures[i].Rounds, v)
		}
	}
	for i := range figures {
		if f := &figures[i]; f.Why == "" {
			f.Value = slices.Min(f.Rounds)
		}
	}
	return figures
}
