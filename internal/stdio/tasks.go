package stdio

import "time"

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
		r.in.wake()
		return true
	default:
		return false
	}
}

// called does one thing that Call was given, if there is any, unless this is the
// middle of a line.
func (r *Runner) called() bool {
	if r.framer.Inside() {
		return false
	}
	select {
	case do := <-r.calls:
		r.shield(do)
		return true
	default:
		return false
	}
}

func (r *Runner) nextTask() (next time.Time) {
	for i := range r.tasks {
		next = earliest(r.tasks[i].next, next)
	}
	return next
}

func (r *Runner) dueTasks(now time.Time) {
	for i := range r.tasks {
		if t := &r.tasks[i]; !now.Before(t.next) {
			t.next = now.Add(t.period)
			r.shield(t.do)
		}
	}
}

func (r *Runner) lastTasks() {
	for i := range r.tasks {
		r.shield(r.tasks[i].do)
	}
}
