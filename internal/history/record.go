package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

// A Record is stored history: line-protocol files as Telegraf's outputs.file
// writes them, or one CSV file.
type Record struct {
	CSV      bool
	Features []string // of a CSV
	HasTime  bool
	Report   Report // of the last reading

	files    []string
	features []string
}

// A Sink takes what a record holds, in its order. The arguments are valid only
// during the call.
type Sink interface {
	Point(p *lp.Point) error
	Row(r Row) error
}

// Open looks at a file, or at every *.lp and *.csv file of a directory (also
// with .gz behind), in the order of their names. features selects columns of a
// CSV; empty means every numeric one.
func Open(path string, features []string) (*Record, error) {
	r := &Record{features: features}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	r.files = []string{path}
	if info.IsDir() {
		if r.files, err = list(path); err != nil {
			return nil, err
		}
	}
	return r, r.look()
}

func list(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	for _, e := range entries {
		if ext := extension(e.Name()); ext == ".lp" || ext == ".csv" {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("history: %s holds no *.lp or *.csv file", dir)
	}
	return files, nil
}

func extension(name string) string { return filepath.Ext(strings.TrimSuffix(name, ".gz")) }

// look tells CSV from line protocol and reads a CSV's header.
func (r *Record) look() error {
	r.CSV = slices.ContainsFunc(r.files, func(f string) bool { return extension(f) == ".csv" })
	if !r.CSV {
		return nil
	}
	if len(r.files) > 1 {
		return fmt.Errorf("history: %d files of which some are CSV; give one CSV file, or line protocol only", len(r.files))
	}
	c, err := OpenCSV(r.files[0], r.features)
	if err != nil {
		return err
	}
	r.Features, r.HasTime = c.Features(), c.HasTime()
	return c.Close()
}

// Read passes the whole record to s. It may be called again.
func (r *Record) Read(s Sink) error {
	r.Report = Report{}
	if r.CSV {
		return r.readCSV(s)
	}
	for _, file := range r.files {
		if err := r.readLines(file, s); err != nil {
			return err
		}
	}
	if r.Report.Rows == 0 {
		return fmt.Errorf("history: %s: %w", strings.Join(r.files, ", "), ErrEmpty)
	}
	return nil
}

func (r *Record) readCSV(s Sink) error {
	c, err := OpenCSV(r.files[0], r.features)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		row, err := c.Next()
		r.Report = c.Report()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Row(row); err != nil {
			return err
		}
	}
}

func (r *Record) readLines(file string, s Sink) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	text, err := newLines(f)
	if err != nil {
		return fmt.Errorf("history: %s: %w", file, err)
	}
	var point lp.Point
	for {
		line, err := text.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongLine):
			r.bad(text.number, err)
			continue
		case err != nil:
			return fmt.Errorf("history: %s: %w", file, err)
		case len(line) == 0 || line[0] == '#':
			continue
		}
		if err := lp.Decode(&point, line, time.Time{}); err != nil {
			r.bad(text.number, err)
			continue
		}
		r.Report.Rows++
		if err := s.Point(&point); err != nil {
			return err
		}
	}
}

func (r *Record) bad(line int, reason error) {
	r.Report.Bad++
	if len(r.Report.Problems) < maxProblems {
		r.Report.Problems = append(r.Report.Problems, Problem{line, reason.Error()})
	}
}

// ErrShort says that a record has too few rows to tell their spacing.
var ErrShort = errors.New("history: the record is too short to tell its interval; set one in the configuration")

// ErrBackwards says that a record cannot be read as it comes.
var ErrBackwards = errors.New("history: the rows run from new to old; sort them by time, the oldest first")

var errEnough = errors.New("history: seen enough")

// Interval is the commonest spacing of the record's series, or of its rows. It
// is 0 for rows without a time.
func (r *Record) Interval() (time.Duration, error) {
	if r.CSV && !r.HasTime {
		return 0, nil
	}
	var probe spacingProbe
	if err := r.Read(&probe); err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	switch {
	case probe.interval > 0:
		return probe.interval, nil
	case r.Report.Backwards > 0:
		return 0, ErrBackwards
	}
	return 0, ErrShort
}

// spacingProbe is a Sink that learns the interval.
type spacingProbe struct {
	spacing  feature.Spacing
	interval time.Duration
}

func (s *spacingProbe) Point(p *lp.Point) error {
	if s.interval = s.spacing.Add(p); s.interval > 0 {
		return errEnough
	}
	return nil
}

func (s *spacingProbe) Row(r Row) error { return s.Point(&lp.Point{Time: r.Time.UnixNano()}) }
