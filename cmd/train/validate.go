package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/quality"
)

type validateCmd struct {
	Data   string `help:"Line-protocol or CSV file (also .gz), or a directory of line-protocol files." type:"path" placeholder:"FILE" xor:"source" required:""`
	Influx string `help:"Check the last --last of a live InfluxDB at this address instead." placeholder:"URL" xor:"source" required:""`
	influxFlags
	schemaFlags
	Last   time.Duration `help:"How much of a live InfluxDB to look at." default:"24h"`
	MaxAge time.Duration `help:"Fail if the newest row is older. Default: any age will do, 15m for a live InfluxDB." placeholder:"DURATION"`
}

// Validate implements kong's check of the command line.
func (c *validateCmd) Validate() error {
	if c.Last <= 0 || c.MaxAge < 0 {
		return errors.New("--last must be above 0, and --max-age not below")
	}
	return nil
}

// Run checks the data and fails with errGate if a check does.
func (c *validateCmd) Run(t *terminal) error {
	if c.Influx != "" {
		file, remove, err := c.fetch(t)
		if err != nil {
			return err
		}
		defer remove()
		c.Data = file
		if c.MaxAge == 0 {
			c.MaxAge = 15 * time.Minute
		}
	}
	r, err := validate(t, &c.schemaFlags, c.Data, c.MaxAge)
	if err != nil {
		return err
	}
	if err := t.result(r, func(w io.Writer) { fmt.Fprint(w, r) }); err != nil {
		return err
	}
	if r.Status == quality.Fail {
		return fmt.Errorf("%w: the data did not pass", errGate)
	}
	return nil
}

// validate looks at the features that are there, and notes those that are not.
func validate(t *terminal, flags *schemaFlags, data string, maxAge time.Duration) (*quality.Report, error) {
	config, err := flags.read()
	if err != nil {
		return nil, err
	}
	there, absent, err := present(data, flags.columns(config))
	if err != nil {
		return nil, err
	}
	if len(absent) > 0 && len(there) == 0 {
		return nil, fmt.Errorf("%w: none of the columns %v is there; use --features", errGate, absent)
	}
	found := *flags
	config.Window = 0 // the checks ask for no past, which a file without times has not
	if there != nil {
		found.Features = there
	}
	j, err := found.open(&recordFlags{Data: data}, config)
	if err != nil {
		return nil, err
	}
	return quality.Inspect(t.ctx, j.source, j.Schema, absent, time.Now(), maxAge)
}

// present splits the wanted columns of a CSV by whether they are there.
func present(data string, wanted []string) (there, absent []string, err error) {
	r, err := history.Open(data, nil)
	if err != nil && wanted != nil {
		// Rows that cannot be read, however many come first, are for the report to
		// count: the names of the columns can be.
		r, err = history.Open(data, wanted)
	}
	if err != nil || !r.CSV || wanted == nil {
		return nil, nil, err
	}
	for _, name := range wanted {
		if slices.Contains(r.Features, name) {
			there = append(there, name)
		} else {
			absent = append(absent, name)
		}
	}
	return there, absent, nil
}

// inspectQuality checks a record against the schema of a model.
func inspectQuality(t *terminal, flags *recordFlags, b *model.Bundle) (*quality.Report, error) {
	src, err := flags.open(b.Schema.Names())
	if err != nil {
		return nil, err
	}
	return quality.Inspect(t.ctx, src, b.Schema, nil, time.Now(), 0)
}
