// Package engine runs the whole road from points to verdicts: it joins points
// into vectors, learns where there is no model yet, scores, and says what to
// write. The execd program, the Telegraf plugin and the training tool all drive
// this one engine.
package engine

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

// Names of the fields that the engine writes.
const (
	FieldScore     = "anomaly_score"
	FieldIsAnomaly = "is_anomaly"
	FieldThreshold = "threshold"
	FieldBase      = "shap_base"
	FieldStatus    = "status"
	FieldModel     = "model"
	FieldLatency   = "latency_ms"
	FieldProgress  = "progress"
	PrefixShap     = "shap_"
)

// Config is what an engine needs to know. The schema must be normalized; its
// interval may be 0, which means to learn it.
type Config struct {
	Schema      feature.Schema
	Detect      detect.Options
	MaxHold     time.Duration // longest wait of a line for its interval's others; 0: no limit in wall time
	Limits      feature.Limits
	MinSamples  int           // complete vectors before the first fit; 0: 2 h of intervals, at least 256
	Annotate    bool          // append fields to the points that made the vector
	Predictions string        // measurement of one point per vector; "": none
	Model       *model.Bundle // serves every group; nil: learn
	Learner     Learner       // where first models come from; nil: no learning
}

// Output receives what an engine emits. Handles arrive in the order in which
// each series was added.
type Output[T any] interface {
	// Emit hands a point back, with the values to append; nil means unchanged.
	// The values are valid only during the call.
	Emit(handle T, values []lp.Value)
	// Write takes a point of the engine's own, valid only during the call.
	Write(r *lp.Record)
}

// An Engine turns points into verdicts. One goroutine drives it: Add points,
// call Tick when the time that it returned has come, Flush at the end.
type Engine[T any] struct {
	Counts Counts

	config  Config
	out     Output[T]
	joiner  *feature.Joiner[T]
	rows    *feature.Sequence // for AddRow
	spacing feature.Spacing
	wanted  map[string]bool
	shared  *unit // the configured model, if any
	units   int   // models learned so far and being learned
	now     time.Time
	verdict detect.Verdict
	names   fieldNames
	values  []lp.Value
	record  lp.Record
	delays  delays
}

// New returns an engine. It fails if the model and the schema do not belong
// together.
func New[T any](c Config, out Output[T]) (*Engine[T], error) {
	e := &Engine[T]{config: c, out: out, wanted: map[string]bool{}, names: newFieldNames(c.Schema.Names())}
	for _, f := range c.Schema.Features {
		e.wanted[f.Measurement] = true
	}
	if b := c.Model; b != nil {
		if err := e.adopt(b); err != nil {
			return nil, err
		}
	}
	if e.config.Schema.Interval > 0 {
		return e, e.start()
	}
	return e, nil
}

// adopt makes b the model of every group.
func (e *Engine[T]) adopt(b *model.Bundle) error {
	own := e.config.Schema
	if own.Hash() != b.Schema.Hash() {
		return fmt.Errorf("engine: the model was fitted for features %s with window %v, the configuration has %s with window %v; fit it again",
			strings.Join(b.Schema.Names(), ","), b.Schema.Window, strings.Join(own.Names(), ","), own.Window)
	}
	if own.Interval > 0 && own.Interval != b.Schema.Interval {
		return fmt.Errorf("engine: the model was fitted at an interval of %v, the configuration says %v; remove the key or fit it again", b.Schema.Interval, own.Interval)
	}
	e.config.Schema.Interval = b.Schema.Interval
	e.shared = newUnit(b)
	return nil
}

// start makes the joiner, once the interval is known.
func (e *Engine[T]) start() (err error) {
	if e.config.MinSamples == 0 {
		e.config.MinSamples = max(256, int(2*time.Hour/e.config.Schema.Interval))
	}
	e.joiner, err = feature.NewJoiner(&e.config.Schema, e.config.MaxHold, e.config.Limits, e.judge)
	return err
}

// Wants reports whether points of this measurement concern the engine at all.
func (e *Engine[T]) Wants(measurement []byte) bool { return e.wanted[string(measurement)] }

// Interval returns the spacing of the vectors, 0 while it is still being learned.
func (e *Engine[T]) Interval() time.Duration { return e.config.Schema.Interval }

