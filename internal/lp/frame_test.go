package lp

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// piece is what Next returns.
type piece struct {
	text  string
	whole bool
}

// frame feeds chunks to a Framer and returns what comes out.
func frame(f *Framer, chunks ...string) (pieces []piece) {
	for _, c := range chunks {
		_, _ = f.Write([]byte(c))
		pieces = append(pieces, drain(f, false)...)
	}
	return pieces
}

func drain(f *Framer, idle bool) (pieces []piece) {
	for {
		line, whole, ok := f.Next(idle)
		if !ok {
			return pieces
		}
		pieces = append(pieces, piece{string(line), whole})
	}
}

func texts(pieces []piece) (lines []string) {
	for _, p := range pieces {
		lines = append(lines, p.text)
	}
	return lines
}

func TestFramerLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		text  string
		lines []string
	}{
		{"nothing", "", nil},
		{"lines", "cpu a=1 1\nmem b=2 2\n", []string{"cpu a=1 1\n", "mem b=2 2\n"}},
		{"an unfinished line waits", "cpu a=1 1\nmem b=2", []string{"cpu a=1 1\n"}},
		{"carriage returns stay", "cpu a=1 1\r\nmem b=2 2\r\n", []string{"cpu a=1 1\r\n", "mem b=2 2\r\n"}},
		{"empty lines", "\n\ncpu a=1\n\n", []string{"\n", "\n", "cpu a=1\n", "\n"}},
		{"NUL bytes", "c\x00pu a=1\n\x00\n", []string{"c\x00pu a=1\n", "\x00\n"}},
		{"newline inside a string", "cpu s=\"a\nb\",v=1\nmem b=2\n", []string{"cpu s=\"a\nb\",v=1\n", "mem b=2\n"}},
		{"many newlines inside a string", "cpu s=\"\n\n=\n\"\nx v=1\n", []string{"cpu s=\"\n\n=\n\"\n", "x v=1\n"}},
		{"CRLF inside a string", "cpu s=\"a\r\nb\"\r\n", []string{"cpu s=\"a\r\nb\"\r\n"}},
		{"two strings with newlines", "cpu s=\"a\nb\",t=\"c\nd\"\n", []string{"cpu s=\"a\nb\",t=\"c\nd\"\n"}},
		{"escaped quote inside a string", "cpu s=\"a\\\"\nb\"\n", []string{"cpu s=\"a\\\"\nb\"\n"}},
		{"escaped backslash before the closing quote", "cpu s=\"a\\\\\"\nb c=1\n", []string{"cpu s=\"a\\\\\"\n", "b c=1\n"}},
		{"a backslash at the end of the row inside a string", "cpu s=\"a\\\n\"\nb c=1\n", []string{"cpu s=\"a\\\n\"\n", "b c=1\n"}},
		{"quote in a tag", "cpu,h=\"a s=1\nb c=1\n", []string{"cpu,h=\"a s=1\n", "b c=1\n"}},
		{"quote in a measurement", "c\"pu s=1\nb c=1\n", []string{"c\"pu s=1\n", "b c=1\n"}},
		{"quote in a field key", "cpu s\"=1\nb c=1\n", []string{"cpu s\"=1\n", "b c=1\n"}},
		{"quote behind an escaped equals sign of a field key", "cpu s\\=\"=1\nb c=1\n", []string{"cpu s\\=\"=1\n", "b c=1\n"}},
		{"quote inside a number", "cpu s=1\"\nb c=1\n", []string{"cpu s=1\"\n", "b c=1\n"}},
		{"escaped space in a tag", "cpu,h=a\\ b=\"x s=1\nb c=1\n", []string{"cpu,h=a\\ b=\"x s=1\n", "b c=1\n"}},
		{"backslash and escaped space in a tag", "cpu,h=a\\\\ b=\"x s=1\nb c=1\n", []string{"cpu,h=a\\\\ b=\"x s=1\n", "b c=1\n"}},
		{"leading spaces", "  cpu,h=\"a s=1\nb c=1\n", []string{"  cpu,h=\"a s=1\n", "b c=1\n"}},
		{"quote in a comment", "# s=\"\nb c=1\n", []string{"# s=\"\n", "b c=1\n"}},
		{"quote in an indented comment", "  # s=\"\nb c=1\n", []string{"  # s=\"\n", "b c=1\n"}},
		{"not a metric at all", "\"\"\"\n= =\"\" \n\\\n", []string{"\"\"\"\n", "= =\"\" \n", "\\\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.lines, texts(frame(new(Framer), c.text)))
			require.Equal(t, c.lines, texts(frame(new(Framer), strings.Split(c.text, "")...)), "byte by byte")
		})
	}
}

