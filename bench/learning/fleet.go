package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/sim"
)

// fleet is the simulated hosts, and what was said of them.
type fleet struct {
	start    time.Time
	interval time.Duration
	days     int
	streams  []*sim.Stream
	hosts    map[string]*simulated
	order    []string
}

// simulated is one host.
type simulated struct {
	events  []sim.Event
	alarms  []alarm
	flagged []time.Time // rows of all alarms
	scored  int
	first   time.Time // first score
}

// alarm is one episode.
type alarm struct {
	id          string
	first, last time.Time
	rows        int
	reason      string
}

func newFleet(seed uint64, hosts, days int, interval time.Duration) (*fleet, error) {
	f := &fleet{start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), interval: interval, days: days, hosts: map[string]*simulated{}}
	for i, h := range sim.Fleet(seed, hosts) {
		events := story(rand.New(rand.NewPCG(seed, uint64(i))), f.start, days)
		g, err := sim.New(seed, sim.Config{Host: h, Start: f.start, Interval: interval, Events: events})
		if err != nil {
			return nil, err
		}
		f.streams = append(f.streams, &sim.Stream{Generator: g, Format: sim.Telegraf(seed, h)})
		f.hosts[h.Name] = &simulated{events: events}
		f.order = append(f.order, h.Name)
	}
	return f, nil
}

// Emit is engine.Output.
func (f *fleet) Emit(struct{}, []lp.Value) {}

// Write is engine.Output.
func (f *fleet) Write(r *lp.Record) {
	if r.Name != "ai_predictions" || len(r.Tags) == 0 {
		return
	}
	h := f.hosts[r.Tags[0][1]]
	var episode, reason string
	for _, v := range r.Fields {
		switch v.Key {
		case engine.FieldScore:
			h.scored++
			if h.first.IsZero() {
				h.first = time.Unix(0, r.Time)
			}
		case engine.FieldEpisode:
			episode = v.Any().(string)
		case engine.FieldReason:
			reason = v.Any().(string)
		}
	}
	if episode != "" {
		h.note(episode, reason, time.Unix(0, r.Time))
	}
}

func (h *simulated) note(id, reason string, t time.Time) {
	if n := len(h.alarms); n == 0 || h.alarms[n-1].id != id {
		h.alarms = append(h.alarms, alarm{id: id, first: t, reason: reason})
	}
	a := &h.alarms[len(h.alarms)-1]
	a.last = t
	a.rows++
	h.flagged = append(h.flagged, t)
}

// tally sums up a fleet.
type tally struct {
	found, total   map[sim.Kind]int
	falseAlarms    int
	firstDay       int // alarms of it
	firstDayRows   int // and their rows
	deployAlarms   int
	afterReboot    int
	deploys, stuck int
}

func (f *fleet) print(w io.Writer) {
	t := tally{found: map[sim.Kind]int{}, total: map[sim.Kind]int{}}
	var late time.Duration
	for _, name := range f.order {
		h := f.hosts[name]
		late = max(late, h.first.Sub(f.start))
		t.judge(f, name, h)
	}
	weeks := float64(len(f.order)) * float64(f.days-1) / 7
	found, total := 0, 0
	for _, k := range incidents {
		fmt.Fprintf(w, "%-20s %3d of %3d found\n", k, t.found[k], t.total[k])
		found += t.found[k]
		total += t.total[k]
	}
	fmt.Fprintf(w, "event recall                     %.3f (want >= 0.9)\n", float64(found)/float64(total))
	fmt.Fprintf(w, "first score after                %v\n", late)
	fmt.Fprintf(w, "false alarms per host and week   %.2f (%d in all, after the first day; want <= 1)\n", float64(t.falseAlarms)/weeks, t.falseAlarms)
	fmt.Fprintf(w, "alarms on the first day          %.2f per host, of %.1f rows\n", float64(t.firstDay)/float64(len(f.order)), float64(t.firstDayRows)/float64(max(1, t.firstDay)))
	fmt.Fprintf(w, "alarms about deploys             %.2f per deploy\n", float64(t.deployAlarms)/float64(t.deploys))
	fmt.Fprintf(w, "alarms within 10 min of a reboot %d (want 0)\n", t.afterReboot)
	fmt.Fprintf(w, "level shifts not accepted in time %d of %d (want 0)\n", t.stuck, t.deploys)
}

const (
	grace  = 15 * time.Minute // an incident still shows in the rolling numbers
	accept = 25 * time.Hour   // the configured day, and the fit behind it

	stuckRows = 36 // flagged rows in half a day that say a shift was not accepted
)

func (t *tally) judge(f *fleet, name string, h *simulated) {
	mine := make([]bool, len(h.alarms)) // alarms that something explains
	for _, e := range h.events {
		end := e.Start.Add(length(e.Kind))
		switch e.Kind {
		case sim.Deploy:
			t.deploys++
			t.deployAlarms += h.explain(mine, e.Start, e.Start.Add(accept))
			if rows := h.strange(e.Start.Add(accept), e.Start.Add(accept+12*time.Hour)); rows > stuckRows {
				t.stuck++
				if *verbose {
					fmt.Printf("not accepted %s %v: %d rows\n", name, e.Start, rows)
				}
			}
		case sim.Reboot:
			t.afterReboot += h.explain(make([]bool, len(mine)), e.Start, end.Add(10*time.Minute))
		default:
			t.total[e.Kind]++
			if h.explain(mine, e.Start, end.Add(grace)) > 0 {
				t.found[e.Kind]++
			} else if *verbose {
				fmt.Printf("missed %s %s %v %s\n", name, e.Kind, e.Start, e.Feature)
			}
		}
	}
	for i, a := range h.alarms {
		if a.first.Before(f.start.Add(24 * time.Hour)) {
			t.firstDay++
			t.firstDayRows += a.rows
		}
		if !mine[i] && a.first.After(f.start.Add(24*time.Hour)) {
			t.falseAlarms++
			if *verbose {
				fmt.Printf("false %s %v %d rows: %s\n", name, a.first.UTC(), a.rows, a.reason)
			}
		}
	}
}

// explain marks the alarms that touch a span of time and counts them.
func (h *simulated) explain(mine []bool, from, to time.Time) (n int) {
	for i, a := range h.alarms {
		if !a.last.Before(from) && !a.first.After(to) {
			mine[i] = true
			n++
		}
	}
	return n
}

// strange counts the flagged rows of a span of time that no incident explains.
func (h *simulated) strange(from, to time.Time) (n int) {
	for _, t := range h.flagged {
		if !t.Before(from) && t.Before(to) && !slices.ContainsFunc(h.events, func(e sim.Event) bool {
			return e.Kind != sim.Deploy && !t.Before(e.Start) && !t.After(e.Start.Add(length(e.Kind)+grace))
		}) {
			n++
		}
	}
	return n
}

func length(k sim.Kind) time.Duration {
	switch k {
	case sim.Spike10x:
		return 2 * time.Minute
	case sim.MemLeak:
		return 4 * time.Hour
	case sim.NetDrop:
		return 20 * time.Minute
	case sim.Reboot:
		return 3 * time.Minute
	}
	return 0
}
