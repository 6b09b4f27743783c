package trainer

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

// Verdicts are what the engine says of the rows of a series from First on.
type Verdicts struct {
	Series  *Series
	First   int
	Score   []float64     // NaN where there is no verdict
	Flag    []bool        // is_anomaly
	Shap    [][]float64   // per feature, nil where there is no verdict
	Latency time.Duration // of all rows that went through the engine
	judged  int           // their number
}

// Judge runs a series through an engine with b and keeps what it says of the
// rows since from. The rows before only fill the windows.
func Judge(ctx context.Context, s *Series, b *model.Bundle, from time.Time) (*Verdicts, error) {
	v := &Verdicts{Series: s, First: s.at(from)}
	row := v.start(&b.Schema)
	take := func(r *lp.Record) {
		if row >= v.First {
			v.take(r, row, len(b.Schema.Features))
		}
	}
	e, err := newEngine(b, take)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	for ; row < len(s.Rows); row++ {
		if row%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		before := len(v.Score)
		if err := e.AddRow(s.Times[row], s.Rows[row]); err != nil {
			return nil, err
		}
		if row >= v.First && len(v.Score) == before { // the clock went back: no vector
			v.none()
		}
	}
	v.Latency, v.judged = time.Since(started), len(s.Rows)-v.start(&b.Schema)
	return v, nil
}

// flatRows is a run of equal values that no term looks beyond.
const flatRows = 300

// start is where to begin so that the windows are full at First.
func (v *Verdicts) start(s *feature.Schema) int {
	if v.First == 0 {
		return 0
	}
	lead := s.Past() + flatRows*s.Interval
	return v.Series.at(time.Unix(0, v.Series.Times[v.First-1]).Add(-lead))
}

func (v *Verdicts) none() {
	v.Score, v.Flag, v.Shap = append(v.Score, math.NaN()), append(v.Flag, false), append(v.Shap, nil)
}

// take reads the point that the engine wrote of a row.
func (v *Verdicts) take(r *lp.Record, row, features int) {
	score, flag, status := math.NaN(), false, ""
	shap := make([]float64, 0, features)
	for i := range r.Fields {
		f := &r.Fields[i]
		switch value := f.Any().(type) {
		case float64:
			if f.Key == engine.FieldScore {
				score = value
			} else if strings.HasPrefix(f.Key, engine.PrefixShap) && f.Key != engine.FieldBase {
				shap = append(shap, value)
			}
		case int64:
			flag = flag || f.Key == engine.FieldIsAnomaly && value == 1
		case string:
			if f.Key == engine.FieldStatus {
				status = value
			}
		}
	}
	if engine.Status(status) != engine.StatusOK || !v.Series.Calm[row] {
		v.none()
		return
	}
	v.Score, v.Flag, v.Shap = append(v.Score, score), append(v.Flag, flag), append(v.Shap, shap)
}

// Events are the incidents of the judged rows, counted from First.
func (v *Verdicts) Events() []eval.Event {
	return clip(v.Series.Events, v.First, v.First+len(v.Score))
}

// A Judgement is a table's verdicts, one group after the other: rates come out
// per host.
type Judgement struct {
	Groups   []*Verdicts
	Interval time.Duration
}

// JudgeTable judges all series, on as many cores as workers.
func JudgeTable(ctx context.Context, t *Table, b *model.Bundle, from time.Time, workers int) (*Judgement, error) {
	j := &Judgement{Groups: make([]*Verdicts, len(t.Series)), Interval: t.Schema.Interval}
	err := parallel(len(t.Series), workers, func(i int) (err error) {
		j.Groups[i], err = Judge(ctx, t.Series[i], b, from)
		return err
	})
	return j, err
}

// parallel calls f(0) to f(n-1) on workers goroutines and returns the error of
// the lowest index.
func parallel(n, workers int, f func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wait sync.WaitGroup
	for range max(1, min(workers, n)) {
		wait.Go(func() {
			for i := range next {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Flat lines the verdicts of all groups up: scores, flags and incidents.
func (j *Judgement) Flat() (score []float64, flag []bool, events []eval.Event) {
	for _, v := range j.Groups {
		for _, e := range v.Events() {
			e.Start, e.End = e.Start+len(score), e.End+len(score)
			events = append(events, e)
		}
		score, flag = append(score, v.Score...), append(flag, v.Flag...)
	}
	return score, flag, events
}

// AlarmsPerHostWeek is the rate of alarms, wanted or not, that the judged rows
// would have raised. An alarm is a run of flags as eval.FalseAlarms merges them.
// It is NaN without rows.
func (j *Judgement) AlarmsPerHostWeek() float64 {
	alarms, rows := 0, 0
	for _, v := range j.Groups {
		alarms += eval.FalseAlarms(v.Flag, nil, eval.MergeGap(j.Interval))
		rows += len(v.Flag)
	}
	weeks := float64(rows) * float64(j.Interval) / float64(7*24*time.Hour)
	if weeks == 0 {
		return math.NaN()
	}
	return float64(alarms) / weeks
}
