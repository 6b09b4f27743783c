package trainer

import (
	"context"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

// predictions is the measurement of the points that Score passes on.
const predictions = "ai_predictions"

// Score runs a record through the engine that the stream uses, and passes on
// the point that it writes for each vector. The point is valid only during the
// call.
func Score(ctx context.Context, r *history.Record, b *model.Bundle, write func(*lp.Record)) error {
	e, err := newEngine(b, write)
	if err != nil {
		return err
	}
	if err := r.Read(&interruptible{Sink: &engineSink{engine: e, schema: &b.Schema}, ctx: ctx}); err != nil {
		return err
	}
	e.Flush(time.Time{})
	return nil
}

func newEngine(b *model.Bundle, write func(*lp.Record)) (*engine.Engine[struct{}], error) {
	return engine.New(engine.Config{
		Schema: b.Schema, Limits: feature.DefaultLimits, Model: b, Predictions: predictions,
	}, engine.Output[struct{}](recordWriter(write)))
}

type recordWriter func(*lp.Record)

func (w recordWriter) Emit(struct{}, []lp.Value) {}
func (w recordWriter) Write(r *lp.Record)        { w(r) }

// engineSink is a history.Sink that drives an engine.
type engineSink struct {
	engine *engine.Engine[struct{}]
	schema *feature.Schema
	row    int64
}

// Point implements history.Sink.
func (s *engineSink) Point(p *lp.Point) error {
	s.engine.Add(p, struct{}{}, time.Time{})
	return nil
}

// Row implements history.Sink.
func (s *engineSink) Row(r history.Row) error {
	s.row++
	return s.engine.AddRow(rowTime(r, s.row-1, s.schema), r.Values)
}
