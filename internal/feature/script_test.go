package feature

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

var update = flag.Bool("update", false, "write the expected halves of testdata/join anew")

const divider = "\n----\n"

// TestScripts plays the files of testdata/join. A file is a script and, behind a
// divider, what the Joiner makes of it.
//
// A script is line protocol with times in seconds, or in nanoseconds with an n
// behind. A line arrives at its own time, or at the time, in seconds, that stands
// before it as @TIME. "!" leads a setting, see script.set; "#" a comment.
//
// What comes out: "3 passes" for a line that Add leaves to its caller, and for
// each vector its time, group and values (~ carried, ? missing) with the numbers
// of the lines that it gives back, * where they are part of it. A vector that was
// not complete with its last line "waited".
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/join/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			input, want, _ := strings.Cut(string(text), divider)
			got := play(t, input)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(input+divider+got), 0o644))
				return
			}
			require.Equal(t, want, got)
		})
	}
}

// script is a script being played.
type script struct {
	t      require.TestingT
	schema Schema
	hold   time.Duration
	limits Limits
	joiner *Joiner[int]
	line   int
	now    time.Time
	out    strings.Builder

	flushing bool
}

func play(t require.TestingT, text string) string {
	s := &script{t: t, schema: Schema{Interval: 10 * time.Second, Missing: Skip}, hold: time.Second, limits: DefaultLimits}
	for text := range strings.Lines(text) {
		text = strings.TrimSpace(text)
		switch {
		case text == "" || text[0] == '#':
		case text[0] == '!':
			s.set(strings.Fields(text[1:]))
		default:
			s.add(text)
		}
	}
	s.flushing = true
	s.joiner.Flush()
	fmt.Fprintf(&s.out, "%s\n", counts(s.joiner.Counts))
	return s.out.String()
}

// set changes the set-up, before the first line.
func (s *script) set(words []string) {
	value := words[len(words)-1]
	switch key := words[0]; key {
	case "interval":
		s.schema.Interval = s.duration(value)
	case "window":
		s.schema.Window = s.duration(value)
	case "hold":
		s.hold = s.duration(value)
	case "idle":
		s.limits.Idle = s.duration(value)
	case "missing":
		s.schema.Missing = value
	case "groups":
		s.limits.Groups = s.number(value)
	case "held":
		s.limits.Held = s.number(value)
	case "by":
		s.schema.GroupBy = words[1:]
	case "feature": // name measurement field,field kind combine
		s.schema.Features = append(s.schema.Features, Feature{
			Name: words[1], Measurement: words[2], Fields: strings.Split(words[3], ","), Kind: words[4], Combine: words[5],
		})
	default:
		require.Fail(s.t, "unknown setting", key)
	}
}

func (s *script) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	require.NoError(s.t, err)
	return d
}

func (s *script) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(s.t, err)
	return n
}

func (s *script) start() {
	require.NoError(s.t, s.schema.Normalize())
	var err error
	s.joiner, err = NewJoiner(&s.schema, s.hold, s.limits, s.vector)
	require.NoError(s.t, err)
}

func (s *script) add(text string) {
	if s.joiner == nil {
		s.start()
	}
	arrival := ""
	if text[0] == '@' {
		arrival, text, _ = strings.Cut(text[1:], " ")
	}
	space := strings.LastIndexByte(text, ' ')
	at := s.time(text[space+1:])
	s.now = time.Unix(0, at)
	if arrival != "" {
		s.now = time.Unix(0, s.time(arrival))
	}
	s.line++
	s.joiner.Expire(s.now)
	var p lp.Point
	require.NoError(s.t, lp.Decode(&p, fmt.Append(nil, text[:space], " ", at), s.now))
	if !s.joiner.Add(&p, s.line, s.now) {
		fmt.Fprintf(&s.out, "%d passes\n", s.line)
	}
}

// time reads seconds, or nanoseconds with an n behind.
func (s *script) time(text string) int64 {
	if ns, ok := strings.CutSuffix(text, "n"); ok {
		n, err := strconv.ParseInt(ns, 10, 64)
		require.NoError(s.t, err)
		return n
	}
	seconds, err := strconv.ParseFloat(text, 64)
	require.NoError(s.t, err)
	return int64(seconds * 1e9)
}

func (s *script) vector(v *Vector, items []Item[int]) {
	fmt.Fprintf(&s.out, "%s %s:", seconds(v.Time), strings.ReplaceAll(v.Group.Key, "\x00", "/"))
	for f, name := range s.schema.Names() {
		mark := ""
		if v.Carried[f] {
			mark = "~"
		}
		text := mark + strconv.FormatFloat(v.Values[f], 'g', 6, 64)
		if v.Missing[f] {
			text = "?"
		}
		fmt.Fprintf(&s.out, " %s=%s", name, text)
	}
	s.out.WriteString(" <-")
	for _, item := range items {
		fmt.Fprintf(&s.out, " %d", item.Handle)
		if item.Used {
			s.out.WriteString("*")
		}
	}
	if items[len(items)-1].Handle != s.line || s.flushing {
		s.out.WriteString(" waited")
	}
	s.out.WriteString("\n")
}

func seconds(ns int64) string {
	if ns%1e9 == 0 {
		return fmt.Sprint(ns / 1e9)
	}
	return fmt.Sprint(float64(ns) / 1e9)
}

// counts shows what is worth a word.
func counts(c Counts) string {
	words := []string{fmt.Sprintf("points=%d vectors=%d", c.Points, c.Vectors)}
	for _, w := range []struct {
		name string
		n    uint64
	}{
		{"late", c.Late}, {"duplicate", c.Duplicate}, {"invalid", c.Invalid},
		{"refused", c.Refused}, {"evicted", c.Evicted}, {"resynced", c.Resynced},
	} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%s=%d", w.name, w.n))
		}
	}
	return strings.Join(slices.Compact(words), " ")
}
