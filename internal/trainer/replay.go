package trainer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

// A Replay compares stored points with what a model says now.
type Replay struct {
	Compared int         `json:"compared"`        // points that were compared
	Equal    int         `json:"equal"`           // of them, those equal bit for bit
	Early    int         `json:"early"`           // that differ within a group's first window, whose past the record does not hold
	Differ   int         `json:"differ"`          // later
	Absent   int         `json:"absent"`          // stored points without a new one
	First    *Difference `json:"first,omitempty"` // of those that differ later
}

// A Difference is a field that came out otherwise.
type Difference struct {
	Time   time.Time `json:"time"`
	Group  string    `json:"group"`
	Field  string    `json:"field"`
	Stored any       `json:"stored"` // nil where there is none
	Now    any       `json:"now"`
}

// String says where and what.
func (d *Difference) String() string {
	return fmt.Sprintf("%s %s: %s was %v, is %v", d.Time.Format(time.RFC3339Nano), d.Group, d.Field, d.Stored, d.Now)
}

// Rescore scores a record again and compares the stored points, which may be in
// a record of their own or among the lines of the first. Lines that were scored
// already are scored as if they had not been.
func Rescore(ctx context.Context, r, points *history.Record, b *model.Bundle) (*Replay, error) {
	stored := storedPoints{byKey: map[string]map[string]any{}, groupBy: b.Schema.GroupBy}
	if err := points.Read(&interruptible{Sink: &stored, ctx: ctx}); err != nil {
		return nil, err
	}
	if len(stored.byKey) == 0 {
		return nil, fmt.Errorf("trainer: the record holds no %s points to compare with", predictions)
	}
	c := &comparison{stored: &stored, window: int64(b.Schema.Past()), first: map[string]int64{}}
	e, err := newEngine(b, c.take)
	if err != nil {
		return nil, err
	}
	sink := &cleanSink{engineSink{engine: e, schema: &b.Schema}}
	if err := r.Read(&interruptible{Sink: sink, ctx: ctx}); err != nil {
		return nil, err
	}
	e.Flush(time.Time{})
	c.result.Absent = len(stored.byKey) - c.matched
	return &c.result, nil
}

// storedPoints is a history.Sink that keeps what was written.
type storedPoints struct {
	byKey   map[string]map[string]any
	groupBy []string
}

func pointKey(t int64, group string) string { return fmt.Sprintf("%d %s", t, group) }

// Point implements history.Sink.
func (s *storedPoints) Point(p *lp.Point) error {
	if string(p.Name) != predictions {
		return nil
	}
	var group []string
	for _, tag := range s.groupBy {
		group = append(group, string(p.Tag(tag)))
	}
	fields := map[string]any{}
	for _, f := range p.Fields {
		if f.Numeric {
			fields[string(f.Key)] = f.Value
		}
	}
	s.byKey[pointKey(p.Time, strings.Join(group, ","))] = fields
	return nil
}

// Row implements history.Sink: a table holds no points.
func (s *storedPoints) Row(history.Row) error {
	return fmt.Errorf("trainer: a CSV cannot be replayed; give line protocol")
}

// cleanSink takes away what an engine added to a line.
type cleanSink struct{ engineSink }

// Point implements history.Sink.
func (s *cleanSink) Point(p *lp.Point) error {
	if string(p.Name) == predictions {
		return nil
	}
	p.Fields = slices.DeleteFunc(p.Fields, func(f lp.Field) bool {
		key := string(f.Key)
		return key == engine.FieldScore || key == engine.FieldIsAnomaly || strings.HasPrefix(key, engine.PrefixShap)
	})
	return s.engineSink.Point(p)
}

type comparison struct {
	stored  *storedPoints
	window  int64
	first   map[string]int64 // per group, the first time that was seen
	matched int
	result  Replay
}

func (c *comparison) take(r *lp.Record) {
	var tags []string
	for _, t := range r.Tags {
		tags = append(tags, t[1])
	}
	group := strings.Join(tags, ",")
	if _, seen := c.first[group]; !seen {
		c.first[group] = r.Time
	}
	stored, ok := c.stored.byKey[pointKey(r.Time, group)]
	if !ok {
		return
	}
	c.matched++
	c.result.Compared++
	d := compare(stored, r)
	switch {
	case d == nil:
		c.result.Equal++
	case r.Time-c.first[group] < c.window:
		c.result.Early++
	default:
		if c.result.Differ++; c.result.First == nil {
			d.Time, d.Group = time.Unix(0, r.Time).UTC(), group
			c.result.First = d
		}
	}
}

// compare looks at the numbers of a point, but for those that differ from run to
// run.
func compare(stored map[string]any, r *lp.Record) *Difference {
	for i := range r.Fields {
		f := &r.Fields[i]
		now := f.Any()
		if n, ok := now.(int64); ok {
			now = float64(n)
		}
		if _, numeric := now.(float64); !numeric || f.Key == engine.FieldLatency || f.Key == engine.FieldProgress {
			continue
		}
		if was, ok := stored[f.Key]; !ok || was != now {
			return &Difference{Field: f.Key, Stored: was, Now: now}
		}
	}
	return nil
}
