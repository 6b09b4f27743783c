// Package stdio runs an engine between two pipes, the way Telegraf's
// processors.execd wants it: lines in on stdin, lines out on stdout, nothing lost,
// nothing held up, whatever happens.
package stdio

import (
	"errors"
	"fmt"
	"io"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
)

const (
	chunkSize = 64 << 10              // a pipe's capacity
	flushSize = 64 << 10              // output is written at the latest when this much waits
	quoteWait = 50 * time.Millisecond // how long a line with an open quote may wait for its end
)

// A Runner forwards lines through an engine. Without an engine it only forwards:
// that is how it fails open.
type Runner struct {
	in      io.Reader
	out     io.Writer
	log     *Logger
	engine  *engine.Engine[[]byte]
	build   Builder
	framer  lp.Framer
	point   lp.Point
	buffer  []byte // whole lines to be written
	spare   [][]byte
	suffix  []byte
	counts  Counts
	tasks   []task
	calls   chan func()
	failure error
}

// Counts are what a Runner has seen.
type Counts struct {
	Lines, Bytes, Malformed, TooLong, Panics uint64
}

// New returns a Runner from in to out.
func New(in io.Reader, out io.Writer, log *Logger) *Runner {
	return &Runner{in: in, out: out, log: log, calls: make(chan func(), 16)}
}

// task is something to be done again and again.
type task struct {
	period time.Duration
	next   time.Time
	do     func()
}

// Every has do called each period, and once more when the stream ends, between
// two lines. Call it before Run.
func (r *Runner) Every(period time.Duration, do func()) {
	r.tasks = append(r.tasks, task{period: period, next: time.Now().Add(period), do: do})
}

// Call has do called soon, between two lines. It may be called from any
// goroutine; it reports false if too many calls wait already.
func (r *Runner) Call(do func()) bool {
	select {
	case r.calls <- do:
		return true
	default:
		return false
	}
}

// Counts returns what happened so far.
func (r *Runner) Counts() Counts { return r.counts }

// A Builder makes an engine for an output.
type Builder func(engine.Output[[]byte]) (*engine.Engine[[]byte], error)

// Use gives the runner an engine. After an internal fault it builds another.
func (r *Runner) Use(build Builder) error {
	e, err := build(r)
	if err == nil {
		r.engine, r.build = e, build
	}
	return err
}

// Engine returns the engine in use, nil if there is none.
func (r *Runner) Engine() *engine.Engine[[]byte] { return r.engine }

// Run forwards until in ends or stop is closed, then hands out what waits. It
// fails only when out does.
func (r *Runner) Run(stop <-chan struct{}) error {
	chunks, free := r.read()
	for r.failure == nil {
		timer, wake := r.wake()
		select {
		case chunk, ok := <-chunks:
			if !ok {
				return r.finish()
			}
			r.take(chunk)
			free <- chunk[:chunkSize]
		case do := <-r.calls:
			do()
		case <-wake:
			r.tick(time.Now())
		case <-stop:
			return r.finish()
		}
		timer.Stop()
		r.flush()
	}
	return r.failure
}

// read pumps in into a channel, so that the loop can wait for time as well. Two
// chunks go round: one is being read while the other is being worked on.
func (r *Runner) read() (chunks, free chan []byte) {
	chunks, free = make(chan []byte, 1), make(chan []byte, 2)
	free <- make([]byte, chunkSize)
	free <- make([]byte, chunkSize)
	go func() {
		defer close(chunks)
		for chunk := range free {
			n, err := r.in.Read(chunk)
			if n > 0 {
				chunks <- chunk[:n]
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					r.log.Logf("E! reading stdin: %v", err)
				}
				return
			}
			if n == 0 {
				free <- chunk
			}
		}
	}()
	return chunks, free
}

