package history

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// ErrEmpty says that a record has no rows.
var ErrEmpty = errors.New("no rows: the file is empty or ends after its header")

// CSV reads a table of metrics with one row per moment.
//
// The first line must name the columns. It also decides the separator: the
// most frequent of comma, semicolon and tab. A byte-order mark and gzip, told
// by its first bytes, are taken off. These columns have a meaning and are never
// features, in whatever case they are written:
//
//   - time or timestamp: RFC 3339 or "2006-01-02 15:04:05", UTC unless an offset
//     follows, or a Unix time whose magnitude tells seconds, milliseconds,
//     microseconds and nanoseconds apart;
//   - label: 0 or 1, false or true; event: an integer; kind or type: text;
//     cause: features joined by ";". An empty cell is 0, false, none.
//
// An empty cell of a feature is a missing value. A row that cannot be read is
// skipped and counted (Report): too few or too many fields, a time that is none,
// a value that is not a finite number (NaN and Inf in words included), a line
// over 1 MiB, a last line without an end. Blank lines are not rows. A quoted field ends on its own line, so
// that one stray quote costs one row and not the rest of the file. Rows whose
// time repeats or goes back are delivered, and counted.
type CSV struct {
	name   string
	close  func() error
	lines  *lines
	header header
	cells  [][]byte
	values []float64
	memo   memo
	last   time.Time
	report Report
	err    error // sticky, io.EOF included
}

// Report counts what reading has met so far.
type Report struct {
	Rows       int       // delivered
	Bad        int       // skipped
	Problems   []Problem // the first few of the bad rows
	Missing    int       // values that are missing in delivered rows
	Duplicates int       // rows with the time of the row before
	Backwards  int       // rows with an earlier time than the row before
	Ignored    []string  // columns that are not used
}

// Problem is a row that could not be read.
type Problem struct {
	Line   int // of the (decompressed) file, from 1
	Reason string
}

// String gives "line 7: ...".
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Reason) }

const maxProblems = 5

// OpenCSV opens a file. Without features every numeric column is one, in the
// file's order: a column that holds numbers, and not more other texts than
// numbers, in the first 1,000 rows (or the first MiB). The caller closes it.
func OpenCSV(path string, features []string) (*CSV, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	c, err := NewCSV(file, path, features)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	c.close = file.Close
	return c, nil
}

// NewCSV reads a stream; name stands for it in errors. See OpenCSV.
func NewCSV(r io.Reader, name string, features []string) (*CSV, error) {
	c := &CSV{name: name, close: func() error { return nil }}
	if err := c.open(r, features); err != nil {
		return nil, c.wrap(err)
	}
	c.values = make([]float64, len(c.header.features))
	c.report.Ignored = c.header.ignored()
	return c, nil
}

func (c *CSV) open(r io.Reader, features []string) (err error) {
	if c.lines, err = newLines(r); err != nil {
		return err
	}
	var first []byte
	for len(first) == 0 && err == nil {
		first, err = c.lines.next()
	}
	if err != nil {
		return emptyAtEOF(err)
	}
	if c.header, err = parseHeader(first); err != nil {
		return err
	}
	sample, err := c.lines.peek()
	if err != nil {
		return emptyAtEOF(err)
	}
	return c.header.choose(features, sample)
}

// Features are the names that go with Row.Values.
func (c *CSV) Features() []string {
	names := make([]string, len(c.header.features))
	for i, column := range c.header.features {
		names[i] = c.header.names[column]
	}
	return names
}

// HasTime says whether rows carry a time.
func (c *CSV) HasTime() bool { return c.header.time != none }

// HasLabels says whether rows carry labels.
func (c *CSV) HasLabels() bool { return c.header.label != none }

// Report gives what has been counted up to now.
func (c *CSV) Report() Report { return c.report }

// Close closes the file that OpenCSV opened.
func (c *CSV) Close() error { return c.close() }

// Next gives the next good row. Its Values are overwritten by the following
// call and its Cause is shared with other rows. The end is io.EOF, unless no
// row was good at all; a file that was cut short ends in an error that wraps
// io.ErrUnexpectedEOF, after the rows that could be read.
func (c *CSV) Next() (Row, error) {
	for c.err == nil {
		line, err := c.lines.next()
		if err != nil && !errors.Is(err, errLongLine) {
			c.err = c.end(err)
			break
		}
		if err == nil && len(line) == 0 {
			continue
		}
		row, err := c.parse(line, err)
		if err == nil {
			c.count(row)
			return row, nil
		}
		c.skip(err)
	}
	return Row{}, c.err
}

func (c *CSV) parse(line []byte, err error) (row Row, _ error) {
	if err != nil {
		return row, err
	}
	if c.cells, err = split(line, c.header.separator, c.cells[:0]); err != nil {
		return row, err
	}
	if len(c.cells) != len(c.header.names) {
		return row, fmt.Errorf("%d fields, the header names %d", len(c.cells), len(c.header.names))
	}
	if c.lines.open {
		return row, errOpenLine
	}
	return c.header.row(c.cells, c.values, &c.memo)
}

func (c *CSV) count(row Row) {
	c.report.Rows++
	for _, v := range row.Values {
		if math.IsNaN(v) {
			c.report.Missing++
		}
	}
	if !c.HasTime() {
		return
	}
	switch order := row.Time.Compare(c.last); {
	case c.report.Rows == 1:
	case order == 0:
		c.report.Duplicates++
	case order < 0:
		c.report.Backwards++
	}
	c.last = row.Time
}

func (c *CSV) skip(reason error) {
	c.report.Bad++
	if len(c.report.Problems) < maxProblems {
		c.report.Problems = append(c.report.Problems, Problem{c.lines.number, reason.Error()})
	}
}

// end tells a file that is over from one that is broken or useless.
func (c *CSV) end(err error) error {
	switch {
	case !errors.Is(err, io.EOF):
		return c.wrap(fmt.Errorf("after %d rows: %w", c.report.Rows, err))
	case c.report.Rows > 0:
		return io.EOF
	case c.report.Bad > 0:
		return c.wrap(fmt.Errorf("none of %d rows can be used; %s", c.report.Bad, c.report.Problems[0]))
	}
	return c.wrap(ErrEmpty)
}

func (c *CSV) wrap(err error) error { return fmt.Errorf("history: %s: %w", c.name, err) }

func emptyAtEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	return err
}
