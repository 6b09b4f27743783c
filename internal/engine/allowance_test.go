package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// worked lets time pass that counts as work.
func worked(d time.Duration) func() { return func() { time.Sleep(d) } }

func TestAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a allowance
		require.True(t, a.any(time.Now()), "it begins with all that it can save")
		a.spend(worked(wordLimit / 2))
		require.True(t, a.any(time.Now()))
		a.spend(worked(2 * wordLimit))
		require.False(t, a.any(time.Now()))
		debt := -a.left
		time.Sleep(time.Duration(float64(debt) / wordShare))
		require.False(t, a.any(time.Now().Add(-time.Millisecond)), "the debt is paid, no more")
		require.True(t, a.any(time.Now().Add(time.Millisecond)))
		require.True(t, a.any(time.Now().Add(1000*time.Hour)))
		require.Equal(t, wordLimit, a.left, "no more than that is saved")
		require.True(t, a.any(time.Now()), "a clock that goes back takes nothing")
		require.Equal(t, wordLimit, a.left)
	})
}

// However it is used: over any length of time no more is spent than the share,
// what was saved, and the last thing that was begun.
func TestAllowanceKeepsToItsShare(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		works := rapid.SliceOfN(rapid.IntRange(0, 500), 1, 200).Draw(rt, "works")
		pause := rapid.IntRange(0, 2000).Draw(rt, "pause")
		synctest.Test(t, func(t *testing.T) {
			var a allowance
			start, spent, longest := time.Now(), time.Duration(0), time.Duration(0)
			for _, ms := range works {
				d := time.Duration(ms) * time.Millisecond
				if a.any(time.Now()) {
					a.spend(worked(d))
					spent, longest = spent+d, max(longest, d)
				}
				time.Sleep(time.Duration(pause) * time.Millisecond)
			}
			limit := time.Duration(wordShare*float64(time.Since(start))) + wordLimit + longest
			require.LessOrEqual(rt, spent, limit+time.Millisecond)
		})
	})
}

// In a storm the search for the value that would be normal is left out and
// counted; verdict and Shapley values are not. Away from the clock of the wall
// nothing is ever left out.
func TestReasonsAreShortenedInAStorm(t *testing.T) {
	for _, hold := range []time.Duration{time.Second, 0} {
		c := given(fitted(t, 1))
		c.MaxHold = hold
		r := newRig(t, c)
		r.usual("a", 0, 30)
		r.engine.words.any(r.engine.now)
		r.engine.words.left = -time.Hour
		p := r.vector("a", 30, strange)
		require.True(t, p.alarm())
		explained(t, p)
		reason := p.fields[FieldReason].(string)
		live := hold > 0
		require.Equal(t, live, !strings.Contains(reason, ";"), reason)
		require.Equal(t, map[bool]uint64{true: 1}[live], r.engine.Counts.Shortened)
		_, fields := copied(r.engine.SelfMetric(nil))
		require.Equal(t, int64(r.engine.Counts.Shortened), fields["reasons_shortened"])
	}
}
