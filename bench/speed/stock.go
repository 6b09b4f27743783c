package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/sim"
)

const (
	seed     = 1
	interval = 10 * time.Second // Telegraf's default
	cores    = 8
	rows     = 2000 // that models are fitted on
	every    = 30   // interval gives one of them: a week in all, so that alarms stay rare
)

var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// streams are hosts with Telegraf's stock inputs.
func streams(n int) (all []*sim.Stream, err error) {
	for _, host := range sim.Fleet(seed, n) {
		host.Cores = cores
		g, err := sim.New(seed, sim.Config{Host: host, Start: epoch, Interval: interval})
		if err != nil {
			return nil, err
		}
		all = append(all, &sim.Stream{Generator: g, Format: sim.Telegraf(seed, host)})
	}
	return all, nil
}

// lines is text of some hosts, those lines of it whose measurement is wanted.
func lines(hosts, intervals int, wanted func(line []byte) bool) ([]byte, error) {
	all, err := streams(hosts)
	if err != nil {
		return nil, err
	}
	var text, kept bytes.Buffer
	for range intervals {
		text.Reset()
		if err := sim.Write(&text, 1, all...); err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text.Bytes()) {
			if wanted == nil || wanted(line) {
				kept.Write(line)
			}
		}
	}
	return kept.Bytes(), nil
}

// contexts are what the default schema makes of a simulated host.
func contexts(s *feature.Schema) (*mat.Dense, error) {
	g, err := sim.New(seed, sim.Config{Host: sim.Fleet(seed, 1)[0], Start: epoch.Add(-rows * every * interval), Interval: interval})
	if err != nil {
		return nil, err
	}
	q, err := feature.NewSequence(s, "host")
	if err != nil {
		return nil, err
	}
	x := mat.NewDense(rows, len(s.Features)*feature.ContextWidth, nil)
	for i := range rows * every {
		r := g.Next()
		v := q.Add(r.Time.UnixNano(), []float64{r.CPU, r.Memory, r.Network})
		if i%every == every-1 {
			x.SetRow(i/every, v.Context)
		}
	}
	return x, nil
}

// fit is a model of the shipped defaults, of so many trees.
func fit(trees int) (*model.Bundle, error) {
	s := feature.DefaultSchema()
	s.Interval = interval
	if err := s.Normalize(); err != nil {
		return nil, err
	}
	x, err := contexts(&s)
	if err != nil {
		return nil, err
	}
	o := detect.DefaultOptions()
	o.Interval, o.Trees = interval, trees
	d, err := detect.Fit(x, s.Names(), true, o)
	if err != nil {
		return nil, err
	}
	return model.New(s, d, x, model.Provenance{Program: "bench", Source: "simulated host"})
}

// serve writes a configuration that serves b, and more keys.
func serve(dir string, b *model.Bundle, keys string) (config string, err error) {
	store, err := model.OpenStore(filepath.Join(dir, "model"))
	if err != nil {
		return "", err
	}
	name, err := store.Save(b, epoch)
	if err == nil {
		err = store.Promote(name)
	}
	if err != nil {
		return "", err
	}
	config = filepath.Join(dir, "anomaly.conf")
	text := fmt.Sprintf("[[processors.anomaly]]\n  model = %q\n%s", filepath.Join(dir, "model"), keys)
	return config, os.WriteFile(config, []byte(text), 0o600)
}

// count is how many lines a text has.
func count(text []byte) int { return bytes.Count(text, []byte("\n")) }
