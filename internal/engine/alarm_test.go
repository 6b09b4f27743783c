package engine

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
)

// bruteAlarm says for each score whether it belongs to an alarm, from the rule's
// words alone.
func bruteAlarm(r AlarmRule, above []bool) (active []bool) {
	for i := range above {
		n := 0
		for k := max(0, i-r.M+1); k <= i; k++ {
			n += int(toInt(above[k]))
		}
		quiet := 0
		for k := i; k >= 0 && !above[k]; k-- {
			quiet++
		}
		begins := above[i] && n >= r.N
		goesOn := i > 0 && active[i-1] && quiet < r.Clear
		active = append(active, begins || goesOn)
	}
	return active
}

func TestAlarmRuleAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.IntRange(1, 64).Draw(rt, "m")
		r := AlarmRule{N: rapid.IntRange(1, m).Draw(rt, "n"), M: m, Clear: rapid.IntRange(1, 5).Draw(rt, "clear")}
		require.NoError(rt, r.Check())
		above := rapid.SliceOfN(rapid.Bool(), 0, 200).Draw(rt, "above")
		var a alarm
		for i, want := range bruteAlarm(r, above) {
			require.Equal(rt, want, a.update(r, minute(i).UnixNano(), above[i], "a", time.Minute), "%v at %d", r, i)
		}
	})
}

func TestAlarmRuleTable(t *testing.T) {
	for _, c := range []struct {
		rule        AlarmRule
		above, want string
	}{
		{DefaultAlarmRule, ".#.##.", ".#.##."},
		{AlarmRule{2, 3, 1}, "#..#.#..##", ".....#...#"},
		{AlarmRule{2, 2, 1}, "#.##.##", "...#..#"},
		{AlarmRule{1, 1, 3}, "#..#....", "######.."},
		{AlarmRule{2, 2, 2}, "##.##..#", ".#####.."},
		{AlarmRule{3, 3, 1}, "##..###", "......#"},
	} {
		var a alarm
		got := ""
		for i := range c.above {
			got += map[bool]string{true: "#", false: "."}[a.update(c.rule, int64(i), c.above[i] == '#', "a", time.Minute)]
		}
		require.Equal(t, c.want, got, "%v of %s", c.rule, c.above)
	}
	for _, r := range []AlarmRule{{}, {0, 1, 1}, {2, 1, 1}, {1, 65, 1}, {1, 1, 0}} {
		require.ErrorContains(t, r.Check(), "makes no sense")
	}
}

// One incident has one id, whatever it does in between; behind an hour of
// silence begins another one, as it does on another host.
func TestEpisodes(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	incidents := []int{150, 160, 205, 300}
	for k := range 400 {
		for _, host := range []string{"a", "b"} {
			values := usual(r.random, 1)
			if slices.Contains(incidents, k) {
				values = strange
			}
			r.vector(host, k, values)
		}
	}
	episodes := map[string][]string{}
	for _, p := range r.verdicts {
		if p.alarm() && slices.Contains(incidents, int(p.time.Sub(epoch)/time.Minute)) {
			episodes[p.tags["host"]] = append(episodes[p.tags["host"]], p.fields[FieldEpisode].(string))
			if p.time.Equal(minute(300)) {
				require.Equal(t, p.time.UnixNano(), p.fields[FieldEpisodeStart])
			}
		}
	}
	a, b := episodes["a"], episodes["b"]
	require.Len(t, a, 4)
	require.Len(t, b, 4)
	require.Equal(t, []string{a[0], a[0], a[0]}, a[:3])
	require.NotEqual(t, a[0], a[3])
	require.NotEqual(t, a, b)
	for _, id := range append(a, b...) {
		require.Regexp(t, "^[0-9a-f]{8}$", id)
	}
}

// The gap that parts two episodes is an hour, or ten intervals where these are
// longer.
func TestEpisodeGap(t *testing.T) {
	for _, c := range []struct {
		interval, apart time.Duration
		same            bool
	}{
		{time.Minute, time.Hour, true}, {time.Minute, time.Hour + 1, false},
		{time.Hour, 10 * time.Hour, true}, {time.Hour, 10*time.Hour + 1, false},
	} {
		var a alarm
		a.update(DefaultAlarmRule, 0, true, "a", c.interval)
		first := a.Episode
		a.update(DefaultAlarmRule, int64(c.apart), true, "a", c.interval)
		require.Equal(t, c.same, first == a.Episode, c.apart)
	}
}

