package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"telegraf-anomaly/internal/model"
)

// storeFlag names a store.
type storeFlag struct {
	Model string `required:"" help:"Directory of model versions." type:"existingdir" placeholder:"DIR"`
}

func (f *storeFlag) open() (*model.Store, error) { return model.OpenStore(f.Model) }

// resolve finds the full name of a version by its name, its id, or a prefix that
// only one has.
func resolve(s *model.Store, name string) (string, error) {
	names, err := s.Versions()
	if err != nil {
		return "", err
	}
	var found []string
	for _, n := range names {
		switch {
		case n == name:
			return n, nil
		case strings.HasPrefix(n, name), strings.HasSuffix(n, "-"+name):
			found = append(found, n)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no version %q; there are %s", name, strings.Join(names, ", "))
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%q could be any of %s", name, strings.Join(found, ", "))
}

// load reads a version, the current one by default.
func (f *storeFlag) load(name string) (*model.Bundle, error) {
	if name == "" {
		return model.Load(f.Model)
	}
	s, err := f.open()
	if err != nil {
		return nil, err
	}
	if name, err = resolve(s, name); err != nil {
		return nil, err
	}
	return s.Load(name)
}

type listCmd struct{ storeFlag }

// version as it is listed.
type listed struct {
	Name      string             `json:"name"`
	ID        string             `json:"id,omitempty"`
	Current   bool               `json:"current"`
	Features  []string           `json:"features,omitempty"`
	Rows      int                `json:"rows,omitempty"`
	Threshold float64            `json:"threshold,omitempty"`
	Metrics   map[string]float64 `json:"metrics,omitempty"`
	Error     string             `json:"error,omitempty"` // why it cannot be used
}

// Run lists the versions, oldest first.
func (c *listCmd) Run(t *terminal) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	names, err := s.Versions()
	if err != nil {
		return err
	}
	current, err := s.Current()
	if err != nil && !errors.Is(err, model.ErrNoModel) {
		return err
	}
	versions := make([]listed, 0, len(names))
	for _, name := range names {
		versions = append(versions, look(s, name, current))
	}
	return t.result(versions, func(w io.Writer) {
		rows := [][]string{{"", "VERSION", "FEATURES", "ROWS", "THRESHOLD", "ALARMS/HOST/WEEK"}}
		for _, v := range versions {
			rows = append(rows, v.row())
		}
		table(w, rows...)
	})
}

func look(s *model.Store, name, current string) listed {
	v := listed{Name: name, Current: name == current}
	b, err := s.Load(name)
	if err != nil {
		v.Error = err.Error()
		return v
	}
	v.ID, v.Features, v.Rows = b.ID(), b.Schema.Names(), b.Provenance.Rows
	v.Threshold, v.Metrics = b.Detector.Threshold, b.Provenance.Metrics
	return v
}

func (v *listed) row() []string {
	mark := ""
	if v.Current {
		mark = "*"
	}
	if v.Error != "" {
		return []string{mark, v.Name, v.Error}
	}
	alarms := "–"
	if x, ok := v.Metrics["alarms_per_host_week"]; ok {
		alarms = figure(x)
	}
	return []string{mark, v.Name, strings.Join(v.Features, ","), fmt.Sprint(v.Rows), fmt.Sprintf("%.4f", v.Threshold), alarms}
}

type promoteCmd struct {
	storeFlag
	Name string `arg:"" help:"Version, or its id."`
}

// Run makes a version current.
func (c *promoteCmd) Run(t *terminal) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	name, err := resolve(s, c.Name)
	if err != nil {
		return err
	}
	return promote(t, s, name)
}

func promote(t *terminal, s *model.Store, name string) error {
	before, err := s.Current()
	if err != nil && !errors.Is(err, model.ErrNoModel) {
		return err
	}
	if err := s.Promote(name); err != nil {
		return err
	}
	return t.names(map[string]string{"current": name, "before": before}, name)
}

type rollbackCmd struct{ storeFlag }

// Run makes the newest version that is older than the current one current.
func (c *rollbackCmd) Run(t *terminal) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	current, err := s.Current()
	if err != nil {
		return err
	}
	names, err := s.Versions()
	if err != nil {
		return err
	}
	i, _ := slices.BinarySearch(names, current)
	if i == 0 {
		return fmt.Errorf("%s is the oldest version; there is nothing to go back to", current)
	}
	return promote(t, s, names[i-1])
}

type pruneCmd struct {
	storeFlag
	Keep int `help:"How many of the newest versions stay; the current one always does." default:"10"`
}

// Validate implements kong's check of the command line.
func (c *pruneCmd) Validate() error {
	if c.Keep < 0 {
		return fmt.Errorf("--keep %d must not be negative", c.Keep)
	}
	return nil
}

// Run removes old versions.
func (c *pruneCmd) Run(t *terminal) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	removed, err := s.Prune(c.Keep)
	if err != nil {
		return err
	}
	stay, err := s.Versions()
	if err != nil {
		return err
	}
	t.say("%d removed, %d stay: the newest %d and the current one", len(removed), len(stay), c.Keep)
	return t.names(map[string][]string{"removed": append([]string{}, removed...)}, removed...)
}

type exportCmd struct {
	storeFlag
	Name   string `arg:"" optional:"" help:"Version, or its id. Default: the current one."`
	Output string `short:"o" help:"File to write; default stdout." type:"path" placeholder:"FILE"`
}

// Run writes everything in a model as JSON, see docs/TRAINING.md.
func (c *exportCmd) Run(t *terminal) error {
	b, err := c.load(c.Name)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(newExport(b), "", " ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if c.Output == "" {
		_, err = t.out.Write(text)
		return err
	}
	return os.WriteFile(c.Output, text, 0o640)
}

// export is a model as JSON. A row goes left at a node when float32(value of its
// column) <= float32(threshold); a leaf has column -1.
type export struct {
	Format     string           `json:"format"`
	ID         string           `json:"id"`
	Schema     any              `json:"schema"`
	Detector   any              `json:"detector"`
	Provenance model.Provenance `json:"provenance"`
	Probes     []model.Probe    `json:"probes"`
	Forest     exportedForest   `json:"forest"`
}

type exportedForest struct {
	Columns    int              `json:"columns"`
	SampleSize int              `json:"sample_size"`
	NormPath   float64          `json:"norm_path"`
	Trees      [][]exportedNode `json:"trees"` // nodes in depth-first preorder
}

type exportedNode struct {
	Column    int     `json:"column"`
	Threshold float64 `json:"threshold,omitempty"`
	Left      int     `json:"left,omitempty"`
	Right     int     `json:"right,omitempty"`
	Samples   int     `json:"samples"`
	Cover     int     `json:"cover"`
}

func newExport(b *model.Bundle) *export {
	f := b.Detector.Forest
	e := &export{
		Format: "telegraf-anomaly-1", ID: b.ID(), Schema: b.Schema, Detector: b.Detector, Provenance: b.Provenance, Probes: b.Probes,
		Forest: exportedForest{Columns: f.Columns(), SampleSize: f.SampleSize(), NormPath: f.NormPath()},
	}
	for i := range f.Trees() {
		var tree []exportedNode
		for _, n := range f.Nodes(i) {
			tree = append(tree, exportedNode(n))
		}
		e.Forest.Trees = append(e.Forest.Trees, tree)
	}
	return e
}
