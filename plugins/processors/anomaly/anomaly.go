// Package anomaly is the Telegraf face of the detector: its configuration, and a
// telegraf.StreamingProcessor over the engine that the execd program runs too.
package anomaly

import (
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/influxdata/telegraf"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/retrain"
)

//go:embed sample.conf
var sampleConfig string

// Anomaly is the processor. Its exported fields are the configuration.
type Anomaly struct {
	Config
	Log telegraf.Logger `toml:"-"`

	config  engine.Config
	learner *retrain.Learner
	acc     telegraf.Accumulator

	mu     sync.Mutex
	engine *engine.Engine[telegraf.Metric]
	point  lp.Point
	series []byte
	wake   chan time.Time
	done   chan struct{}
	ticker sync.WaitGroup
}

var _ telegraf.StreamingProcessor = (*Anomaly)(nil)

// New returns a processor with the default configuration.
func New() *Anomaly { return &Anomaly{Config: DefaultConfig()} }

// SampleConfig returns the commented configuration.
func (*Anomaly) SampleConfig() string { return sampleConfig }

// Init checks the configuration. It touches no network and no file.
func (a *Anomaly) Init() (err error) {
	a.config, err = a.Config.Engine()
	return err
}

// Start loads the model, if one is configured, and begins to listen to the clock.
func (a *Anomaly) Start(acc telegraf.Accumulator) (err error) {
	a.acc = acc
	a.learner = &retrain.Learner{Log: a.logf}
	if a.config, err = a.Load(a.learner); err != nil {
		return err
	}
	if a.engine, err = engine.New(a.config, engine.Output[telegraf.Metric](a)); err != nil {
		return err
	}
	a.wake, a.done = make(chan time.Time, 1), make(chan struct{})
	a.ticker.Go(a.tick)
	return nil
}

// logf maps the levels that the execd program writes to Telegraf's logger.
func (a *Anomaly) logf(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	switch level, text := text[:2], text[3:]; level {
	case "E!":
		a.Log.Error(text)
	case "W!":
		a.Log.Warn(text)
	default:
		a.Log.Info(text)
	}
}

// tick closes intervals whose time is up.
func (a *Anomaly) tick() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case next := <-a.wake:
			timer.Reset(time.Until(next))
		case now := <-timer.C:
			a.mu.Lock()
			a.schedule(a.engine.Tick(now))
			a.mu.Unlock()
		case <-a.done:
			return
		}
	}
}

// schedule asks for a tick; a newer wish replaces an older one.
func (a *Anomaly) schedule(next time.Time) {
	if next.IsZero() {
		return
	}
	select {
	case <-a.wake:
	default:
	}
	a.wake <- next
}

// Add takes one metric. It comes back through the accumulator, at the latest
// when its interval closes.
func (a *Anomaly) Add(m telegraf.Metric, _ telegraf.Accumulator) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.read(m)
	if !a.engine.Add(&a.point, m, now) {
		a.acc.AddMetric(m)
	}
	a.schedule(a.engine.Tick(now))
	return nil
}

// Stop hands out what waits.
func (a *Anomaly) Stop() {
	close(a.done)
	a.ticker.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.engine.Flush(time.Now())
	a.learner.Wait()
}

// Emit is engine.Output.
func (a *Anomaly) Emit(m telegraf.Metric, values []lp.Value) {
	for i := range values {
		m.AddField(values[i].Key, values[i].Any())
	}
	a.acc.AddMetric(m)
}

// Write is engine.Output.
func (a *Anomaly) Write(r *lp.Record) {
	tags, fields := map[string]string{}, map[string]any{}
	for _, t := range r.Tags {
		if t[1] != "" {
			tags[t[0]] = t[1]
		}
	}
	for i := range r.Fields {
		fields[r.Fields[i].Key] = r.Fields[i].Any()
	}
	a.acc.AddFields(r.Name, fields, tags, time.Unix(0, r.Time))
}

// read makes the engine's view of a metric.
func (a *Anomaly) read(m telegraf.Metric) {
	p := &a.point
	p.Name, p.Time = append(p.Name[:0], m.Name()...), m.Time().UnixNano()
	p.Tags, p.Fields = p.Tags[:0], p.Fields[:0]
	a.series = append(a.series[:0], p.Name...)
	for _, t := range m.TagList() {
		p.Tags = append(p.Tags, lp.Tag{Key: []byte(t.Key), Value: []byte(t.Value)})
		a.series = append(append(append(append(a.series, ','), t.Key...), '='), t.Value...)
	}
	p.Series = a.series
	for _, f := range m.FieldList() {
		v, numeric := toFloat(f.Value)
		p.Fields = append(p.Fields, lp.Field{Key: []byte(f.Key), Value: v, Numeric: numeric})
	}
}

// toFloat converts the numeric types that a telegraf.Metric can hold.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}
