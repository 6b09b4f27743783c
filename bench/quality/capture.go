package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/floats"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
)

// recordings says what became of the faults in the recording of a real Telegraf,
// a recordings for each seed.
type recordings struct {
	Faults int        `json:"faults"`
	Seeds  []recorded `json:"seeds"`
}

type recorded struct {
	Found        int      `json:"found"`
	CulpritFirst int      `json:"culprit_first"`
	FalseAlarms  int      `json:"false_alarms"`
	Missed       []string `json:"missed,omitempty"`
}

const (
	lead   = 5 * time.Second // between the training part and the first fault
	second = 10              // rows of quiet that part two alarms, at one a second
	past   = 2 * time.Minute // the window: docs/FEATURES.md has the rule
)

// capture fits on what comes before the first fault, ten minutes, and judges the
// rest.
func capture(ctx context.Context, dir string, seeds int) (*recordings, error) {
	faults, err := readFaults(filepath.Join(dir, "faults.csv"))
	if err != nil {
		return nil, err
	}
	r, err := history.Open(filepath.Join(dir, "faults.lp.gz"), nil)
	if err != nil {
		return nil, err
	}
	s := feature.DefaultSchema()
	s.Window = past
	// eth0 carries the traffic of others, lo none of the load.
	s.Features[slices.Index(s.Names(), "network")].Include = map[string][]string{"interface": {"eth1"}}
	if err := s.Normalize(); err != nil {
		return nil, err
	}
	src := &trainer.Source{Record: r, Labels: faults}
	if err := trainer.Settle(r, &s); err != nil {
		return nil, err
	}
	set, err := trainer.Collect(ctx, src, s, 0)
	if err != nil {
		return nil, err
	}
	t, err := trainer.ReadTable(ctx, src, s, time.Time{})
	if err != nil {
		return nil, err
	}
	start := faults[0].From.Add(-lead)
	set, err = set.Before(start)
	if err != nil {
		return nil, err
	}
	out := &recordings{Faults: len(faults)}
	for seed := range seeds {
		got, err := replay(ctx, set, t.Series[0], start, uint64(seed))
		if err != nil {
			return nil, err
		}
		out.Seeds = append(out.Seeds, got)
		fmt.Printf("capture, seed %d: %+v of %d\n", seed, got, len(faults))
	}
	return out, nil
}

func replay(ctx context.Context, set *trainer.Set, series *trainer.Series, start time.Time, seed uint64) (r recorded, err error) {
	o := detect.DefaultOptions()
	o.Seed = seed
	b, err := trainer.Fit(set, o, model.Provenance{})
	if err != nil {
		return r, err
	}
	v, err := trainer.Judge(ctx, series, b, start)
	if err != nil {
		return r, err
	}
	// An alarm outlasts its fault by what the window remembers of it.
	events, tail := v.Events(), int(past/set.Schema.Interval)
	for i, e := range events {
		first, named := name(v, e, set.Schema.Names())
		r.Found += b2i(first >= 0)
		r.CulpritFirst += b2i(named)
		if first < 0 {
			r.Missed = append(r.Missed, e.Kind)
		}
		events[i].End = min(e.End+tail, len(v.Flag))
	}
	r.FalseAlarms = eval.FalseAlarms(v.Flag, events, second)
	return r, nil
}

// name gives the first flagged row of a fault, and whether the feature that the
// flagged rows blame most is a culprit.
func name(v *trainer.Verdicts, e eval.Event, features []string) (first int, named bool) {
	first, blame := -1, make([]float64, len(features))
	for i := e.Start; i < e.End; i++ {
		if v.Flag[i] {
			floats.Add(blame, v.Shap[i])
			if first < 0 {
				first = i
			}
		}
	}
	return first, first >= 0 && slices.Contains(e.Cause, features[floats.MaxIdx(blame)])
}

func readFaults(path string) (faults []trainer.Incident, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	for line := 0; ; line++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return faults, nil
		}
		if err != nil {
			return nil, err
		}
		if line == 0 {
			continue
		}
		from, err := seconds(cells[0])
		if err != nil {
			return nil, err
		}
		to, err := seconds(cells[1])
		if err != nil {
			return nil, err
		}
		faults = append(faults, trainer.Incident{
			Period: trainer.Period{From: from, To: to}, Number: line, Kind: cells[2], Cause: strings.Split(cells[3], "+"),
		})
	}
}

func seconds(text string) (time.Time, error) {
	s, err := strconv.ParseFloat(text, 64)
	return time.Unix(0, int64(s*1e9)), err
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *recordings) markdown(w io.Writer) {
	fmt.Fprintf(w, "### Recording of a real Telegraf, %d faults\n\n| seed | found | culprit named first | false alarms |\n| --- | --- | --- | --- |\n", r.Faults)
	for seed, s := range r.Seeds {
		fmt.Fprintf(w, "| %d | %d | %d | %d |\n", seed, s.Found, s.CulpritFirst, s.FalseAlarms)
	}
	fmt.Fprintln(w)
}
