package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
	"telegraf-anomaly/plugins/processors/anomaly"
)

type fitCmd struct {
	Data   string `required:"" help:"Line-protocol or CSV file (also .gz), or a directory of them." type:"path"`
	Model  string `required:"" help:"Directory of model versions to add to." type:"path"`
	Config string `help:"Configuration file with a [[processors.anomaly]] block; flags win over it." type:"path"`

	Features      []string       `help:"Features to use, 'all' for every numeric column of a CSV. Default: those of the configuration."`
	Window        *time.Duration `help:"Length of the rolling past; 0 for bare values."`
	RangeWeight   *float64       `help:"Bits for values outside the training range; 0 turns every addition to the forest off."`
	Contamination *float64       `help:"Share of training vectors above the threshold."`
	Trees         *int           `help:"Number of trees."`
	SampleSize    *int           `help:"Rows per tree."`
	Seed          *uint64        `help:"Seed of everything random."`
}

// Run fits, saves and promotes a model.
func (c *fitCmd) Run(s streams) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	record, err := history.Open(c.Data, c.columns(config))
	if err != nil {
		return err
	}
	if config.Features, err = chosen(record, config, c.Features); err != nil {
		return err
	}
	e, err := config.Engine()
	if err != nil {
		return err
	}
	set, err := trainer.Collect(record, e.Schema, e.Detect.Seed)
	if err != nil {
		return err
	}
	e.Detect.Workers = runtime.NumCPU()
	b, err := trainer.Fit(set, e.Detect, model.Provenance{Program: version, Go: runtime.Version(), Source: filepath.Base(c.Data)})
	if err != nil {
		return err
	}
	return c.keep(b, s)
}

// config is the configuration file with the flags laid over it.
func (c *fitCmd) config() (config anomaly.Config, err error) {
	config = anomaly.DefaultConfig()
	if c.Config != "" {
		if config, err = anomaly.ReadConfig(c.Config); err != nil {
			return config, err
		}
	}
	override(&config.Contamination, c.Contamination)
	override(&config.Trees, c.Trees)
	override(&config.SampleSize, c.SampleSize)
	override(&config.Seed, c.Seed)
	override(&config.RangeWeight, c.RangeWeight)
	if c.Window != nil {
		config.Window = anomaly.Duration(*c.Window)
	}
	if c.RangeWeight != nil && *c.RangeWeight == 0 { // the classic forest and nothing else
		config.ResidualWeight, config.RelationWeight, config.FlatWeight = 0, 0, 0
	}
	return config, nil
}

func override[T any](value *T, flag *T) {
	if flag != nil {
		*value = *flag
	}
}

// columns are what a CSV must have; none means every numeric column.
func (c *fitCmd) columns(config anomaly.Config) []string {
	switch {
	case slices.Equal(c.Features, []string{"all"}):
		return nil
	case len(c.Features) > 0:
		return c.Features
	}
	return names(config)
}

func names(config anomaly.Config) []string {
	s := feature.Schema{Features: config.Features}
	if len(s.Features) == 0 {
		s.Features = feature.DefaultFeatures()
	}
	return s.Names()
}

// chosen returns the features to fit: those of the configuration that were asked
// for. A column of a CSV needs no description, it is a feature as it stands.
func chosen(r *history.Record, config anomaly.Config, wanted []string) (features []feature.Feature, err error) {
	known := config.Features
	if len(known) == 0 {
		known = feature.DefaultFeatures()
	}
	if len(wanted) == 0 || (!r.CSV && wanted[0] == "all") {
		return known, nil
	}
	if r.CSV {
		wanted = r.Features
	}
	for _, name := range wanted {
		i := slices.IndexFunc(known, func(f feature.Feature) bool { return f.Name == name })
		switch {
		case i >= 0:
			features = append(features, known[i])
		case r.CSV:
			features = append(features, feature.Feature{Name: name, Measurement: "csv", Fields: []string{name}})
		default:
			return nil, fmt.Errorf("feature %q is not configured; known are %s", name, strings.Join(names(config), ", "))
		}
	}
	return features, nil
}

func (c *fitCmd) keep(b *model.Bundle, s streams) error {
	store, err := model.OpenStore(c.Model)
	if err != nil {
		return err
	}
	name, err := store.Save(b, time.Now())
	if err != nil {
		return err
	}
	if err := store.Promote(name); err != nil {
		return err
	}
	p := b.Provenance
	fmt.Fprintf(s.err, "fitted %v on %d vectors of %d group(s), %s to %s, interval %v; left out: %v\n",
		b.Schema.Names(), p.Rows, p.Groups, p.From.Format(time.RFC3339), p.To.Format(time.RFC3339), b.Schema.Interval, p.Dropped)
	fmt.Fprintf(s.err, "threshold %.4f; model %s is current in %s\n", b.Detector.Threshold, b.ID(), c.Model)
	fmt.Fprintln(s.out, name)
	return nil
}
