package engine

import "time"

// An allowance is processor time for what can be left out: a share of all time,
// saved up to a limit. It keeps a storm, in which every vector is an anomaly, from
// holding up the lines that are not.
type allowance struct {
	left time.Duration
	at   time.Time // when it was last looked at
}

const (
	wordShare = 0.01                  // of a core
	wordLimit = 10 * time.Millisecond // lines that come with a storm of alarms wait as long
)

// any reports whether some of it is left.
func (a *allowance) any(now time.Time) bool {
	if a.at.IsZero() {
		a.left = wordLimit
	} else if d := now.Sub(a.at); d > 0 {
		a.left = min(wordLimit, a.left+time.Duration(wordShare*float64(d)))
	}
	a.at = now
	return a.left > 0
}

// spend does something at the allowance's cost.
func (a *allowance) spend(do func()) {
	start := time.Now()
	do()
	a.left -= time.Since(start)
}
