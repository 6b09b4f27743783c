// Package tap sits between Telegraf and the processor and measures, for each
// line, how long the processor kept it.
package tap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// A Tap remembers lines that went in and have not come out.
type Tap struct {
	measurement []byte // only its lines are measured

	mu     sync.Mutex
	paused bool
	inside map[string]time.Time
	kept   []time.Duration
	in     int
}

// New returns a tap for the lines of one measurement.
func New(measurement string) *Tap {
	return &Tap{measurement: []byte(measurement + ","), inside: map[string]time.Time{}}
}

// Report is what a tap saw.
type Report struct {
	In, Out       int     // lines
	P50, P99, Max float64 // milliseconds inside
}

// Report sums up.
func (t *Tap) Report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{In: t.in, Out: len(t.kept)}
	if r.Out == 0 {
		return r
	}
	slices.Sort(t.kept)
	at := func(q float64) float64 {
		return float64(t.kept[min(len(t.kept)-1, int(q*float64(len(t.kept))))]) / float64(time.Millisecond)
	}
	r.P50, r.P99, r.Max = at(.5), at(.99), at(1)
	return r
}

// Reset forgets what was measured so far. Lines inside are measured still.
func (t *Tap) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in, t.kept = len(t.inside), nil
}

// Pause says whether lines that go in from now on are left out.
func (t *Tap) Pause(paused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paused = paused
}

// Enter copies what goes into the processor.
func (t *Tap) Enter(to io.Writer, from io.Reader) error {
	return t.copy(to, from, func(key string, now time.Time) {
		if !t.paused {
			t.inside[key] = now
			t.in++
		}
	})
}

// Leave copies what comes out of it. A reader that is slower, as Telegraf is when
// it parses what comes back, does not hold up the processor here: what it has yet
// to read is kept, and no time of the processor's.
func (t *Tap) Leave(to io.Writer, from io.Reader) error {
	q := newQueue(to)
	return errors.Join(t.leave(q, from), q.Close())
}

func (t *Tap) leave(to io.Writer, from io.Reader) error {
	return t.copy(to, from, func(key string, now time.Time) {
		if entered, known := t.inside[key]; known {
			t.kept = append(t.kept, now.Sub(entered))
			delete(t.inside, key)
		}
	})
}

// copy takes the time of a line before it is written on: on the way in that is
// early, on the way out as well, and what is left lengthens the time.
func (t *Tap) copy(to io.Writer, from io.Reader, note func(key string, now time.Time)) error {
	lines := bufio.NewReaderSize(from, 1<<20)
	out := bufio.NewWriterSize(to, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if key, ours := t.key(line); ours {
			now := time.Now()
			t.mu.Lock()
			note(key, now)
			t.mu.Unlock()
		}
		if _, e := out.Write(line); e != nil {
			return e
		}
		if lines.Buffered() == 0 || err != nil {
			if e := out.Flush(); e != nil {
				return e
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// key is what a line keeps on its way: its series and its time.
func (t *Tap) key(line []byte) (string, bool) {
	if !bytes.HasPrefix(line, t.measurement) {
		return "", false
	}
	line = bytes.TrimRight(line, "\n")
	series, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if series < 0 || last == series {
		return "", false
	}
	return string(line[:series]) + string(line[last:]), true
}
