package history

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// split cuts a line into cells, without the blanks around them.
func split(line []byte, separator byte, cells [][]byte) ([][]byte, error) {
	if bytes.IndexByte(line, '"') >= 0 {
		return splitQuoted(line, separator, cells)
	}
	for {
		i := bytes.IndexByte(line, separator)
		if i < 0 {
			return append(cells, bytes.TrimSpace(line)), nil
		}
		cells = append(cells, bytes.TrimSpace(line[:i]))
		line = line[i+1:]
	}
}

func splitQuoted(line []byte, separator byte, cells [][]byte) ([][]byte, error) {
	reader := csv.NewReader(bytes.NewReader(line))
	reader.Comma = rune(separator)
	record, err := reader.Read()
	if err != nil {
		return nil, errors.New("a quote is not closed, or stands inside a field")
	}
	for _, field := range record {
		cells = append(cells, bytes.TrimSpace([]byte(field)))
	}
	return cells, nil
}

// row reads the cells of one row into values.
func (h *header) row(cells [][]byte, values []float64, m *memo) (row Row, err error) {
	for i, column := range h.features {
		if values[i], err = parseNumber(cells[column]); err != nil {
			return row, fmt.Errorf("%s: %w", h.names[column], err)
		}
	}
	row.Values = values
	if h.time != none {
		if row.Time, err = parseTime(cells[h.time]); err != nil {
			return row, fmt.Errorf("%s: %w", h.names[h.time], err)
		}
	}
	if err = h.labels(cells, &row); err != nil {
		return row, err
	}
	if h.kind != none {
		row.Kind = m.text(cells[h.kind])
	}
	if h.cause != none {
		row.Cause = m.list(cells[h.cause])
	}
	return row, nil
}

func (h *header) labels(cells [][]byte, row *Row) (err error) {
	if h.label != none {
		if row.Label, err = parseLabel(cells[h.label]); err != nil {
			return err
		}
	}
	if h.event != none {
		row.Event, err = parseEvent(cells[h.event])
	}
	return err
}

// parseNumber reads a finite number; NaN stands for an empty cell.
func parseNumber(cell []byte) (float64, error) {
	if len(cell) == 0 {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	switch {
	case errors.Is(err, strconv.ErrRange), math.IsInf(v, 0), math.IsNaN(v):
		return 0, fmt.Errorf("%.40q is not finite", cell)
	case err != nil && bytes.Count(cell, []byte{','}) == 1:
		return 0, fmt.Errorf("%.40q is not a number: write decimals with a point", cell)
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a number", cell)
	}
	return v, nil
}

func parseLabel(cell []byte) (bool, error) {
	if len(cell) == 0 {
		return false, nil
	}
	if v, err := strconv.ParseFloat(string(cell), 64); err == nil && (v == 0 || v == 1) {
		return v == 1, nil
	}
	label, err := strconv.ParseBool(strings.ToLower(string(cell)))
	if err != nil {
		return false, fmt.Errorf("label %.40q is neither 0 nor 1", cell)
	}
	return label, nil
}

func parseEvent(cell []byte) (int, error) {
	if len(cell) == 0 {
		return 0, nil
	}
	event, err := strconv.ParseFloat(string(cell), 64)
	if err != nil || event != math.Trunc(event) || math.Abs(event) > 1<<53 {
		return 0, fmt.Errorf("event %.40q is not an integer", cell)
	}
	return int(event), nil
}

// clock is the length of a date and a time of day, "2006-01-02 15:04:05".
const clock = len(time.DateTime)

func parseTime(cell []byte) (t time.Time, err error) {
	if len(cell) > 4 && cell[4] == '-' {
		t, err = time.Parse(layoutOf(cell), string(cell))
	} else {
		t, err = parseUnix(cell)
	}
	if err != nil {
		return t, fmt.Errorf("%.40q is no time (RFC 3339, %q or Unix)", cell, time.DateTime)
	}
	return t.UTC(), nil
}

func layoutOf(cell []byte) string {
	if len(cell) < clock {
		return time.RFC3339
	}
	spaced, offset := cell[len(time.DateOnly)] == ' ', bytes.ContainsAny(cell[clock:], "Z+-")
	switch {
	case spaced && offset:
		return time.DateTime + "Z07:00"
	case spaced:
		return time.DateTime
	case offset:
		return time.RFC3339
	}
	return "2006-01-02T15:04:05"
}

// parseUnix reads a Unix time. The unit follows from the magnitude: the bounds
// are the year 5138 in seconds, and the same number of milliseconds or
// microseconds after 1970, which is March 1973.
func parseUnix(cell []byte) (time.Time, error) {
	n, err := strconv.ParseInt(string(cell), 10, 64)
	if err != nil {
		return parseSeconds(cell)
	}
	switch {
	case within(n, 1e11):
		return time.Unix(n, 0), nil
	case within(n, 1e14):
		return time.UnixMilli(n), nil
	case within(n, 1e17):
		return time.UnixMicro(n), nil
	}
	return time.Unix(0, n), nil
}

// parseSeconds reads seconds with decimals, to the microsecond: a float64 does
// not hold the nanoseconds of our days.
func parseSeconds(cell []byte) (time.Time, error) {
	s, err := strconv.ParseFloat(string(cell), 64)
	if err == nil && !(math.Abs(s) < 1e11) {
		err = strconv.ErrRange
	}
	return time.UnixMicro(int64(math.Round(s * 1e6))), err
}

func within(n, limit int64) bool { return -limit < n && n < limit }

// memo keeps the texts of the row before: an incident repeats them.
type memo struct {
	kind, joined string
	split        []string
}

func (m *memo) text(cell []byte) string {
	if string(cell) != m.kind {
		m.kind = string(cell)
	}
	return m.kind
}

func (m *memo) list(cell []byte) []string {
	if string(cell) == m.joined {
		return m.split
	}
	m.joined, m.split = string(cell), nil
	for name := range strings.SplitSeq(m.joined, ";") {
		if name = strings.TrimSpace(name); name != "" {
			m.split = append(m.split, name)
		}
	}
	return m.split
}
