package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxCells bounds what one row may hold.
const maxCells = 4096

// maxDepth bounds what is passed over unread.
const maxDepth = 100

// table is a series of an answer. Tags are in the order of their keys.
type table struct {
	name    string
	tags    [][2]string
	columns []string
}

// influxQL runs a query and gives row the rows, one by one; cells are
// json.Number, string, bool or nil.
func (c *Client) influxQL(ctx context.Context, query string, row func(*table, []any) error) error {
	parameters := url.Values{"db": {c.config.Database}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {"5000"}}
	if c.config.Retention != "" {
		parameters.Set("rp", c.config.Retention)
	}
	body, err := c.post(ctx, "/query", parameters, "application/x-www-form-urlencoded", url.Values{"q": {query}}.Encode())
	if err != nil {
		return err
	}
	defer body.Close()
	d := &documents{Decoder: json.NewDecoder(body), row: row}
	d.UseNumber()
	for {
		switch err := d.document(); {
		case errors.Is(err, errEnd):
			return nil
		case err != nil:
			return c.wrap(err)
		}
	}
}

var errEnd = errors.New("no more documents")

// documents reads InfluxDB's answers token by token: nothing of theirs is ever in
// memory as a whole.
type documents struct {
	*json.Decoder
	table table
	row   func(*table, []any) error
}

func (d *documents) document() error {
	if !d.More() {
		if _, err := d.Token(); err != nil && err.Error() != "EOF" {
			return err
		}
		return errEnd
	}
	return d.object(func(key string) error {
		if key == "results" {
			return d.array(func() error { return d.object(d.result) })
		}
		return d.errorOr(key)
	})
}

func (d *documents) result(key string) error {
	if key == "series" {
		return d.array(func() error {
			d.table = table{}
			return d.object(d.series)
		})
	}
	return d.errorOr(key)
}

func (d *documents) errorOr(key string) error {
	if key != "error" {
		return d.skip()
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	return fmt.Errorf("the server says: %s", text[:min(len(text), maxSnippet)])
}

func (d *documents) series(key string) (err error) {
	switch key {
	case "name":
		d.table.name, err = d.text()
	case "tags":
		err = d.object(func(tag string) error {
			value, err := d.text()
			d.table.tags = append(d.table.tags, [2]string{tag, value})
			return err
		})
		slices.SortFunc(d.table.tags, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	case "columns":
		err = d.array(func() error {
			column, err := d.text()
			d.table.columns = append(d.table.columns, column)
			return err
		})
	case "values":
		cells := make([]any, 0, len(d.table.columns))
		err = d.array(func() error {
			if cells, err = d.cells(cells[:0]); err != nil {
				return err
			}
			if len(cells) != len(d.table.columns) {
				return fmt.Errorf("a row of %q has %d cells for %d columns", d.table.name, len(cells), len(d.table.columns))
			}
			return d.row(&d.table, cells)
		})
	default:
		err = d.skip()
	}
	return err
}

func (d *documents) cells(cells []any) ([]any, error) {
	err := d.array(func() error {
		token, err := d.Token()
		if _, nested := token.(json.Delim); nested || len(cells) == maxCells {
			return errors.New("a row that is none")
		}
		cells = append(cells, token)
		return err
	})
	return cells, err
}

func (d *documents) object(member func(key string) error) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	for n := 0; d.More(); n++ {
		key, err := d.text()
		if err != nil {
			return err
		}
		if n == maxCells {
			return errors.New("an object without end")
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return d.expect('}')
}

func (d *documents) array(element func() error) error {
	if err := d.expect('['); err != nil {
		return err
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return d.expect(']')
}

func (d *documents) expect(want json.Delim) error {
	token, err := d.Token()
	if err == nil && token != want {
		err = fmt.Errorf("not an answer of InfluxDB: %v where %v should be", token, want)
	}
	return err
}

func (d *documents) text() (string, error) {
	token, err := d.Token()
	text, ok := token.(string)
	if err == nil && !ok {
		err = fmt.Errorf("not an answer of InfluxDB: %v where text should be", token)
	}
	return text, err
}

// skip passes over a value, however deep.
func (d *documents) skip() error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return errors.New("brackets without end")
		}
	}
}

// identifier and literal quote for InfluxQL.
func identifier(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func literal(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + `'`
}
