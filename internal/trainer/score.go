package trainer

import (
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

// Score runs a record through the engine that the stream uses, and passes on
// the point that it writes for each vector. The record is valid only during the
// call.
func Score(r *history.Record, b *model.Bundle, write func(*lp.Record)) error {
	e, err := engine.New(engine.Config{
		Schema: b.Schema, Limits: feature.DefaultLimits, Model: b, Predictions: "ai_predictions",
	}, engine.Output[struct{}](recordWriter(write)))
	if err != nil {
		return err
	}
	sink := &engineSink{engine: e, schema: &b.Schema}
	if err := r.Read(sink); err != nil {
		return err
	}
	e.Flush(time.Time{})
	return nil
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

func (s *engineSink) Point(p *lp.Point) error {
	s.engine.Add(p, struct{}{}, time.Time{})
	return nil
}

func (s *engineSink) Row(r history.Row) error {
	s.row++
	return s.engine.AddRow(rowTime(r, s.row-1, s.schema), r.Values)
}
