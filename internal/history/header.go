package history

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// none stands for a column that a file does not have.
const none = -1

// header knows what each column of a file means.
type header struct {
	separator byte
	names     []string
	features  []int

	time, label, event, kind, cause int
}

func parseHeader(line []byte) (header, error) {
	h := header{separator: mostFrequent(line, ",;\t")}
	if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
		return h, errors.New("not a text file")
	}
	cells, err := split(line, h.separator, nil)
	if err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	for i, cell := range cells {
		if looksLikeData(cell) {
			return h, fmt.Errorf("column %d is called %q: the first line must name the columns", i+1, cell)
		}
		h.names = append(h.names, string(cell))
	}
	h.find()
	return h, h.unique()
}

func looksLikeData(cell []byte) bool {
	if _, err := parseNumber(cell); err == nil && len(cell) > 0 {
		return true
	}
	_, err := parseTime(cell)
	return err == nil
}

func (h *header) find() {
	h.time = h.column("time", "timestamp")
	h.label = h.column("label")
	h.event = h.column("event")
	h.kind = h.column("kind", "type")
	h.cause = h.column("cause")
}

func (h *header) column(names ...string) int {
	for _, name := range names {
		if i := slices.IndexFunc(h.names, func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
			return i
		}
	}
	return none
}

// unique allows several columns without a name: tables often carry a row number
// like that.
func (h *header) unique() error {
	for i, name := range h.names {
		if name != "" && slices.Contains(h.names[:i], name) {
			return fmt.Errorf("two columns are called %q: rename one", name)
		}
	}
	return nil
}

// special says whether a column is more than a value.
func (h *header) special(column int) bool {
	switch strings.ToLower(h.names[column]) {
	case "", "time", "timestamp", "label", "event", "kind", "type", "cause":
		return true
	}
	return false
}

// choose settles the features: those that were asked for or, if none was, the
// columns that are numeric in the sample.
func (h *header) choose(features []string, sample [][]byte) error {
	if len(features) == 0 {
		h.features = h.numeric(sample)
		if len(h.features) == 0 {
			return fmt.Errorf("no numeric column among %s in the first rows", h.list())
		}
		return nil
	}
	for _, name := range features {
		column := slices.Index(h.names, name)
		switch {
		case column == none:
			return fmt.Errorf("no column %q; there are %s", name, h.list())
		case h.special(column):
			return fmt.Errorf("column %q cannot be a feature", name)
		case slices.Contains(h.features, column):
			return fmt.Errorf("feature %q is asked for twice", name)
		}
		h.features = append(h.features, column)
	}
	return nil
}

// maxSample is the number of rows that decide which columns are numeric.
const maxSample = 1000

func (h *header) numeric(sample [][]byte) []int {
	numbers, texts := make([]int, len(h.names)), make([]int, len(h.names))
	var cells [][]byte
	for _, line := range sample[:min(len(sample), maxSample)] {
		var err error
		cells, err = split(trim(line), h.separator, cells[:0])
		if err != nil || len(cells) != len(h.names) {
			continue
		}
		for i, cell := range cells {
			switch {
			case len(cell) == 0:
			case meantAsNumber(cell):
				numbers[i]++
			default:
				texts[i]++
			}
		}
	}
	var columns []int
	for i, n := range numbers {
		if n > 0 && n >= texts[i] && !h.special(i) {
			columns = append(columns, i)
		}
	}
	return columns
}

// meantAsNumber lets a decimal comma pass: it had better spoil rows, with a
// reason, than a column without one.
func meantAsNumber(cell []byte) bool {
	_, err := strconv.ParseFloat(string(bytes.Replace(cell, []byte{','}, []byte{'.'}, 1)), 64)
	return err == nil
}

func (h *header) ignored() []string {
	var names []string
	for i, name := range h.names {
		if !h.special(i) && !slices.Contains(h.features, i) {
			names = append(names, name)
		}
	}
	return names
}

func (h *header) list() string {
	var quoted []string
	for i, name := range h.names {
		if !h.special(i) {
			quoted = append(quoted, fmt.Sprintf("%q", name))
		}
	}
	if len(quoted) == 0 {
		return "none"
	}
	return strings.Join(quoted, ", ")
}

func mostFrequent(line []byte, candidates string) byte {
	best := candidates[0]
	for _, c := range []byte(candidates[1:]) {
		if bytes.Count(line, []byte{c}) > bytes.Count(line, []byte{best}) {
			best = c
		}
	}
	return best
}
