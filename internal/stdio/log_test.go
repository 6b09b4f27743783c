package stdio

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRecordIsOneShortLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "I! hello", "I! hello\n"},
		{"line ends", "E! a\r\nb", "E! a  b\n"},
		{"control characters", "E! a\x00\x1b[1m\x7f", "E! a  [1m \n"},
		{"invalid UTF-8", "E! \xff", "E! \uFFFD\n"},
		{"as long as may be", strings.Repeat("x", maxRecord-1), strings.Repeat("x", maxRecord-1) + "\n"},
		{"too long", strings.Repeat("x", maxRecord), strings.Repeat("x", maxRecord-4) + "...\n"},
		{"too long, in the middle of a rune", "a" + strings.Repeat("é", maxRecord), "a" + strings.Repeat("é", (maxRecord-5)/2) + "...\n"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, line(c.text)) })
	}
	rapid.Check(t, func(t *rapid.T) {
		text := line(strings.Repeat(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")), rapid.IntRange(1, 300).Draw(t, "times")))
		require.LessOrEqual(t, len(text), maxRecord)
		require.Equal(t, len(text)-1, strings.IndexByte(text, '\n'))
		require.True(t, utf8.ValidString(text))
	})
}

func TestLoggerLimitsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		l := NewLogger(&out)
		for range 5 {
			for range 100 {
				l.Logf("I! %d", 7)
			}
			time.Sleep(time.Second)
		}
		l.Close()
		require.Equal(t, 5*perSecond, strings.Count(out.String(), "I! 7\n"))
		require.Equal(t, 5*(100-perSecond), l.Dropped())
	})
}

func TestMinutely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		l := NewLogger(&out)
		for range 121 {
			l.Minutely("a", "W! a")
			l.Minutely("b", "W! b")
			time.Sleep(time.Second)
		}
		l.Close()
		require.Equal(t, strings.Repeat("W! a\nW! b\n", 3), out.String())
		require.Zero(t, l.Dropped())
	})
}

// A stderr that nobody reads costs records, never time.
func TestLoggerNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		l := NewLogger(out)
		start := time.Now()
		const n = 1000
		for range n {
			l.Logf("E! nobody reads this")
			time.Sleep(time.Second) // or the rate would be the limit
		}
		require.Equal(t, n*time.Second, time.Since(start))
		require.Equal(t, n-queueDepth-1, l.Dropped(), "one is being written")

		start = time.Now()
		l.Close()
		require.Equal(t, closeWait, time.Since(start), "Close does not wait for ever")
		l.Logf("E! after the end")
		l.Close()
		require.Equal(t, n-queueDepth, l.Dropped())
		_ = in.Close()
	})
}

func TestLoggerIsSafeForConcurrentUse(t *testing.T) {
	var out sink
	l := NewLogger(&out)
	done := make(chan struct{})
	for g := range 4 {
		go func() {
			for range 50 {
				l.Logf("I! %d", g)
				l.Minutely(fmt.Sprint(g), "I! m")
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	l.Close()
	require.Equal(t, 4*51, strings.Count(out.String(), "\n")+l.Dropped())
}
