package feature

import (
	"time"

	"telegraf-anomaly/internal/lp"
)

const (
	spacingVotes = 3    // moments at which the same spacing was seen settle the interval
	maxVoters    = 1000 // series that are looked at
)

// Spacing learns the interval of a stream: the first distance between points of
// one series that was seen at spacingVotes moments. The zero value is ready to
// use.
type Spacing struct {
	last  map[string]int64
	votes map[time.Duration]vote
}

// vote counts moments, not series: a machine of many cores has no more to say
// about its first, uneven interval than one of few.
type vote struct {
	n    int
	time int64
}

// Add takes a point of a wanted measurement and returns the interval once it is
// known, else 0.
func (s *Spacing) Add(p *lp.Point) time.Duration {
	if s.last == nil {
		s.last, s.votes = map[string]int64{}, map[time.Duration]vote{}
	}
	before, seen := s.last[string(p.Series)]
	if len(s.last) < maxVoters || seen {
		s.last[string(p.Series)] = p.Time
	}
	d := blunt(time.Duration(p.Time - before))
	if !seen || d <= 0 {
		return 0
	}
	if len(s.votes) > maxVoters {
		clear(s.votes)
	}
	v := s.votes[d]
	if v.n == 0 || v.time != p.Time {
		v = vote{v.n + 1, p.Time}
		s.votes[d] = v
	}
	if v.n < spacingVotes {
		return 0
	}
	return d
}

// blunt rounds a distance so that jitter does not show: inputs that are late by
// milliseconds keep their second.
func blunt(d time.Duration) time.Duration {
	if d > 900*time.Millisecond {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
