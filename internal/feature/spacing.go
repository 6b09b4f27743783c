package feature

import (
	"time"

	"telegraf-anomaly/internal/lp"
)

// spacingVotes is how many equal distances in time settle the interval.
const spacingVotes = 8

// Spacing learns the interval of a stream: the first distance between points of
// one series that was seen spacingVotes times. The zero value is ready to use.
type Spacing struct {
	last  map[string]int64
	votes map[int64]int
}

// Add takes a point of a wanted measurement and returns the interval once it is
// known, else 0.
func (s *Spacing) Add(p *lp.Point) time.Duration {
	if s.last == nil {
		s.last, s.votes = map[string]int64{}, map[int64]int{}
	}
	before, seen := s.last[string(p.Series)]
	if len(s.last) < 1000 || seen {
		s.last[string(p.Series)] = p.Time
	}
	d := p.Time - before
	if !seen || d <= 0 {
		return 0
	}
	if d > int64(time.Second) { // inputs that are late by milliseconds keep their second
		d = int64(time.Duration(d).Round(time.Second))
	}
	if len(s.votes) > 1000 {
		clear(s.votes)
	}
	if s.votes[d]++; s.votes[d] < spacingVotes {
		return 0
	}
	return time.Duration(d)
}
