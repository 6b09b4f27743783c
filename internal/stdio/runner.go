// Package stdio runs an engine between two pipes, the way Telegraf's
// processors.execd wants it: lines in on stdin, lines out on stdout, nothing lost,
// nothing held up, whatever happens.
package stdio

import (
	"fmt"
	"io"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
)

const (
	flushSize = 64 << 10              // output is written at the latest when this much waits
	quoteWait = 50 * time.Millisecond // how long a line with an open quote may wait for its end
	stopWait  = 50 * time.Millisecond // once asked to stop: how long the input must be silent
	stopTime  = time.Second           // and how long that may take
)

// A Runner forwards lines through an engine. Without an engine it only forwards:
// that is how it fails open.
type Runner struct {
	in      *reader
	out     io.Writer
	log     *Logger
	framer  lp.Framer
	quoteBy time.Time // when a line with an open quote has waited long enough
	buffer  []byte    // whole lines to be written
	counts  Counts
	tasks   []task
	calls   chan func()
	failure error
	scoring
}

// Counts are what a Runner has seen.
type Counts struct {
	Lines, Bytes, Malformed, TooLong, Panics uint64
}

// New returns a Runner from in to out.
func New(in io.Reader, out io.Writer, log *Logger) *Runner {
	return &Runner{in: newReader(in), out: out, log: log, calls: make(chan func(), 16)}
}

// Counts returns what happened so far.
func (r *Runner) Counts() Counts { return r.counts }

// Run forwards until in ends or stop is closed, then hands out what waits. It
// fails only when out does.
func (r *Runner) Run(stop <-chan struct{}) error {
	defer r.in.close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-stop:
			r.in.wake()
		case <-done:
		}
	}()
	for r.failure == nil {
		due := r.next(time.Now())
		if r.called() {
			continue // it may have changed what is due
		}
		chunk, err := r.in.next(due)
		if len(chunk) > 0 {
			r.take(chunk)
		}
		if err != nil {
			return r.finish(true)
		}
		if closed(stop) {
			return r.finish(r.readOn())
		}
		if now := time.Now(); !now.Before(due) {
			r.tick(now)
		}
		r.flush()
	}
	return r.failure
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// next does what is due in the engine and returns when something will be due. In
// the middle of a line nothing else may be written.
func (r *Runner) next(now time.Time) time.Time {
	next := now.Add(time.Hour)
	if r.framer.Inside() {
		return next
	}
	next = earliest(next, r.nextTask())
	next = earliest(next, r.tickEngine(now))
	if r.framer.Waiting() {
		next = earliest(next, r.quoteBy)
	}
	r.flush()
	return next
}

// earliest returns the earlier one of two times. The zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// tick does what became due: open quotes that nobody closed, and tasks.
func (r *Runner) tick(now time.Time) {
	if r.framer.Waiting() && !now.Before(r.quoteBy) {
		r.lines(true, now)
	}
	if !r.framer.Inside() {
		r.dueTasks(now)
	}
}

// take works on a chunk of input.
func (r *Runner) take(chunk []byte) {
	r.counts.Bytes += uint64(len(chunk))
	_, _ = r.framer.Write(chunk) // which never fails
	r.lines(false, time.Now())
}

// lines works on every line that is complete. A line with an open quote waits
// from the moment when it is the first that is not.
func (r *Runner) lines(idle bool, now time.Time) {
	waiting := r.framer.Waiting()
	for {
		line, whole, ok := r.framer.Next(idle)
		if !ok {
			break
		}
		waiting = false
		if whole {
			r.counts.Lines++
			r.line(line, now)
		} else {
			r.counts.TooLong++
			r.forward(line)
		}
	}
	if !waiting {
		r.quoteBy = now.Add(quoteWait)
	}
}

// line gives one line to the engine, or forwards it.
func (r *Runner) line(line []byte, now time.Time) {
	if r.engine == nil || !r.engine.Wants(line) || !r.add(line, now) {
		r.forward(line)
	}
}

// forward puts a line into the output unchanged.
func (r *Runner) forward(line []byte) {
	r.buffer = append(r.buffer, line...)
	r.flushLarge()
}

// Write is engine.Output.
func (r *Runner) Write(record *lp.Record) {
	r.buffer = lp.AppendRecord(r.buffer, record)
	r.flushLarge()
}

func (r *Runner) flushLarge() {
	if len(r.buffer) >= flushSize {
		r.flush()
	}
}

// flush writes what waits: whole lines only, so that a crash leaves no half one.
func (r *Runner) flush() {
	if len(r.buffer) > 0 && r.failure == nil {
		if _, err := r.out.Write(r.buffer); err != nil {
			r.failure = fmt.Errorf("writing stdout: %w", err)
		}
	}
	r.buffer = r.buffer[:0]
}

// readOn takes what the other side has written already, once it is time to stop.
// It reports whether the input has ended.
func (r *Runner) readOn() (ended bool) {
	now := time.Now()
	silent, deadline := now.Add(stopWait), now.Add(stopTime)
	for now.Before(silent) && now.Before(deadline) {
		chunk, err := r.in.next(silent)
		now = time.Now()
		if len(chunk) > 0 {
			r.take(chunk)
			silent = now.Add(stopWait)
		}
		if err != nil {
			return true
		}
	}
	return false
}

// finish hands out everything that waits. A last line that lacks its newline is
// a line if the input ended there. Else it is half a line, which Telegraf would
// take for a whole one.
func (r *Runner) finish(ended bool) error {
	if ended && r.in.err != nil {
		r.log.Logf("E! reading stdin: %v", r.in.err)
	}
	now := time.Now()
	r.lines(true, now)
	switch {
	case r.framer.Inside() || (ended && !r.framer.Empty()):
		_, _ = r.framer.Write([]byte{'\n'})
		r.lines(true, now)
	case !r.framer.Empty():
		r.log.Logf("W! stopped in the middle of a line, which is dropped")
	}
	r.flushEngine(now)
	r.lastTasks()
	r.flush()
	return r.failure
}

var _ engine.Output[[]byte] = (*Runner)(nil)
