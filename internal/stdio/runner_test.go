package stdio

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/lp"
)

// chunks is a stdin that returns what it is told, piece by piece.
type chunks []string

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	if (*c)[0] = (*c)[0][n:]; (*c)[0] == "" {
		*c = (*c)[1:]
	}
	return n, nil
}

func cut(t *rapid.T, text string) (parts chunks) {
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "chunk")
		parts, text = append(parts, text[:n]), text[n:]
	}
	return parts
}

// Without an engine every byte comes out as it came in, whatever the bytes and
// however they arrive, and always whole lines at once.
func TestPassThroughIsByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.SampledFrom([]string{"\n", "\"", "=\"", "\\", " ", "cpu a=1 1\n", "\r\n"}), rapid.StringOf(rapid.Rune()), rapid.SampledFrom([]string{"\x00", "\xff"}))
		text := strings.Join(rapid.SliceOf(part).Draw(t, "text"), "")
		in, out := cut(t, text), &sink{}
		log := NewLogger(io.Discard)
		defer log.Close()
		r := New(&in, out, log)
		require.NoError(t, r.Run(nil))
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		require.Equal(t, text, out.String())
		for _, end := range ends(out) {
			require.Equal(t, byte('\n'), text[end-1])
		}
	})
}

// ends returns where each Write ended.
func ends(s *sink) (ends []int) {
	sum := 0
	for _, n := range s.writes {
		sum += n
		ends = append(ends, sum)
	}
	return ends
}

// With an engine every line comes out once, those of a series in their order, at
// most with fields appended.
func TestScoredStreamLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for k := range rapid.IntRange(1, 20).Draw(t, "intervals") {
			for _, host := range []string{"a", "b"} {
				lines = append(lines, rapid.Permutation(interval(host, k)).Draw(t, "order")...)
			}
		}
		junk := rapid.SampledFrom([]string{"cpu broken\n", "\n", "# x\n", "mem,host=a used_percent=\"x\" 5\n", "net,host=a,interface=eth0 bytes_recv=1i 5\n"})
		for range rapid.IntRange(0, 5).Draw(t, "junk") {
			lines = slices.Insert(lines, rapid.IntRange(0, len(lines)).Draw(t, "at"), junk.Draw(t, "line"))
		}
		in := cut(t, strings.Join(lines, ""))
		r := &rig{t: nil, out: &sink{}, log: NewLogger(io.Discard)}
		defer r.log.Close()
		r.Runner = New(&in, r.out, r.log)
		require.NoError(t, r.Use(builder(asIs)))
		require.NoError(t, r.Run(nil))
		requireEachOnce(t, lines, r.out.String())
		require.Equal(t, uint64(len(lines)), r.Counts().Lines)
	})
}

func TestScoredLine(t *testing.T) {
	bubble(t, scored(asIs), func(t *testing.T, r *rig) {
		r.say(strings.Join(interval("a", 1), ""))
		r.say(strings.Join(interval("a", 2), ""))
		require.NoError(t, r.end())
		require.Regexp(t, `(?m)^mem,host=a used_percent=40,used=2i,anomaly_score=0\.\d+,is_anomaly=[01]i,shap_cpu=-?[\d.e-]+,shap_memory=-?[\d.e-]+,shap_network=-?[\d.e-]+ 20000000000$`, r.out.String())
	})
}

func TestLinesLeaveAtOnceWhenTheInputPauses(t *testing.T) {
	bubble(t, nothing, func(t *testing.T, r *rig) {
		start := time.Now()
		r.say("cpu a=1 1\nmem b=2")
		require.Equal(t, "cpu a=1 1\n", r.out.String())
		r.say(" 2\n")
		require.Equal(t, "cpu a=1 1\nmem b=2 2\n", r.out.String())
		require.Zero(t, time.Since(start), "no time has passed")
		require.NoError(t, r.end())
	})
}

func TestHeldLinesLeaveWhenTheHoldTimeIsOver(t *testing.T) {
	bubble(t, scored(asIs), func(t *testing.T, r *rig) {
		lines := interval("a", 1)
		r.say(lines[4] + lines[0])
		require.Equal(t, lines[4], r.out.String(), "only what makes a vector waits")
		time.Sleep(time.Second - time.Nanosecond)
		synctest.Wait()
		require.Equal(t, lines[4], r.out.String())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, lines[4]+lines[0], r.out.String())
		require.NoError(t, r.end())
	})
}