// stream is made of what matters to a Framer.
func stream(t *rapid.T) string {
	part := rapid.SampledFrom([]string{"\n", "\"", "\\", "=", " ", ",", "#", "\r", "a", "cpu a=1 1\n", "cpu s=\"x\ny\"\n", "cpu s=\"", "é", "\x00"})
	return strings.Join(rapid.SliceOfN(part, 0, 60).Draw(t, "stream"), "")
}

func cuts(t *rapid.T, text string) (chunks []string) {
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "chunk")
		chunks, text = append(chunks, text[:n]), text[n:]
	}
	return chunks
}

func TestFramerDoesNotDependOnChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := stream(t)
		want := frame(new(Framer), text)
		f := new(Framer)
		require.Equal(t, want, frame(f, cuts(t, text)...))

		rest := texts(drain(f, true))
		all := strings.Join(append(texts(want), rest...), "")
		require.True(t, strings.HasPrefix(text, all), "nothing added, nothing moved")
		require.NotContains(t, text[len(all):], "\n", "once the stream is idle only an unfinished line stays")
	})
}

// row returns a row of n bytes, its newline included.
func row(n int, start string) string { return start + strings.Repeat("x", n-len(start)-1) + "\n" }

func TestFramerBoundsLines(t *testing.T) {
	open := `cpu s="`
	for _, c := range []struct {
		name  string
		text  string
		whole []string // lines given out whole, in order
	}{
		{"as long as may be", row(MaxLine, "cpu a=") + "b c=1\n", []string{row(MaxLine, "cpu a="), "b c=1\n"}},
		{"one byte more", row(MaxLine+1, "cpu a=") + "b c=1\n", []string{"b c=1\n"}},
		{"three times too long", row(3*MaxLine, "cpu a=") + "b c=1\n", []string{"b c=1\n"}},
		{"two in a row", row(2*MaxLine, "cpu a=") + row(2*MaxLine, "cpu a=") + "b c=1\n", []string{"b c=1\n"}},
		{"a string that is too long is no string", row(9, open) + row(2*MaxLine, "d") + "b c=1\n", []string{row(9, open), "b c=1\n"}},
		{"a string that ends just in time", row(9, open) + row(MaxLine-9, "d\""), []string{row(9, open) + row(MaxLine-9, "d\"")}},
		{"a string that ends a byte too late", row(9, open) + row(MaxLine-8, "d\""), []string{row(9, open), row(MaxLine-8, "d\"")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{len(c.text), 64 << 10, 4097} {
				pieces := frame(new(Framer), chunked(c.text, size)...)
				require.Equal(t, c.text, strings.Join(texts(pieces), ""))
				var whole []string
				for _, p := range pieces {
					if p.whole {
						whole = append(whole, p.text)
					}
				}
				require.True(t, fmt.Sprint(c.whole) == fmt.Sprint(whole), "chunks of %d", size)
			}
		})
	}
}

func chunked(text string, size int) (chunks []string) {
	for ; len(text) > size; text = text[size:] {
		chunks = append(chunks, text[:size])
	}
	return append(chunks, text)
}

func TestFramerInside(t *testing.T) {
	var f Framer
	frame(&f, row(MaxLine+1, "cpu a=")[:MaxLine])
	require.False(t, f.Inside(), "nothing was given out yet")
	frame(&f, "xx")
	require.True(t, f.Inside())
	require.True(t, f.Empty(), "all was given out, the end of the line is missing")
	frame(&f, "x\n")
	require.False(t, f.Inside())
}

