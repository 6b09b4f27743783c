package engine

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/retrain"
)

const (
	predictions = "ai_predictions"
	minSamples  = 100
	warmup      = 10 // vectors of a new host that are settled for sure
)

// epoch is a Monday, midnight UTC.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func minute(k int) time.Time { return epoch.Add(time.Duration(k) * time.Minute) }

// oneLine is the schema of an agent that puts all three features into one line,
// so that each line is a vector.
func oneLine() feature.Schema {
	s := feature.Schema{Interval: time.Minute, Window: 15 * time.Minute}
	for _, name := range []string{"cpu", "memory", "network"} {
		s.Features = append(s.Features, feature.Feature{Name: name, Measurement: "system_metrics", Fields: []string{name}})
	}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	return s
}

func smallForest() detect.Options {
	o := detect.DefaultOptions()
	o.Trees, o.SampleSize, o.Seed, o.Contamination = 20, 64, 7, 0.005
	return o
}

// learning is the configuration of a stream that begins with nothing.
func learning() Config {
	return Config{
		Schema: oneLine(), Detect: smallForest(), Limits: feature.DefaultLimits, Annotate: true, Predictions: predictions,
		Learner: &retrain.Learner{Sync: true, Log: func(string, ...any) {}}, MinSamples: minSamples,
		Retrain: 24 * time.Hour, Accept: 24 * time.Hour,
	}
}

// given is the configuration of a stream that is judged by b, for good.
func given(b *model.Bundle) Config {
	c := learning()
	c.Learner, c.Model = nil, b
	return c
}

// usual are the features of a host that does what it always does; size makes
// hosts of different size.
func usual(r *rand.Rand, size float64) []float64 {
	load := r.Float64()
	return []float64{10 + 20*load + r.Float64(), 40 + 5*r.Float64(), size * (1e6 + 1e6*load + 1e5*r.Float64())}
}

var strange = []float64{97, 90, 50e6}

// fitted is a model of 1000 usual vectors, next to none of which it finds strange.
func fitted(t testing.TB, seed uint64) *model.Bundle {
	c := learning()
	c.MinSamples, c.Detect.Seed, c.Detect.Contamination = 1000, seed, 0.001
	r := newRig(t, c)
	r.usual("trainer", 0, 1000+warmup)
	require.NotNil(t, r.engine.units["trainer"].Champion)
	return r.engine.units["trainer"].Champion.Bundle
}

// emission is a point that came back.
type emission struct {
	handle int
	fields map[string]any // nil: unchanged
	keys   []string
}

// point is a point of the engine's own.
type point struct {
	name   string
	time   time.Time
	tags   map[string]string
	fields map[string]any
	keys   []string
}

func (p *point) float(key string) float64 { return p.fields[key].(float64) }
func (p *point) alarm() bool              { return p.fields[FieldIsAnomaly] == int64(1) }
func (p *point) status() Status           { return Status(p.fields[FieldStatus].(string)) }

// rig drives an engine by simulated time and keeps what comes out.
type rig struct {
	t        testing.TB
	engine   *Engine[int]
	random   *rand.Rand
	handle   int
	passed   int // points that the engine did not take
	emitted  []emission
	verdicts []point // of the measurement predictions
	drift    []point
}

func newRig(t testing.TB, c Config) *rig {
	r := &rig{t: t, random: rand.New(rand.NewPCG(1, 2))}
	e, err := New(c, Output[int](r))
	require.NoError(t, err)
	r.engine = e
	return r
}

func copied(values []lp.Value) (keys []string, fields map[string]any) {
	fields = map[string]any{}
	for i := range values {
		keys = append(keys, values[i].Key)
		fields[values[i].Key] = values[i].Any()
	}
	return keys, fields
}

// Emit is Output.
func (r *rig) Emit(handle int, values []lp.Value) {
	e := emission{handle: handle}
	if values != nil {
		e.keys, e.fields = copied(values)
	}
	r.emitted = append(r.emitted, e)
}

// Write is Output.
func (r *rig) Write(record *lp.Record) {
	p := point{name: record.Name, time: time.Unix(0, record.Time).UTC(), tags: map[string]string{}}
	for _, tag := range record.Tags {
		p.tags[tag[0]] = tag[1]
	}
	p.keys, p.fields = copied(record.Fields)
	if p.name == predictions {
		r.verdicts = append(r.verdicts, p)
	} else {
		r.drift = append(r.drift, p)
	}
}

// line hands the engine a line of line protocol.
func (r *rig) line(text string, now time.Time) {
	var p lp.Point
	require.NoError(r.t, lp.Decode(&p, []byte(text+"\n"), now))
	r.handle++
	if !r.engine.Add(&p, r.handle, now) {
		r.passed++
	}
}

// vector plays one minute of a host and returns what was predicted.
func (r *rig) vector(host string, k int, values []float64) *point {
	r.line(fmt.Sprintf("system_metrics,host=%s cpu=%v,memory=%v,network=%v %d",
		host, values[0], values[1], values[2], minute(k).UnixNano()), minute(k))
	if len(r.verdicts) == 0 {
		return nil
	}
	return &r.verdicts[len(r.verdicts)-1]
}

// usual plays minutes from up to, not including, to of a host that does what it
// always does, and returns what was predicted.
func (r *rig) usual(host string, from, to int) []point {
	before := len(r.verdicts)
	for k := from; k < to; k++ {
		r.vector(host, k, usual(r.random, 1))
	}
	r.engine.Flush(minute(to))
	return r.verdicts[before:]
}

// alarms are those of points that are alarms.
func alarms(points []point) (some []point) {
	for _, p := range points {
		if p.alarm() {
			some = append(some, p)
		}
	}
	return some
}

func statuses(points []point) map[Status]int {
	n := map[Status]int{}
	for i := range points {
		n[points[i].status()]++
	}
	return n
}

// explained checks that the fields of a scored point prove themselves.
func explained(t require.TestingT, p *point) {
	bits := p.float(FieldBase)
	for _, key := range slices.Sorted(maps.Keys(p.fields)) {
		if len(key) > len(PrefixShap) && key[:len(PrefixShap)] == PrefixShap && key != FieldBase {
			bits += p.float(key)
		}
	}
	require.InDelta(t, math.Min(0, bits), math.Log2(p.float(FieldScore)), 1e-9)
}
