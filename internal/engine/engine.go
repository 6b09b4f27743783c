// Package engine runs the whole road from points to verdicts: it joins points
// into vectors, learns where there is no model yet, scores, and says what to
// write. The execd program, the Telegraf plugin and the training tool all drive
// this one engine.
package engine

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/retrain"
)

// Config is what an engine needs to know. The schema must be normalized; its
// interval may be 0, which means to learn it.
type Config struct {
	Schema      feature.Schema
	Detect      detect.Options
	MaxHold     time.Duration // longest wait of a line for its interval's others; 0: no limit in wall time
	Limits      feature.Limits
	Annotate    bool   // append fields to the points that made the vector
	Predictions string // measurement of one point per vector; "": none

	// Model serves every group, for good if there is no Learner, else until the
	// group's own is fitted.
	Model      *model.Bundle
	Learner    *retrain.Learner
	Shared     bool          // one learned model for all groups, on normalized features
	MinSamples int           // complete vectors before the first fit; 0: 2 h of intervals, at least 256
	Retrain    time.Duration // see retrain.Policy
	Accept     time.Duration
	Challenger bool
	Reference  *model.Bundle // scores beside every champion, only to be compared; may be nil

	Alarm         AlarmRule
	AlarmsPerWeek float64                              // for each group, which the threshold follows; 0: it stays as fitted
	Quiet         func(group string, t time.Time) bool // maintenance: no alarm, no learning; may be nil
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

	config Config
	policy retrain.Policy
	yardstick
	out      Output[T]
	joiner   *feature.Joiner[T]
	rows     *feature.Sequence // for AddRow
	spacing  feature.Spacing
	wanted   map[string]bool
	filter   *feature.Filter
	shared   *retrain.Unit            // judges every group, if there is one such unit
	units    map[string]*retrain.Unit // else each group has its own
	incoming atomic.Pointer[model.Bundle]
	now      time.Time
	delays   delays
	words    allowance // for what reasons cost

	// The vector at hand.
	verdict    detect.Verdict
	served     *retrain.Serving // that gave the verdict; nil if there is none
	other      detect.Verdict   // of the model beside it
	compared   bool
	why        string
	normalized []float64
	supposed   []float64 // what it would be if

	names  fieldNames
	values []lp.Value
	record lp.Record
}

// New returns an engine. It fails if the model and the schema do not belong
// together.
func New[T any](c Config, out Output[T]) (*Engine[T], error) {
	if err := checkNames(c.Schema.Names()); err != nil {
		return nil, err
	}
	if c.Alarm == (AlarmRule{}) {
		c.Alarm = DefaultAlarmRule
	}
	if c.Shared && c.Model != nil && c.Learner != nil {
		return nil, fmt.Errorf("engine: a model of scope \"shared\" learns on normalized features, for which the given model was not fitted; remove the model or use scope \"group\"")
	}
	c.Shared = c.Shared && c.Learner != nil
	e := &Engine[T]{
		config: c, out: out, names: newFieldNames(c.Schema.Names()),
		wanted: map[string]bool{}, filter: feature.NewFilter(&c.Schema), units: map[string]*retrain.Unit{},
	}
	for _, f := range c.Schema.Features {
		e.wanted[f.Measurement] = true
	}
	for _, b := range []*model.Bundle{c.Model, c.Reference} {
		if b == nil {
			continue
		}
		if err := e.fits(b); err != nil {
			return nil, err
		}
		e.config.Schema.Interval = b.Schema.Interval
	}
	if e.config.Schema.Interval > 0 {
		return e, e.start()
	}
	return e, nil
}

// fits reports why a model cannot serve this configuration.
func (e *Engine[T]) fits(b *model.Bundle) error {
	own := &e.config.Schema
	if own.Hash() != b.Schema.Hash() {
		return fmt.Errorf("engine: the model was fitted for features %s with window %v, the configuration has %s with window %v; fit it again",
			strings.Join(b.Schema.Names(), ","), b.Schema.Window, strings.Join(own.Names(), ","), own.Window)
	}
	if own.Interval > 0 && own.Interval != b.Schema.Interval {
		return fmt.Errorf("engine: the model was fitted at an interval of %v, the configuration says %v; remove the key or fit it again", b.Schema.Interval, own.Interval)
	}
	return nil
}

// start makes what depends on the interval, once that is known.
func (e *Engine[T]) start() (err error) {
	c := &e.config
	if c.MinSamples == 0 {
		c.MinSamples = max(256, int(2*time.Hour/c.Schema.Interval))
	}
	e.yardstick = newYardstick(&c.Schema, int(24*time.Hour/c.Schema.Interval))
	e.policy = retrain.Policy{
		Schema: c.Schema, Detect: c.Detect, MinSamples: c.MinSamples, Period: c.Retrain, Accept: c.Accept,
		Challenger: c.Challenger,
	}
	switch {
	case c.Learner == nil:
		e.shared = retrain.NewFixed(c.Model)
	case c.Learner != nil && c.Shared:
		e.shared = e.newUnit(sharedUnit, sharedSample)
	}
	if e.shared != nil && c.Reference != nil {
		e.shared.Stand(c.Reference)
	}
	e.joiner, err = feature.NewJoiner(&c.Schema, c.MaxHold, c.Limits, e.judge)
	return err
}

// Refit asks every unit for a fit now, whatever its schedule says.
func (e *Engine[T]) Refit() {
	if e.shared != nil {
		e.shared.Refit()
	}
	for _, u := range e.units {
		u.Refit()
	}
}

// Offer puts a model that came from outside into service, at the next vector.
// It may be called from any goroutine.
func (e *Engine[T]) Offer(b *model.Bundle) error {
	if err := e.fits(b); err != nil {
		return err
	}
	e.incoming.Store(b)
	return nil
}

// replace puts a model from outside in the place of the one given before.
func (e *Engine[T]) replace(t int64, b *model.Bundle) {
	e.config.Model = b
	if e.shared != nil {
		e.shared.Offer(t, b)
	}
	for _, u := range e.units {
		u.Offer(t, b)
	}
}

// Wants reports whether a line, of which nothing is decoded yet, may concern the
// engine. Until the interval is known every line of a feature's measurement does.
func (e *Engine[T]) Wants(line []byte) bool {
	if e.joiner == nil {
		return e.wanted[string(lp.Name(line))]
	}
	return e.filter.Wants(line)
}

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
	if b := e.incoming.Swap(nil); b != nil {
		e.replace(v.Time, b)
	}
	h := e.host(v.Group)
	status := e.examine(h, v)
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
		items[i].Done = true
	}
	delay := e.now.Sub(v.Opened)
	if len(items) > 0 {
		e.delays.add(delay)
	}
	if e.config.Predictions != "" {
		e.predict(h, v, status, delay)
	}
	e.decisions(h, v)
}
