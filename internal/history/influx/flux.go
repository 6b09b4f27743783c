package influx

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRow bounds a row of Flux's CSV, in bytes.
const maxRow = 64 << 10

// fluxQuery asks for the types of columns, too: without them the text "12" is a
// number.
type fluxQuery struct {
	Query   string `json:"query"`
	Dialect struct {
		Annotations []string `json:"annotations"`
	} `json:"dialect"`
}

// flux runs a query and gives row each value as a row of two cells, time and
// value, under the names of influxQL.
func (c *Client) flux(ctx context.Context, query string, row func(*table, []any) error) error {
	q := fluxQuery{Query: query}
	q.Dialect.Annotations = []string{"datatype"}
	text, err := json.Marshal(q)
	if err != nil {
		return err
	}
	body, err := c.post(ctx, "/api/v2/query", url.Values{"org": {c.config.Org}}, "application/json", string(text))
	if err != nil {
		return err
	}
	defer body.Close()
	if err := eachFluxRow(body, row); err != nil {
		return c.wrap(err)
	}
	return nil
}

// fluxTable is how the rows are to be read that follow: the lines above them say.
type fluxTable struct{ types, names []string }

func eachFluxRow(r io.Reader, row func(*table, []any) error) error {
	rows := csv.NewReader(&shortLines{Reader: r})
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	var head fluxTable
	for {
		cells, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case cells[0] == "#datatype":
			head = fluxTable{types: slices.Clone(cells)}
			continue
		case cells[0] == "error":
			head = fluxTable{types: slices.Clone(cells), names: slices.Clone(cells)}
			continue
		case len(cells) != len(head.types):
			return fmt.Errorf("not an answer of Flux: %.60q", strings.Join(cells, ","))
		case head.names == nil:
			head.names = slices.Clone(cells)
			continue
		}
		if err := head.row(cells, row); err != nil {
			return err
		}
	}
}

func (h *fluxTable) row(cells []string, row func(*table, []any) error) error {
	var t table
	var at string
	var value any
	for i, column := range h.names {
		switch cell := cells[i]; column {
		case "error":
			return fmt.Errorf("the server says: %s", cell[:min(len(cell), maxSnippet)])
		case "_measurement":
			t.name = cell
		case "_field":
			t.columns = []string{"time", cell}
		case "_time":
			at = cell
		case "_value":
			value = fluxValue(h.types[i], cell)
		case "", "result", "table", "_start", "_stop":
		default:
			if cell != "" {
				t.tags = append(t.tags, [2]string{column, cell})
			}
		}
	}
	when, err := time.Parse(time.RFC3339Nano, at)
	if err != nil && at != "" {
		return fmt.Errorf("not a time: %.40q", at)
	}
	slices.SortFunc(t.tags, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return row(&t, []any{json.Number(fmt.Sprint(when.UnixNano())), value})
}

func fluxValue(kind, text string) any {
	switch {
	case kind == "string":
		return text
	case text == "":
		return nil
	case kind == "boolean":
		return text == "true"
	}
	return json.Number(text)
}

// shortLines fails where a line is longer than any row can be.
type shortLines struct {
	io.Reader
	since int
}

func (s *shortLines) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), 4096)])
	if i := strings.LastIndexByte(string(p[:n]), '\n'); i >= 0 {
		s.since = n - i - 1
	} else if s.since += n; s.since > maxRow {
		return 0, errors.New("not an answer of Flux: a row without end")
	}
	return n, err
}

func fluxText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", `\${`).Replace(s) + `"`
}
