package chaos

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIdentity(t *testing.T) {
	for _, c := range []struct{ line, id, measurement string }{
		{"cpu,cpu=cpu-total,host=a usage_idle=1,n=2i 5", "cpu,cpu=cpu-total,host=a 5", "cpu"},
		{"cpu,cpu=cpu-total,host=a n=2i,usage_idle=1 5", "cpu,cpu=cpu-total,host=a 5", "cpu"},
		{`system,host=a uptime_format="1 day, 2:03" 7`, "system,host=a 7", "system"},
	} {
		id, measurement := identity([]byte(c.line))
		require.Equal(t, c.id, id)
		require.Equal(t, c.measurement, measurement)
	}
}

var start0 = time.Unix(1000, 0)

// second is a moment of a test.
func second(s float64) time.Time { return start0.Add(time.Duration(s * float64(time.Second))) }

func line(measurement, host string, at int, scored bool) []byte {
	more := ""
	if scored {
		more = "anomaly_score=0.5,"
	}
	return fmt.Appendf(nil, "%s,host=%s %sv=1 %d", measurement, host, more, at)
}

// What is lost is told apart by when it was sent and whether the processor had
// to do with it.
func TestAccount(t *testing.T) {
	l := newLedger()
	for s := range 10 {
		for _, measurement := range []string{"cpu", "disk"} {
			l.send(line(measurement, "a", s, false), second(float64(s)))
		}
	}
	for s := range 10 {
		if s < 4 || s > 6 {
			l.arrive(line("cpu", "a", s, true), second(float64(s)))
		}
		if s != 5 {
			l.arrive(line("disk", "a", s, false), second(float64(s)))
		}
	}
	require.Equal(t, account{in: 20, out: 16, lost: 4, outside: 1, features: 7}, l.account(second(4), second(6)), "the disk's line has no excuse")
	require.Equal(t, account{in: 20, out: 16, lost: 4, outside: 2, passed: 1, features: 7}, l.account(second(3), second(5)))

	l.arrive(line("cpu", "a", 1, true), second(11))
	l.arrive(line("cpu", "b", 1, true), second(11))
	a := l.account(second(4), second(6))
	require.Equal(t, 1, a.twice)
	require.Equal(t, 1, a.strange)
}

func TestWhatOthersAddIsNotCounted(t *testing.T) {
	l := newLedger()
	for _, text := range []string{"ai_predictions,host=a anomaly_score=0.5 1", "anomaly_processor,host=a lines=1i 1", "mem,host=a used_percent_mean=5 1", ""} {
		l.arrive([]byte(text), second(0))
	}
	require.Equal(t, account{}, l.account(second(0), second(9)))
	require.Zero(t, l.judged())
}

// Lines of one series and one time, such as those of Telegraf's system input, go
// and come as often as they were sent.
func TestSeveralLinesOfOneTime(t *testing.T) {
	l := newLedger()
	for range 3 {
		l.send(line("system", "a", 1, false), second(0))
	}
	l.arrive(line("system", "a", 1, false), second(1))
	all, latest := l.complete()
	require.False(t, all)
	require.Equal(t, second(1), latest)
	require.Equal(t, 2, l.account(second(0), second(9)).lost)
	l.arrive(line("system", "a", 1, false), second(2))
	l.arrive(line("system", "a", 1, false), second(3))
	all, latest = l.complete()
	require.True(t, all)
	require.Equal(t, second(3), latest)
}

func TestJudged(t *testing.T) {
	l := newLedger()
	for i, host := range []string{"a", "b", "a", "c"} {
		l.send(line("mem", host, i, false), second(0))
		l.arrive(line("mem", host, i, host != "c"), second(0))
	}
	require.Equal(t, 2, l.judged())
	require.Equal(t, "a", hostOf("mem,cpu=x,host=a 5"))
	require.Equal(t, "a", hostOf("net,host=a,interface=eth0 5"))
	require.Empty(t, hostOf("net 5"))
}

// Scoring is back when a line comes out scored that was sent after the fault;
// one that was under way at its time proves nothing.
func TestBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, over := newLedger(), time.Now()
		l.send(line("mem", "a", 1, false), over.Add(-time.Millisecond))
		l.send(line("mem", "a", 2, false), over)
		l.send(line("mem", "a", 3, false), over.Add(time.Second))
		go func() {
			time.Sleep(time.Second)
			l.arrive(line("mem", "a", 1, true), time.Now())
			l.arrive(line("mem", "a", 2, false), time.Now())
			time.Sleep(time.Second)
			l.arrive(line("mem", "a", 3, true), time.Now())
		}()
		require.Equal(t, 2*time.Second, l.back(context.Background(), over, time.Minute).Sub(over))
		gaveUp := l.back(context.Background(), time.Now(), time.Second)
		require.InDelta(t, 3, gaveUp.Sub(over).Seconds(), 0.01, "it gives up")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.Equal(t, gaveUp, l.back(ctx, time.Now(), time.Minute))
	})
}

// Whatever is sent and lost: what went in is what came out and what was lost.
func TestAccountAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, sent, lost := newLedger(), 0, 0
		for i := range rapid.IntRange(0, 50).Draw(t, "lines") {
			at := rapid.IntRange(0, 20).Draw(t, "time")
			text := line(rapid.SampledFrom([]string{"cpu", "disk"}).Draw(t, "measurement"), "a", at, i%2 == 0)
			l.send(text, second(float64(at)))
			if sent++; rapid.Bool().Draw(t, "lost") {
				lost++
			} else {
				l.arrive(text, second(30))
			}
		}
		a := l.account(second(5), second(10))
		require.Equal(t, account{in: sent, out: sent - lost, lost: lost, outside: a.outside, passed: a.passed, features: a.features}, a)
		require.LessOrEqual(t, a.outside, lost)
		all, _ := l.complete()
		require.Equal(t, lost == 0, all)
	})
}

func TestRestamp(t *testing.T) {
	text := []byte("cpu,host=a v=1 1000\nsystem,host=a f=\"1 day\" -5\n")
	require.Equal(t, "cpu,host=a v=1 1700\nsystem,host=a f=\"1 day\" 695\n", string(restamp(text, 700)))
	require.Equal(t, string(text), string(restamp(restamp(text, int64(time.Hour)), -int64(time.Hour))))
}

// A load's hosts have a past, and say about as much as its name promises.
func TestLoads(t *testing.T) {
	for _, c := range []struct {
		load        load
		least, most float64 // lines per second
	}{{little, 10, 10}, {much, 900, 1200}} {
		hosts, err := c.load.streams()
		require.NoError(t, err)
		require.Len(t, hosts, c.load.hosts)
		lines := 0
		const intervals = 20
		var text bytes.Buffer
		for _, host := range hosts {
			for range intervals {
				text.Reset()
				row := host.Generator.Next()
				text.Write(host.Format(nil, row))
				lines += bytes.Count(text.Bytes(), []byte("\n"))
				require.Less(t, row.Time, time.Now())
			}
		}
		rate := float64(lines) / (intervals * c.load.interval.Seconds())
		require.GreaterOrEqual(t, rate, 0.9*c.least)
		require.LessOrEqual(t, rate, c.most)
	}
}