func TestCompleteIntervalLeavesAtOnce(t *testing.T) {
	bubble(t, scored(asIs), func(t *testing.T, r *rig) {
		r.say(strings.Join(interval("a", 1), ""))
		time.Sleep(10 * time.Second)
		before := len(r.out.String())
		start := time.Now()
		r.say(strings.Join(interval("a", 2), ""))
		require.Zero(t, time.Since(start))
		require.Equal(t, 5, strings.Count(r.out.String()[before:], "\n"))
		require.NoError(t, r.end())
	})
}

// An open quote that never closes holds back what is behind it for quoteWait,
// however busy the stream is.
func TestOpenQuoteDoesNotHoldBack(t *testing.T) {
	bubble(t, nothing, func(t *testing.T, r *rig) {
		r.say("x s=\"\n")
		text := "x s=\"\n"
		for range 10 {
			time.Sleep(quoteWait / 10)
			r.say("cpu a=1 1\n")
			text += "cpu a=1 1\n"
		}
		synctest.Wait()
		require.Equal(t, text, r.out.String())
		require.NoError(t, r.end())
	})
}

// A string that is on its way is not cut by anything else that time brings.
func TestStringOnItsWayIsNotCut(t *testing.T) {
	bubble(t, func(r *rig) {
		scored(asIs)(r)
		r.Every(10*time.Millisecond, func() {})
	}, func(t *testing.T, r *rig) {
		r.say("cpu,cpu=cpu-total,host=a usage_idle=90,s=\"one\n")
		time.Sleep(quoteWait - time.Millisecond)
		r.say("two\" 10000000000\n")
		require.Empty(t, r.out.String(), "it waits for its interval")
		require.NoError(t, r.end())
		require.Equal(t, uint64(1), r.Counts().Lines)
	})
}

// Nothing is written into the middle of a line that is too long to be held.
func TestLongLineStaysInOnePiece(t *testing.T) {
	bubble(t, func(r *rig) {
		scored(asIs)(r)
		r.Every(100*time.Millisecond, func() {
			r.Write(&lp.Record{Name: "own", Fields: []lp.Value{lp.Int("n", 1)}})
		})
	}, func(t *testing.T, r *rig) {
		long := "x s=" + strings.Repeat("y", 2*lp.MaxLine)
		r.say(interval("a", 1)[0] + long)
		var called atomic.Int64
		require.True(t, r.Call(func() { called.Add(1) }))
		time.Sleep(5 * time.Second)
		require.Zero(t, called.Load())
		r.say("\n")
		time.Sleep(time.Second)
		require.NotZero(t, called.Load())
		require.NoError(t, r.end())
		require.Equal(t, 1, strings.Count(r.out.String(), long+"\n"))
		require.Contains(t, r.out.String(), interval("a", 1)[0])
		require.Contains(t, r.out.String(), "own n=1i")
		require.NotZero(t, r.Counts().TooLong)
	})
}

func TestEndOfInput(t *testing.T) {
	for _, c := range []struct{ name, in, out string }{
		{"nothing", "", ""},
		{"a line", "cpu a=1\n", "cpu a=1\n"},
		{"no newline", "cpu a=1", "cpu a=1\n"},
		{"an open quote", "cpu a=\"1\n", "cpu a=\"1\n"},
		{"an open quote, no newline", "cpu a=\"1\nmem b=2", "cpu a=\"1\nmem b=2\n"},
		{"held lines", interval("a", 1)[0] + interval("a", 1)[2], interval("a", 1)[0] + interval("a", 1)[2]},
		{"a long line", strings.Repeat("x", lp.MaxLine+5), strings.Repeat("x", lp.MaxLine+5) + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, scored(asIs), func(t *testing.T, r *rig) {
				r.say(c.in)
				require.NoError(t, r.end())
				require.Equal(t, c.out, r.out.String())
			})
		})
	}
}

// Asked to stop, the Runner still takes what was written, but for half a line.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name, in, later, out, log string
	}{
		{"idle", "cpu a=1\n", "", "cpu a=1\n", ""},
		{"held lines", interval("a", 1)[0], "", interval("a", 1)[0], ""},
		{"more is on its way", "cpu a=1\n", "mem b=2\n", "cpu a=1\nmem b=2\n", ""},
		{"half a line", "cpu a=1\nmem b=", "", "cpu a=1\n", "W! stopped in the middle of a line, which is dropped\n"},
		{"a line that is completed in time", "cpu a=1\nmem b=", "2\n", "cpu a=1\nmem b=2\n", ""},
		{"a long line", strings.Repeat("x", lp.MaxLine+5), "", strings.Repeat("x", lp.MaxLine+5) + "\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, scored(asIs), func(t *testing.T, r *rig) {
				r.say(c.in)
				close(r.stop)
				synctest.Wait()
				time.Sleep(stopWait / 2)
				if c.later != "" {
					r.say(c.later)
				}
				start := time.Now()
				require.NoError(t, r.finished())
				require.LessOrEqual(t, time.Since(start), stopWait)
				require.Equal(t, c.out, r.out.String())
				require.Equal(t, c.log, r.logs.String())
			})
		})
	}
}

