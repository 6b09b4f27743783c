package engine

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"time"
)

// AlarmRule turns verdicts into alarms.
type AlarmRule struct {
	N, M  int // N of the last M scores must be above the threshold
	Clear int // scores in a row below it that end the alarm
}

// DefaultAlarmRule is the plain verdict: stream and file agree.
var DefaultAlarmRule = AlarmRule{N: 1, M: 1, Clear: 1}

// Check reports what is out of range.
func (r AlarmRule) Check() error {
	if r.N < 1 || r.M < r.N || r.M > 64 || r.Clear < 1 {
		return fmt.Errorf("alarm rule %d of %d, cleared after %d, makes no sense: want 1 <= n <= m <= 64 and clear >= 1", r.N, r.M, r.Clear)
	}
	return nil
}

// episodeGap is how long an incident may be quiet: alarms that come closer than
// this, and than episodeIntervals, are one.
const (
	episodeGap       = time.Hour
	episodeIntervals = 10
)

// An alarm is the state of one host's alarms.
type alarm struct {
	History uint64 // newest score in bit 0; 1: above the threshold
	Active  bool
	Below   int    // scores in a row that were not above
	Episode string // id of the newest incident
	Start   int64
	Last    int64 // time of its newest alarm
}

// update takes whether a score is above the threshold, and returns whether the
// host is in alarm.
func (a *alarm) update(r AlarmRule, t int64, above bool, group string, interval time.Duration) bool {
	a.History <<= 1
	if above {
		a.History |= 1
		a.Below = 0
	} else {
		a.Below++
	}
	recent := a.History & (1<<r.M - 1)
	a.Active = bits.OnesCount64(recent) >= r.N && above || a.Active && a.Below < r.Clear
	if a.Active {
		if a.Episode == "" || t-a.Last > int64(max(episodeGap, episodeIntervals*interval)) {
			a.Episode, a.Start = episodeID(group, t), t
		}
		a.Last = t
	}
	return a.Active
}

// rest forgets scores that have nothing to do with those to come: behind a gap,
// or in a maintenance window, nothing is left to be continued.
func (a *alarm) rest() { a.History, a.Below, a.Active = 0, 0, false }

func episodeID(group string, start int64) string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%d", group, start)
	return fmt.Sprintf("%08x", h.Sum32())
}