// wake returns a timer for the next thing that time brings.
func (r *Runner) wake() (*time.Timer, <-chan time.Time) {
	now := time.Now()
	next := now.Add(time.Hour)
	for i := range r.tasks {
		if t := r.tasks[i].next; t.Before(next) {
			next = t
		}
	}
	if r.engine != nil {
		if t := r.tickEngine(now); !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if r.framer.Waiting() && now.Add(quoteWait).Before(next) {
		next = now.Add(quoteWait)
	}
	r.flush()
	t := time.NewTimer(next.Sub(now))
	return t, t.C
}

// tick does what became due: open quotes that nobody closed, and tasks.
func (r *Runner) tick(now time.Time) {
	r.lines(true, now)
	for i := range r.tasks {
		if t := &r.tasks[i]; !now.Before(t.next) {
			t.next = now.Add(t.period)
			t.do()
		}
	}
}

// take works on a chunk of input.
func (r *Runner) take(chunk []byte) {
	r.counts.Bytes += uint64(len(chunk))
	_, _ = r.framer.Write(chunk)
	r.lines(false, time.Now())
}

// lines works on every line that is complete.
func (r *Runner) lines(idle bool, now time.Time) {
	for {
		line, whole, ok := r.framer.Next(idle)
		if !ok {
			return
		}
		if whole {
			r.counts.Lines++
			r.line(line, now)
		} else {
			r.counts.TooLong++
			r.forward(line)
		}
		if len(r.buffer) >= flushSize {
			r.flush()
		}
	}
}

// line gives one line to the engine, or forwards it.
func (r *Runner) line(line []byte, now time.Time) {
	if r.engine == nil || !r.engine.Wants(lp.Name(line)) || !r.add(line, now) {
		r.forward(line)
	}
}

// add reports whether the engine took the line. The engine keeps a copy.
func (r *Runner) add(line []byte, now time.Time) (taken bool) {
	defer r.survive()
	if err := lp.Decode(&r.point, line, now); err != nil {
		r.counts.Malformed++
		r.log.Minutely("malformed", "W! a line was passed on unread: %v", err)
		return false
	}
	keep := append(r.slice(), line...)
	taken = r.engine.Add(&r.point, keep, now)
	if !taken {
		r.spare = append(r.spare, keep)
	}
	return taken
}

// survive keeps a fault of ours from costing a line: what the engine held is
// handed out unscored, and a new one takes its place.
func (r *Runner) survive() {
	fault := recover()
	if fault == nil {
		return
	}
	r.counts.Panics++
	r.log.Minutely("fault", "E! internal fault, starting anew: %v", fault)
	for _, line := range r.engine.Abandon() {
		r.forward(line)
	}
	r.engine = nil
	if err := r.Use(r.build); err != nil {
		r.log.Logf("E! lines are passed on unscored from now on: %v", err)
	}
}

func (r *Runner) tickEngine(now time.Time) (next time.Time) {
	defer r.survive()
	return r.engine.Tick(now)
}

func (r *Runner) slice() []byte {
	if n := len(r.spare); n > 0 {
		b := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return b[:0]
	}
	return nil
}

// forward puts a line into the output unchanged.
func (r *Runner) forward(line []byte) { r.buffer = append(r.buffer, line...) }

// Emit is engine.Output.
func (r *Runner) Emit(line []byte, values []lp.Value) {
	if values == nil {
		r.forward(line)
	} else {
		r.suffix = lp.AppendValues(r.suffix[:0], values)
		r.buffer = lp.Splice(r.buffer, line, r.suffix)
	}
	r.spare = append(r.spare, line)
}

// Write is engine.Output.
func (r *Runner) Write(record *lp.Record) { r.buffer = lp.AppendRecord(r.buffer, record) }

// flush writes what waits: whole lines only, so that a crash leaves no half one.
func (r *Runner) flush() {
	if len(r.buffer) == 0 || r.failure != nil {
		return
	}
	if _, err := r.out.Write(r.buffer); err != nil {
		r.failure = fmt.Errorf("writing stdout: %w", err)
	}
	r.buffer = r.buffer[:0]
}

// finish hands out everything that waits.
func (r *Runner) finish() error {
	now := time.Now()
	r.lines(true, now)
	if !r.framer.Empty() { // a last line that lacks its newline
		_, _ = r.framer.Write([]byte{'\n'})
		r.lines(true, now)
	}
	if r.engine != nil {
		func() {
			defer r.survive()
			r.engine.Flush(now)
		}()
	}
	for i := range r.tasks {
		r.tasks[i].do()
	}
	r.flush()
	return r.failure
}
