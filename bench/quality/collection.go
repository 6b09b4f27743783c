package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/trainer"
)

// A collection is a folder of machines that were labelled by the same people:
// <machine>_train.csv.gz and <machine>_test.csv.gz.
type collection struct {
	Name     string
	Folder   string
	Features []string // empty: every column
	Interval time.Duration
}

var collections = []collection{
	{"smd3", "smd", []string{"cpu_r", "mem_u", "eth1_fi"}, time.Minute},
	{"smd4", "smd", []string{"cpu_r", "mem_u", "eth1_fi", "disk_u"}, time.Minute},
	{"smd38", "smd", nil, time.Minute},
	{"asd", "asd", nil, 5 * time.Minute},
	{"js2", "jumpstarter2", nil, 5 * time.Minute},
	{"synth", "synth", nil, time.Minute},
}

// A machine is one record, with its windows and without.
type machine struct {
	name        string
	train, bare *trainer.Set
	test        *trainer.Table
}

func (c *collection) load(ctx context.Context, data string) ([]*machine, error) {
	files, err := filepath.Glob(filepath.Join(data, c.Folder, "*_train.csv.gz"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no *_train.csv.gz in %s", filepath.Join(data, c.Folder))
	}
	var machines []*machine
	for _, file := range files {
		m, err := c.machine(ctx, strings.TrimSuffix(file, "_train.csv.gz"))
		if err != nil {
			return nil, err
		}
		machines = append(machines, m)
	}
	return machines, nil
}

func (c *collection) machine(ctx context.Context, path string) (*machine, error) {
	train, err := openCSV(path+"_train.csv.gz", c.Features)
	if err != nil {
		return nil, err
	}
	s, err := tableSchema(train, c.Interval)
	if err != nil {
		return nil, err
	}
	m := &machine{name: filepath.Base(path)}
	if m.train, err = trainer.Collect(ctx, train, s, 0); err != nil {
		return nil, err
	}
	bare := s
	bare.Window = 0
	if m.bare, err = trainer.Collect(ctx, train, bare, 0); err != nil {
		return nil, err
	}
	test, err := openCSV(path+"_test.csv.gz", train.Features)
	if err != nil {
		return nil, err
	}
	m.test, err = trainer.ReadTable(ctx, test, s, time.Time{})
	return m, err
}

func openCSV(path string, features []string) (*trainer.Source, error) {
	r, err := history.Open(path, features)
	return &trainer.Source{Record: r}, err
}

// tableSchema takes each column for a feature, with the default window.
func tableSchema(src *trainer.Source, interval time.Duration) (feature.Schema, error) {
	s := feature.DefaultSchema()
	s.Features, s.Interval = nil, interval
	for _, name := range src.Features {
		s.Features = append(s.Features, feature.Feature{Name: name, Measurement: "csv", Fields: []string{name}})
	}
	return s, s.Normalize()
}
