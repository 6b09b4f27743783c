package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"telegraf-anomaly/internal/sim"
)

type simulateCmd struct {
	Output   string        `short:"o" required:"" help:"File to write: .csv or .lp, also with .gz behind." type:"path" placeholder:"FILE"`
	Labels   string        `help:"Where to write the incidents of line protocol, which has no place for them. Default: FILE.labels.csv." type:"path" placeholder:"FILE"`
	Hosts    int           `help:"Number of hosts; a CSV holds one." default:"1"`
	Start    time.Time     `help:"First moment. Default: 1 January 2024." placeholder:"TIME"`
	Last     time.Duration `help:"Length of the record." default:"336h"`
	Interval time.Duration `help:"Spacing of the rows." default:"1m"`
	PerKind  int           `help:"Incidents of each of the nine kinds and host; 0 for none." default:"3"`
	Clean    float64       `help:"Share of the record, from its beginning, without incidents." default:"0.5"`
	Seed     uint64        `help:"The same seed gives the same file." default:"0"`
}

func (c *simulateCmd) csv() bool {
	return strings.HasSuffix(strings.TrimSuffix(c.Output, ".gz"), ".csv")
}

// Validate implements kong's check of the command line.
func (c *simulateCmd) Validate() error {
	switch {
	case c.csv() && c.Hosts != 1:
		return errors.New("a CSV holds one host; use an .lp file for more")
	case c.Hosts < 1 || c.Interval <= 0 || c.Last < c.Interval || c.Clean < 0 || c.Clean >= 1:
		return errors.New("hosts, interval and length must be above 0, and --clean below 1")
	}
	return nil
}

// Run writes a record whose every incident is known.
func (c *simulateCmd) Run(t *terminal) (err error) {
	csv := c.csv()
	if c.Start.IsZero() {
		c.Start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var known incidents
	streams, err := c.streams(csv, &known)
	if err != nil {
		return err
	}
	intervals := int(c.Last / c.Interval)
	if err := writeFile(c.Output, func(w io.Writer) error { return c.write(t, w, csv, intervals, streams) }); err != nil {
		return err
	}
	if !csv {
		if err := c.writeLabels(known); err != nil {
			return err
		}
	}
	result := map[string]any{"file": c.Output, "hosts": c.Hosts, "intervals": intervals, "incidents": len(known)}
	return t.names(result, c.Output)
}

func (c *simulateCmd) write(t *terminal, w io.Writer, csv bool, intervals int, streams []*sim.Stream) error {
	if csv {
		if _, err := io.WriteString(w, sim.CSVHeader); err != nil {
			return err
		}
	}
	for done := 0; done < intervals && t.ctx.Err() == nil; done += 1000 {
		if err := sim.Write(w, min(1000, intervals-done), streams...); err != nil {
			return err
		}
	}
	return t.ctx.Err()
}

func (c *simulateCmd) streams(csv bool, known *incidents) (streams []*sim.Stream, err error) {
	for _, host := range sim.Fleet(c.Seed, c.Hosts) {
		clean := time.Duration(c.Clean * float64(c.Last))
		config := sim.Config{Host: host, Start: c.Start, Interval: c.Interval, Training: clean}
		if c.PerKind > 0 {
			if config.Events, err = sim.Plan(c.Seed, host, c.Start.Add(clean), c.Start.Add(c.Last), c.PerKind); err != nil {
				return nil, err
			}
		}
		g, err := sim.New(c.Seed, config)
		if err != nil {
			return nil, err
		}
		format := sim.Telegraf(c.Seed, host)
		if csv {
			format = sim.CSV
		}
		streams = append(streams, &sim.Stream{Generator: g, Format: known.watch(host.Name, c.Interval, format)})
	}
	return streams, nil
}

// incidents are what has been written of them so far.
type incidents []*incident

type incident struct {
	host       string
	number     int
	start, end time.Time
	kind       sim.Kind
	cause      []string
}

// watch notes the incidents of a host that pass through its format.
func (k *incidents) watch(host string, interval time.Duration, format sim.Format) sim.Format {
	var open *incident
	return func(dst []byte, row sim.Row) []byte {
		if row.Label && (open == nil || open.number != row.Event) {
			open = &incident{host: host, number: row.Event, start: row.Time, kind: row.Kind, cause: row.Cause}
			*k = append(*k, open)
		}
		if row.Label {
			open.end = row.Time.Add(interval)
		}
		return format(dst, row)
	}
}

// writeLabels writes incidents as evaluate --labels reads them.
func (c *simulateCmd) writeLabels(known incidents) error {
	path := c.Labels
	if path == "" {
		path = c.Output + ".labels.csv"
	}
	return writeFile(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "start,end,kind,cause,group")
		for _, i := range known {
			_, writeErr := fmt.Fprintf(w, "%s,%s,%s,%s,%s\n", i.start.Format(time.RFC3339), i.end.Format(time.RFC3339), i.kind, strings.Join(i.cause, ";"), i.host)
			err = errors.Join(err, writeErr)
		}
		return err
	})
}

// writeFile writes a file, compressed if its name says so; one that could not be
// completed is removed.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path) // half a record is worse than none
		}
	}()
	buffer := bufio.NewWriterSize(f, 1<<20)
	if !strings.HasSuffix(path, ".gz") {
		return errors.Join(write(buffer), buffer.Flush())
	}
	zip := gzip.NewWriter(buffer)
	return errors.Join(write(zip), zip.Close(), buffer.Flush())
}
