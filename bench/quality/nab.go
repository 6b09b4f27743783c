package main

import (
	"context"
	"math"
	"path/filepath"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

// nab judges each file of the Numenta Anomaly Benchmark as a processor would
// that is fitted anew each night on all there was: the first fit is at the end
// of NAB's probation (15 % of the rows, at most 750), and no day is judged by a
// model that has seen it.
func (o *options) nab(ctx context.Context) ([]row, error) {
	files, err := filepath.Glob(filepath.Join(o.Data, "nab", "*.csv.gz"))
	if err != nil {
		return nil, err
	}
	results := make([][]result, o.Seeds)
	for s := range results {
		results[s] = make([]result, len(files))
	}
	err = parallel(o.Seeds*len(files), o.Workers, func(i int) error {
		seed, file := i/len(files), i%len(files)
		var err error
		results[seed][file], err = nabFile(ctx, files[file], uint64(seed))
		return err
	})
	return []row{newRow("shipped defaults", results)}, err
}

func nabFile(ctx context.Context, path string, seed uint64) (r result, err error) {
	src, err := openCSV(path, []string{"value"})
	if err != nil {
		return r, err
	}
	s, err := tableSchema(src, 5*time.Minute)
	if err != nil {
		return r, err
	}
	set, err := trainer.Collect(ctx, src, s, 0)
	if err != nil {
		return r, err
	}
	t, err := trainer.ReadTable(ctx, src, s, time.Time{})
	if err != nil {
		return r, err
	}
	series := t.Series[0]
	first := min(len(series.Rows)*15/100, 750)
	v := &verdicts{}
	for from := first; from < len(series.Rows); {
		day := time.Unix(0, series.Times[from]).UTC()
		next := day.Add(24 * time.Hour)
		if err := nabDay(ctx, v, set, series, day, next, seed); err != nil {
			return r, err
		}
		for from < len(series.Rows) && series.Times[from] < next.UnixNano() {
			from++
		}
	}
	rest := series.Clone(time.Time{})
	rest.Events = nil
	for _, e := range series.Events {
		if e.End > first {
			e.Start, e.End = max(e.Start, first)-first, e.End-first
			rest.Events = append(rest.Events, e)
		}
	}
	t.Series[0] = rest
	return measure(&machine{test: t}, v), nil
}

// nabDay adds the verdicts of one day by a model of all that came before. Models
// of different days have different bases, so rows are ranked by how far above
// the day's threshold they are.
func nabDay(ctx context.Context, v *verdicts, set *trainer.Set, series *trainer.Series, day, next time.Time, seed uint64) error {
	part, err := set.Before(day)
	if err != nil {
		return err
	}
	o := detect.DefaultOptions()
	o.Seed, o.Workers = seed, 1
	b, err := trainer.Fit(part, o, model.Provenance{})
	if err != nil {
		return err
	}
	got, err := trainer.Judge(ctx, series.Clone(next), b, day)
	if err != nil {
		return err
	}
	for i, x := range bits(got, b) {
		v.score = append(v.score, x-math.Log2(b.Detector.Threshold))
		v.flag = append(v.flag, got.Flag[i])
		v.blame = append(v.blame, nil)
	}
	return nil
}
