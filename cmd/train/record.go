package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/period"
	"telegraf-anomaly/internal/trainer"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// recordFlags name a record and what is known about it.
type recordFlags struct {
	Data    string `required:"" help:"Line-protocol or CSV file (also .gz), or a directory of line-protocol files." type:"path" placeholder:"FILE"`
	Labels  string `help:"CSV of incidents in a line-protocol record: start,end and, where known, kind,cause,group." type:"path" placeholder:"FILE"`
	Exclude string `help:"Text file of known-bad periods, one 'from to' or 'daily from to' a line, as for quiet_periods." type:"path" placeholder:"FILE"`
}

// open reads what is known; columns are what a CSV must have, none for all.
func (f *recordFlags) open(columns []string) (src *trainer.Source, err error) {
	src = &trainer.Source{}
	if src.Record, err = history.Open(f.Data, columns); err != nil {
		return nil, err
	}
	if f.Labels != "" {
		if src.Labels, err = trainer.ReadLabels(f.Labels); err != nil {
			return nil, err
		}
	}
	if f.Exclude != "" {
		bad, err := period.Read(f.Exclude)
		if err != nil {
			return nil, err
		}
		src.Exclude = *bad
	}
	return src, nil
}

// schemaFlags say how a record becomes vectors.
type schemaFlags struct {
	Config   string         `help:"Configuration file with a [[processors.anomaly]] block; flags win over it." type:"path" placeholder:"FILE"`
	Features []string       `help:"Features to use, 'all' for every numeric column of a CSV. Default: those of the configuration." placeholder:"NAME"`
	Window   *time.Duration `help:"Length of the rolling past; 0 for bare values." placeholder:"15m"`
	Missing  string         `help:"What to do where a value is missing: skip the row, carry the last value, or put the median in." enum:",skip,carry,median" default:""`
}

// read is the configuration with the flags laid over it.
func (f *schemaFlags) read() (config anomaly.Config, err error) {
	config = anomaly.DefaultConfig()
	if f.Config != "" {
		if config, err = anomaly.ReadConfig(f.Config); err != nil {
			return config, fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	if f.Window != nil {
		config.Window = anomaly.Duration(*f.Window)
	}
	if f.Missing != "" {
		config.Missing = f.Missing
	}
	return config, nil
}

// job is a record and how to turn it into vectors.
type job struct {
	source *trainer.Source
	engine.Config
}

// open puts a record and a configuration together.
func (f *schemaFlags) open(record *recordFlags, config anomaly.Config) (*job, error) {
	src, err := record.open(f.columns(config))
	if err != nil {
		return nil, err
	}
	if config.Features, err = chosen(src.Record, config, f.Features); err != nil {
		return nil, err
	}
	j := &job{source: src}
	if j.Config, err = config.Engine(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return j, trainer.Settle(src.Record, &j.Schema)
}

// columns are what a CSV must have; none means every numeric column.
func (f *schemaFlags) columns(config anomaly.Config) []string {
	switch {
	case slices.Equal(f.Features, []string{"all"}):
		return nil
	case len(f.Features) > 0:
		return f.Features
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

// chosen returns the features to use: those of the configuration that were asked
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
