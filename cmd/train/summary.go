package main

import (
	"encoding/json"
	"math"
	"runtime/debug"
	"time"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/trainer"
)

// commit is the revision that this program was built from, "" if unknown.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// number is a float that may not exist: null in JSON, which has no NaN.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if x := float64(n); math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// measurement is the stable JSON of a trainer.Measurement.
type measurement struct {
	Rows          int               `json:"rows"`
	Events        int               `json:"events"`
	Figures       any               `json:"figures"`
	Random        any               `json:"random"`
	Alarms        number            `json:"alarms_per_host_week"`
	LatencyMicros number            `json:"latency_us"`
	ByKind        map[string]number `json:"event_recall_by_kind,omitempty"`
	Naming        *attribution      `json:"attribution,omitempty"`
}

// attribution is how well explanations name causes, with chance beside it.
type attribution struct {
	Model  naming `json:"model"`
	Random naming `json:"random"`
}

type naming struct {
	Events     int    `json:"events"`
	HitRate100 number `json:"hit_rate_100"`
	HitRate150 number `json:"hit_rate_150"`
	Top1       number `json:"top_1"`
}

func newNaming(n eval.Naming) naming {
	return naming{n.Events, number(n.HitRate100), number(n.HitRate150), number(n.Top1)}
}

func newMeasurement(m *trainer.Measurement) *measurement {
	out := &measurement{
		Rows: m.Rows, Events: m.Events, Figures: m.Figures, Random: m.Random, Alarms: number(m.AlarmsPerHostWeek),
		LatencyMicros: number(m.LatencyMicros), ByKind: map[string]number{},
	}
	for kind, recall := range m.ByKind {
		out.ByKind[kind] = number(recall)
	}
	if m.Naming != nil {
		out.Naming = &attribution{newNaming(m.Naming.Model), newNaming(m.Naming.Random)}
	}
	return out
}

// trial is the stable JSON of a grid point.
type trial struct {
	Params map[string]string `json:"params"`
	Result *measurement      `json:"result,omitempty"`
	Error  string            `json:"error,omitempty"`
	Chosen bool              `json:"chosen,omitempty"`
}

// fitSummary is what `train fit --json` writes.
type fitSummary struct {
	Version     string         `json:"version"`
	ID          string         `json:"id"`
	Features    []string       `json:"features"`
	Rows        int            `json:"rows"`
	Groups      int            `json:"groups"`
	From        time.Time      `json:"from"`
	To          time.Time      `json:"to"`
	Interval    string         `json:"interval"`
	LeftOut     map[string]int `json:"left_out"`
	DataDigest  string         `json:"data_digest"`
	Threshold   float64        `json:"threshold"`
	Params      any            `json:"params"`
	HeldOut     *measurement   `json:"held_out,omitempty"`
	HeldOutFrom time.Time      `json:"held_out_from,omitzero"`
	Incidents   string         `json:"incidents,omitempty"` // what the search went by
	Trials      []trial        `json:"trials,omitempty"`
	SampledRows int            `json:"sampled_rows"`
}

func (f *fitting) summary() *fitSummary {
	s := &fitSummary{
		Version: f.version, ID: f.bundle.ID(), Features: f.bundle.Schema.Names(), Rows: f.set.Seen, Groups: f.set.Groups,
		From: f.set.From, To: f.set.To, Interval: f.Schema.Interval.String(), LeftOut: f.set.Dropped, DataDigest: f.set.Digest,
		Threshold: f.bundle.Detector.Threshold, Params: f.point().Params(), SampledRows: len(f.set.Times),
	}
	if f.heldOut != nil {
		s.HeldOut, s.HeldOutFrom = newMeasurement(&f.heldOut.Measurement), f.heldOut.From
	}
	if f.search != nil {
		s.Incidents = "labelled"
		if f.search.Planted {
			s.Incidents = "planted"
		}
		s.Trials = f.trials()
	}
	return s
}

func (f *fitting) point() trainer.Point {
	return trainer.Point{Options: f.Detect, Window: f.Schema.Window}
}

func (f *fitting) trials() (trials []trial) {
	for i, t := range f.search.Trials {
		out := trial{Params: t.Params(), Chosen: i == f.search.Best}
		if t.Err != nil {
			out.Error = t.Err.Error()
		} else {
			out.Result = newMeasurement(&t.Measurement)
		}
		trials = append(trials, out)
	}
	return trials
}