// A stream that never pauses cannot put off the end.
func TestStopInABusyStream(t *testing.T) {
	bubble(t, nothing, func(t *testing.T, r *rig) {
		go func() {
			for err := error(nil); err == nil; time.Sleep(stopWait / 2) {
				_, err = io.WriteString(r.in, "cpu a=1\n")
			}
		}()
		time.Sleep(time.Minute)
		start := time.Now()
		close(r.stop)
		require.NoError(t, r.finished())
		require.Equal(t, stopTime, time.Since(start))
		time.Sleep(stopWait) // until the writer has noticed
	})
}

func TestInputError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Runner = New(io.MultiReader(strings.NewReader("cpu a=1\nmem b=2"), iotest.ErrReader(errors.New("cable cut"))), r.out, r.log)
		r.start()
		require.NoError(t, r.finished())
		require.Equal(t, "cpu a=1\nmem b=2\n", r.out.String())
		require.Equal(t, "E! reading stdin: cable cut\n", r.logs.String())
	})
}

func TestOutputError(t *testing.T) {
	bubble(t, func(r *rig) { r.out.err = errors.New("nobody there") }, func(t *testing.T, r *rig) {
		_, _ = io.WriteString(r.in, "cpu a=1\n")
		require.EqualError(t, r.finished(), "writing stdout: nobody there")
	})
}

// A stdout that nobody reads stops the input: little is held, nothing is lost,
// and all goes on when somebody reads again.
func TestStalledOutput(t *testing.T) {
	bubble(t, func(r *rig) {
		scored(asIs)(r)
		r.out.stall = make(chan struct{})
	}, func(t *testing.T, r *rig) {
		var text bytes.Buffer
		random := rand.New(rand.NewPCG(1, 2))
		for text.Len() < 8<<20 {
			text.WriteString(strings.Repeat("x", random.IntN(500)) + " v=1\n")
		}
		var written atomic.Int64
		go func() {
			for rest := text.Bytes(); len(rest) > 0; rest = rest[min(len(rest), 4096):] {
				n, _ := r.in.Write(rest[:min(len(rest), 4096)])
				written.Add(int64(n))
			}
			_ = r.in.Close()
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Less(t, written.Load(), int64(1<<20), "what waits is bounded")
		r.out.mu.Lock()
		stall := r.out.stall
		r.out.stall = nil
		r.out.mu.Unlock()
		close(stall)
		require.NoError(t, r.finished())
		require.True(t, text.String() == r.out.String())
	})
}

// Lines that wait are bounded in bytes, not only in number.
func TestHeldBytesAreBounded(t *testing.T) {
	bubble(t, scored(asIs), func(t *testing.T, r *rig) {
		pad := strings.Repeat("x", lp.MaxLine/2)
		sent := 0
		for k := range 3 * maxHeld / len(pad) {
			r.say("mem,host=h" + string(rune('a'+k%26)) + string(rune('a'+k/26)) + " used_percent=5,s=\"" + pad + "\" 10000000000\n")
			sent += len(pad)
			require.Less(t, sent-len(r.out.String()), maxHeld+2*lp.MaxLine)
		}
		require.NoError(t, r.end())
	})
}

func TestTasks(t *testing.T) {
	var done []string
	note := func(what string) func() { return func() { done = append(done, what) } }
	bubble(t, func(r *rig) {
		r.Every(time.Minute, note("minute"))
		r.Every(25*time.Second, note("often"))
	}, func(t *testing.T, r *rig) {
		time.Sleep(time.Minute)
		var so []string
		r.ask(func() { so = slices.Clone(done) })
		require.Equal(t, []string{"often", "often", "minute"}, so)
		require.NoError(t, r.end())
		require.Equal(t, []string{"often", "often", "minute", "minute", "often"}, done, "each once more at the end")
	})
}

func TestCall(t *testing.T) {
	r := newRig(t)
	n := 0
	for range cap(r.calls) {
		require.True(t, r.Call(func() { n++ }))
	}
	require.False(t, r.Call(func() { n++ }), "too many wait")
	r.start()
	last := make(chan struct{})
	for !r.Call(func() { close(last) }) {
	}
	<-last
	require.NoError(t, r.end())
	require.Equal(t, cap(r.calls), n)
}