// An alarm that is held open by its rule does not go on behind a gap.
func TestGapEndsAlarm(t *testing.T) {
	c := given(fitted(t, 1))
	c.Alarm = AlarmRule{N: 1, M: 1, Clear: 30}
	r := newRig(t, c)
	r.usual("a", 0, 40)
	require.True(t, r.vector("a", 40, strange).alarm())
	r.usual("a", 41, 60)
	held := r.vector("a", 60, usual(r.random, 1))
	require.True(t, held.alarm())
	require.LessOrEqual(t, held.float(FieldScore), held.float(FieldThreshold))
	require.Contains(t, held.fields[FieldReason], "not cleared yet")
	require.Empty(t, alarms(r.usual("a", 400, 440)))
}

// In a maintenance window nothing alarms, nothing is learned, and no alarm lives
// on; learning of all groups by one model keeps to each group's own windows.
func TestQuietPeriods(t *testing.T) {
	inside := func(group string, at time.Time) bool {
		return group == "a" && !at.Before(minute(150)) && at.Before(minute(200))
	}
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprint("shared ", shared), func(t *testing.T) {
			c := learning()
			c.Quiet, c.Shared, c.Alarm = inside, shared, AlarmRule{N: 1, M: 1, Clear: 100}
			r := newRig(t, c)
			r.usual("a", 0, 149)
			require.True(t, r.vector("a", 149, strange).alarm())
			r.engine.Refit() // comes with the next vector that is learned
			decided := len(decisions(r))
			for k := 150; k < 200; k++ {
				p := r.vector("a", k, strange)
				require.Equal(t, StatusOK, p.status())
				require.False(t, p.alarm())
				require.NotContains(t, p.fields, FieldReason)
			}
			require.Len(t, decisions(r), decided, "nothing was learned")
			require.True(t, r.vector("a", 200, strange).alarm())
			r.vector("a", 201, strange)
			require.Len(t, decisions(r), decided+1)
		})
	}
}

// A feature raises no alarm in a direction nobody minds, nor with a deviation too
// small to matter; the score stays what it is.
func TestWatch(t *testing.T) {
	b := fitted(t, 1)
	high, low := []float64{97, 42, 1.5e6}, []float64{0.1, 42, 1.5e6}
	for _, c := range []struct {
		name   string
		watch  feature.Watch
		values []float64
		alarm  bool
	}{
		{"both, high", feature.Watch{Direction: feature.Both}, high, true},
		{"both, low", feature.Watch{Direction: feature.Both}, low, true},
		{"above, high", feature.Watch{Direction: feature.Above}, high, true},
		{"above, low", feature.Watch{Direction: feature.Above}, low, false},
		{"below, high", feature.Watch{Direction: feature.Below}, high, false},
		{"below, low", feature.Watch{Direction: feature.Below}, low, true},
		{"too little", feature.Watch{Direction: feature.Both, MinDeviation: 85}, high, false},
		{"just enough", feature.Watch{Direction: feature.Both, MinDeviation: 70}, high, true},
		{"above, another feature", feature.Watch{Direction: feature.Below}, strange, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := given(b)
			config.Schema.Features[0].Watch = c.watch
			r := newRig(t, config)
			r.usual("a", 0, 30)
			p := r.vector("a", 30, c.values)
			require.Greater(t, p.float(FieldScore), p.float(FieldThreshold))
			require.Equal(t, c.alarm, p.alarm(), p.fields)
			explained(t, p)
		})
	}
}

var reasonText = regexp.MustCompile(`^(\w+) is (\S+), usually (\S+) to (\S+): (too high|too low|unusual for .*); (?:normal again at (\S+)|normal again once its recent past is usual, too|no change of it alone makes this normal)$`)

