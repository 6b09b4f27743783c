package main

import (
	"fmt"
	"slices"
)

// A target is a figure that was promised.
type target struct {
	What    string  `json:"what"`
	Peers   string  `json:"peers"`
	Unit    string  `json:"unit"`
	Must    float64 `json:"must"`
	Aim     float64 `json:"aim"`
	Reached float64 `json:"reached,omitempty"`
	Known   bool    `json:"known"` // it was measured
	More    bool    `json:"more"`  // is better
}

// judge fills in what was reached.
func (r *report) judge() {
	add := func(t target, v float64, ok bool) {
		t.Reached, t.Known = v, ok
		r.Targets = append(r.Targets, t)
	}
	own := func(t target, what, who string) {
		v, ok := r.find(what, who)
		add(t, v, ok)
	}
	own(target{What: "score a row, 3 columns", Peers: "Go 8–11, isotree 10, scikit-learn 5 / 500", Unit: "µs", Must: 2, Aim: 1}, "score a row, 3 columns", us)
	own(target{What: "score a row, 38 columns", Peers: "the same", Unit: "µs", Must: 2, Aim: 1}, "score a row, 38 columns", us)
	own(target{What: "score and explain, 3 columns", Peers: "shap 640", Unit: "µs", Must: 20, Aim: 4}, "score and explain a row, 3 columns", us)
	own(target{What: "score and explain, default schema", Peers: "shap 955, FastTreeSHAP 375", Unit: "µs", Must: 100, Aim: 20}, "score and explain a row, 9 columns", us)
	own(target{What: "score and explain, 38 columns", Peers: "shap 1200", Unit: "µs", Must: 150, Aim: 90}, "score and explain a row, 38 columns", us)
	fit, ok := r.find(fmt.Sprintf("fit 100 trees × 256 on %d rows, 9 columns", rows), us)
	add(target{What: "fit", Peers: "isotree 2.6, scikit-learn 108", Unit: "ms", Must: 4, Aim: 2.5}, fit/1e3, ok)
	own(target{What: "a line that passes", Peers: "shim 16–20, cat 0.04", Unit: "µs", Must: 1, Aim: 0.3}, lineOther, us)
	own(target{What: "a line of the stock mix", Peers: "–", Unit: "µs", Must: 3, Aim: 1.5}, lineMix, us)
	telegraf, ok := r.find(throughput, us)
	cat, _ := r.find(throughput, "cat")
	add(target{What: "Telegraf's throughput, against cat", Peers: "shim 0.72", Must: 0.95, Aim: 0.98, More: true}, cat/max(telegraf, 1e-9), ok)
	own(target{What: "model file", Peers: "joblib z3 300", Unit: "kB", Must: 200, Aim: 110}, modelFile, us)
	own(target{What: "start to first line, state of 1,000 hosts", Peers: "–", Unit: "ms", Must: 50, Aim: 50}, startUp, withState)
	for _, t := range []struct{ hosts, must, aim float64 }{{1, 32, 16}, {10_000, 128, 64}, {100_000, 768, 400}} {
		v, ok := at(r.Fleet, t.hosts, "resident_MB")
		add(target{What: fmt.Sprintf("memory of %.0f hosts", t.hosts), Peers: "–", Unit: "MB", Must: t.must, Aim: t.aim}, v, ok)
	}
}

// verdict says in a word how far a target was reached.
func (t *target) verdict() string {
	within := func(limit float64) bool { return t.Reached <= limit != t.More || t.Reached == limit }
	switch {
	case !t.Known:
		return "not measured"
	case within(t.Aim):
		return "aim"
	case within(t.Must):
		return "must"
	}
	return "missed"
}

func targetRows(targets []target) [][]string {
	out := [][]string{{"", "peers, as published in the target", "must", "aim", "reached", ""}}
	for i := range targets {
		t, sign := &targets[i], "≤ "
		if t.More {
			sign = "≥ "
		}
		unit := ""
		if t.Unit != "" {
			unit = " " + t.Unit
		}
		reached := "–"
		if t.Known {
			reached = cell(t.Reached) + unit
		}
		out = append(out, []string{t.What, t.Peers, sign + fmt.Sprint(t.Must) + unit, sign + fmt.Sprint(t.Aim) + unit, reached, t.verdict()})
	}
	return out
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