func TestFramerIdleEndsOpenQuotes(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		idle []string
		rest bool // an unfinished line stays
	}{
		{"one open quote", "cpu s=\"a\nmem b=2\nnet c=3\n", []string{"cpu s=\"a\n", "mem b=2\n", "net c=3\n"}, false},
		{"another behind it", "cpu s=\"a\nmem s=x\"y=\"\nnet c=3\n", []string{"cpu s=\"a\n", "mem s=x\"y=\"\n", "net c=3\n"}, false},
		{"unfinished line", "cpu s=\"a\nmem b=", []string{"cpu s=\"a\n"}, true},
		{"open quote without newline", "cpu s=\"a", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f Framer
			require.Empty(t, frame(&f, c.text), "as long as bytes may come, the line waits")
			require.Equal(t, len(c.idle) > 0, f.Waiting())
			require.Equal(t, c.idle, texts(drain(&f, true)))
			require.False(t, f.Waiting())
			require.Equal(t, c.rest, !f.Empty())
			more := append(frame(&f, "\nx v=1\n"), drain(&f, true)...)
			require.Equal(t, "x v=1\n", more[len(more)-1].text, "life goes on")
		})
	}
}

// An endless run of lines that each open a quote is read in linear time: the
// work per line does not grow with what waits behind it.
func TestFramerIsLinear(t *testing.T) {
	hostile := map[string]string{
		"every row opens":             "x a=\"\"b=\"\n",
		"one quote, many rows":        "\n",
		"backslashes":                 "\\\\\\\\\\\\\\\\\n",
		"quotes that open and close":  "x a=\"b=\"\n",
		"one long row without quotes": "x",
	}
	measure := func(text string) time.Duration {
		chunks := chunked(text, 64<<10)
		start := time.Now()
		var f Framer
		for i, c := range chunks {
			_, _ = f.Write([]byte(c))
			for ok := true; ok; {
				_, _, ok = f.Next(i == len(chunks)-1)
			}
		}
		return time.Since(start)
	}
	for name, part := range hostile {
		t.Run(name, func(t *testing.T) {
			text := "cpu s=\"" + strings.Repeat(part, (4*MaxLine)/len(part))
			best := time.Hour
			for range 3 {
				best = min(best, measure(text))
			}
			plain := max(measure(strings.Repeat("cpu a=1\n", len(text)/8)), time.Millisecond)
			require.Less(t, best/plain, time.Duration(100), "%v against %v for as many plain bytes", best, plain)
		})
	}
}

// One line of a gigabyte passes in bounded memory.
func TestFramerMemoryOfAnEndlessLine(t *testing.T) {
	size := 1 << 30
	if testing.Short() {
		size = 64 << 20
	}
	chunk := bytes.Repeat([]byte{'x'}, 64<<10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var f Framer
	passed := 0
	take := func() {
		for {
			line, whole, ok := f.Next(false)
			if !ok {
				return
			}
			require.False(t, whole)
			passed += len(line)
		}
	}
	for written := 0; written < size; written += len(chunk) {
		_, _ = f.Write(chunk)
		take()
	}
	_, _ = f.Write([]byte("\n"))
	take()
	runtime.ReadMemStats(&after)
	require.Equal(t, size+1, passed)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*MaxLine), "bytes allocated in all")
	require.Less(t, cap(f.buf), 4*MaxLine)
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte("cpu a=1 1\nmem s=\"a\nb\"\n"), uint8(3))
	f.Add([]byte("cpu,h=\\ \" s=\"\\\\\"\n\"\n#\"\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		want := frame(new(Framer), string(text))
		var g Framer
		got := frame(&g, chunked(string(text), int(size)+1)...)
		require.Equal(t, want, got)
		rest := drain(&g, true)
		_, _ = g.Write([]byte("\n"))
		rest = append(rest, drain(&g, true)...)
		require.Equal(t, string(text)+"\n", strings.Join(texts(append(got, rest...)), ""))
		require.True(t, g.Empty())
	})
}