// number reads what short wrote.
func number(t require.TestingT, text string) float64 {
	size := 1.0
	if i := strings.IndexAny("kMGT", text[len(text)-1:]); i >= 0 {
		size, text = math.Pow(1000, float64(i+1)), text[:len(text)-1]
	}
	x, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return x * size
}

// The reason names the suspect, its value and range, and a value
// of it at which the same vector is normal: the one that people read, scored
// again, is.
func TestReason(t *testing.T) {
	b := fitted(t, 1)
	changes := 0
	rapid.Check(t, func(rt *rapid.T) {
		strange := []float64{rapid.Float64Range(10, 30).Draw(rt, "cpu"), rapid.Float64Range(40, 45).Draw(rt, "memory"), rapid.Float64Range(1e6, 2e6).Draw(rt, "network")}
		strange[rapid.IntRange(0, 2).Draw(rt, "feature")] *= rapid.Float64Range(0, 3).Draw(rt, "factor")
		r, again := newRig(t, given(b)), newRig(t, given(b))
		r.usual("a", 0, 30)
		again.usual("a", 0, 30)
		p := r.vector("a", 30, strange)
		if !p.alarm() {
			return
		}
		m := reasonText.FindStringSubmatch(p.fields[FieldReason].(string))
		require.NotNil(rt, m, p.fields[FieldReason])
		f := map[string]int{"cpu": 0, "memory": 1, "network": 2}[m[1]]
		require.Equal(rt, m[1], p.fields[FieldSuspect])
		band := b.Detector.Range[f]
		require.Equal(rt, []string{short(strange[f]), short(band.Low), short(band.High)}, m[2:5])
		require.Equal(rt, strange[f] > band.High, m[5] == "too high")
		require.Equal(rt, strange[f] < band.Low, m[5] == "too low")
		if m[6] == "" {
			return
		}
		changes++
		strange[f] = number(rt, m[6])
		q := again.vector("a", 30, strange)
		require.False(rt, q.alarm(), "%s, but then %v", p.fields[FieldReason], q.fields)
	})
	require.NotZero(t, changes, "some anomaly is one feature's")
}

// Between two values that read well may lie one that would be normal, but reads as
// one that is not: that is no advice.
func TestReasonIsTrueAsItReads(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	r.usual("a", 0, 30)
	p := r.vector("a", 30, []float64{14.4921875, 60, 1.7724545e+06})
	require.Contains(t, p.fields[FieldReason], "memory is 60, usually 40 to 45: too high; no change of it alone makes this normal")
}

// No change of one feature helps where two are wrong beyond measure.
func TestReasonOfTwo(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	r.usual("a", 0, 30)
	p := r.vector("a", 30, []float64{1e6, 1e6, 1e12})
	require.Contains(t, p.fields[FieldReason], "no change of it alone makes this normal")
}

// What lasts is in the window, which a usual value now does not empty.
func TestReasonOfWhatLasts(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	r.usual("a", 0, 30)
	var p *point
	for k := range 5 {
		values := usual(r.random, 1)
		values[1] = 60
		p = r.vector("a", 30+k, values)
	}
	require.Contains(t, p.fields[FieldReason], "memory is 60, usually 40 to 45: too high; normal again once its recent past is usual, too")
}

func TestShort(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.5: "0.5", 71.34: "71.3", -71.36: "-71.4", 100: "100", 9999: "9999", 12345: "12.3k", 1e6: "1M", 12.34e6: "12.3M", 5e9: "5G", 2.5e12: "2.5T",
	} {
		require.Equal(t, want, short(x))
	}
}

// What is rounded towards a value reads as it is, and has not gone the other way.
func TestTowards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, middle := rapid.Float64Range(-1e12, 1e12).Draw(t, "x"), rapid.Float64Range(-1e12, 1e12).Draw(t, "middle")
		y := towards(x, middle)
		require.InDelta(t, y, number(t, short(y)), 1e-9*math.Abs(y))
		require.InDelta(t, x, y, 0.0101*math.Abs(x))
		if middle > x {
			require.GreaterOrEqual(t, y, x)
		} else {
			require.LessOrEqual(t, y, x)
		}
	})
}