// Add takes a point. It returns false if the caller is to hand the point on
// itself; else it comes back through Output.Emit, before Add returns or later.
func (e *Engine[T]) Add(p *lp.Point, handle T, now time.Time) (taken bool) {
	e.now = now
	if e.annotated(p) {
		e.Counts.Annotated++
		return false
	}
	if e.joiner == nil && !e.learnInterval(p) {
		return false
	}
	return e.joiner.Add(p, handle, now)
}

// AddRow takes a row that holds the features already, see feature.Sequence. The
// interval must be known.
func (e *Engine[T]) AddRow(time int64, values []float64) (err error) {
	if e.rows == nil {
		if e.rows, err = feature.NewSequence(&e.config.Schema, ""); err != nil {
			return err
		}
	}
	if v := e.rows.Add(time, values); v != nil {
		e.judge(v, nil)
	}
	return nil
}

// annotated recognizes what an engine upstream has scored already, as happens
// when Telegraf runs its processors a second time behind an aggregator.
func (e *Engine[T]) annotated(p *lp.Point) bool {
	for i := range p.Fields {
		if string(p.Fields[i].Key) == FieldScore {
			return true
		}
	}
	return false
}

func (e *Engine[T]) learnInterval(p *lp.Point) bool {
	if !e.wanted[string(p.Name)] {
		return false
	}
	d := e.spacing.Add(p)
	if d == 0 {
		return false
	}
	e.config.Schema.Interval = d
	e.spacing = feature.Spacing{}
	return e.start() == nil
}

// Tick does what time asks for and returns when to call again, the zero time if
// only a new point can change anything.
func (e *Engine[T]) Tick(now time.Time) (next time.Time) {
	e.now = now
	if e.joiner == nil {
		return time.Time{}
	}
	return e.joiner.Expire(now)
}

// Flush hands back every point that still waits.
func (e *Engine[T]) Flush(now time.Time) {
	e.now = now
	if e.joiner != nil {
		e.joiner.Flush()
	}
}

// Abandon returns the handles of all points that wait. The engine must not be
// used any more.
func (e *Engine[T]) Abandon() []T {
	if e.joiner == nil {
		return nil
	}
	return e.joiner.Abandon()
}

// judge is called for each vector with the points of its interval.
func (e *Engine[T]) judge(v *feature.Vector, items []feature.Item[T]) {
	status := e.examine(v)
	e.Counts.Vectors++
	e.count(status)
	var values []lp.Value
	if e.config.Annotate && status.scored() {
		values = e.names.annotation(e.values[:0], &e.verdict)
		e.values = values
	}
	for i := range items {
		if items[i].Used {
			e.out.Emit(items[i].Handle, values)
		} else {
			e.out.Emit(items[i].Handle, nil)
		}
	}
	delay := e.now.Sub(v.Opened)
	if len(items) > 0 {
		e.delays.add(delay)
	}
	if e.config.Predictions != "" {
		e.predict(v, status, delay)
	}
}

// examine scores a vector, or says why not. Whatever goes wrong in there must
// not cost a line.
func (e *Engine[T]) examine(v *feature.Vector) (s Status) {
	defer func() {
		if r := recover(); r != nil {
			e.Counts.Panics++
			e.Counts.LastPanic = fmt.Sprintf("%v at %s", r, caller())
			s = StatusError
		}
	}()
	h := e.host(v.Group)
	if h.unit.bundle == nil {
		return e.learn(h, v)
	}
	if s := complete(v, h.unit.bundle); s != StatusOK {
		return s
	}
	if err := h.unit.scorer.Explain(&e.verdict, v.Context); err != nil {
		panic(err)
	}
	if !v.Settled {
		e.verdict.Anomaly = false
		return StatusWarming
	}
	return StatusOK
}

// complete makes sure that every feature has a value, under policy Median by
// putting the training set's in.
func complete(v *feature.Vector, b *model.Bundle) Status {
	if v.Complete() {
		return StatusOK
	}
	if b.Schema.Missing != feature.Median {
		return StatusMissing
	}
	for f, missing := range v.Missing {
		if missing {
			v.Fill(f, b.Detector.Median[f])
		}
	}
	return StatusOK
}

// caller names the place of a panic, the first function outside the runtime.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
	}
}
