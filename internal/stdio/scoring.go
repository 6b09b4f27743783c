package stdio

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
)

const (
	maxHeld   = 32 << 20    // bytes of lines that wait in the engine; beyond it all intervals are closed
	retryWait = time.Second // after a fault: how long lines pass unscored before an engine is built again
	failWait  = time.Minute // the same where building failed
)

// scoring is a Runner's way to its engine and back.
type scoring struct {
	engine *engine.Engine[[]byte]
	build  Builder
	retry  time.Time // when to build an engine again; zero if there is one, or none is wanted
	point  lp.Point
	pool   pool
	held   int        // bytes
	values []lp.Value // that were emitted last
	suffix []byte     // these as text
	own    []byte     // the line given to the engine at the moment, until it comes back
}

// A Builder makes an engine for an output.
type Builder func(engine.Output[[]byte]) (*engine.Engine[[]byte], error)

// Use gives the runner an engine. After an internal fault it builds another.
func (r *Runner) Use(build Builder) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("internal fault: %v at %s", fault, origin())
		}
	}()
	e, err := build(r)
	if err == nil {
		r.engine, r.build, r.retry = e, build, time.Time{}
	}
	return err
}

// Engine returns the engine in use, nil if there is none.
func (r *Runner) Engine() *engine.Engine[[]byte] { return r.engine }

// add reports whether the engine took the line. The engine keeps a copy.
func (r *Runner) add(line []byte, now time.Time) (taken bool) {
	r.own = append(r.pool.get(), line...)
	keep := r.own
	r.held += len(keep)
	if !r.shield(func() { taken = r.offer(keep, now) }) {
		taken = r.own == nil // it came back before the fault, or from Abandon
	}
	if r.own = nil; !taken {
		r.release(keep)
	}
	if r.held > maxHeld {
		r.flushEngine(now)
	}
	return taken
}

func (r *Runner) offer(line []byte, now time.Time) (taken bool) {
	if err := lp.Decode(&r.point, line, now); err != nil {
		r.counts.Malformed++
		r.log.Minutely("malformed", "W! a line was passed on unread: %v", err)
		return false
	}
	return r.engine.Add(&r.point, line, now)
}

// Emit is engine.Output.
func (r *Runner) Emit(line []byte, values []lp.Value) {
	if values == nil {
		r.buffer = append(r.buffer, line...)
	} else {
		if !slices.Equal(values, r.values) { // the points of a vector have them in common
			r.values = append(r.values[:0], values...)
			r.suffix = lp.AppendValues(r.suffix[:0], values)
		}
		r.buffer = lp.Splice(r.buffer, line, r.suffix)
	}
	if r.own != nil && &line[0] == &r.own[0] {
		r.own = nil
	}
	r.release(line)
	r.flushLarge()
}

// release takes back a line that the engine does not hold any more.
func (r *Runner) release(line []byte) {
	r.held -= len(line)
	r.pool.put(line)
}

// tickEngine does what is due in the engine, or builds one anew, and returns when
// to call again.
func (r *Runner) tickEngine(now time.Time) (next time.Time) {
	if !r.retry.IsZero() && !now.Before(r.retry) {
		r.retry = now.Add(failWait)
		if err := r.Use(r.build); err != nil {
			r.log.Minutely("build", "E! lines are passed on unscored, next try in %v: %v", failWait, err)
		}
	}
	if r.engine == nil {
		return r.retry
	}
	r.shield(func() { next = r.engine.Tick(now) })
	return earliest(next, r.retry)
}

func (r *Runner) flushEngine(now time.Time) {
	if r.engine != nil {
		r.shield(func() { r.engine.Flush(now) })
	}
}

// shield calls what may fail. A fault of ours must not cost a line: what the
// engine held is handed out unscored, and another one will take its place.
func (r *Runner) shield(call func()) (ok bool) {
	defer func() {
		if fault := recover(); fault != nil {
			r.counts.Panics++
			r.log.Minutely("fault", "E! internal fault, please report it: %v at %s", fault, origin())
			r.abandon()
		}
	}()
	call()
	return true
}

func (r *Runner) abandon() {
	if r.engine == nil {
		return
	}
	e := r.engine
	r.engine, r.retry = nil, time.Now().Add(retryWait)
	for _, line := range e.Abandon() {
		r.Emit(line, nil)
	}
}

// origin names the place of a panic that was just recovered from: the first
// function below it that is not the runtime's.
func origin() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicked := false
	for {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
	}
}
