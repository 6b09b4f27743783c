package influx

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Databases lists the databases of a server that is asked in InfluxQL.
func (c *Client) Databases(ctx context.Context) ([]string, error) {
	return c.show(ctx, "SHOW DATABASES")
}

// Measurements lists the measurements of the database, in InfluxQL too.
func (c *Client) Measurements(ctx context.Context) ([]string, error) {
	return c.show(ctx, "SHOW MEASUREMENTS")
}

// maxNames bounds a list.
const maxNames = 10_000

// show returns the last column of a list.
func (c *Client) show(ctx context.Context, query string) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	err = c.influxQL(ctx, query, func(_ *table, cells []any) error {
		if len(names) == maxNames {
			return ErrLarge
		}
		names = append(names, fmt.Sprint(cells[len(cells)-1]))
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Presence is what recent history holds of a field.
type Presence struct {
	Measurement string    `json:"measurement"`
	Field       string    `json:"field"`
	Series      int       `json:"series"`
	Newest      time.Time `json:"newest,omitzero"`
	Wrong       string    `json:"wrong_type,omitempty"` // example of a value that is not a number
}

// Present looks for the fields that features need between two times, and for
// the values of a tag that go with them.
func (c *Client) Present(ctx context.Context, r *Request, tag string) (fields []Presence, values []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	seen := map[string]bool{}
	for _, s := range r.sources() {
		found := map[string]*finding{}
		for field := range s.fields {
			found[field] = &finding{Presence{Measurement: s.name, Field: field}, map[string]bool{}}
		}
		err := c.fetch(ctx, &s, r.From, r.To, 0, func(t *table, cells []any) error {
			for _, tagged := range t.tags {
				if tagged[0] == tag {
					seen[tagged[1]] = true
				}
			}
			for i, column := range t.columns {
				if f := found[column]; f != nil && cells[i] != nil {
					f.note(t, cells[0], cells[i])
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			fields = append(fields, f.Presence)
		}
	}
	slices.SortFunc(fields, func(a, b Presence) int {
		return strings.Compare(a.Measurement+"."+a.Field, b.Measurement+"."+b.Field)
	})
	for value := range seen {
		values = append(values, value)
	}
	slices.Sort(values)
	return fields, values, nil
}

type finding struct {
	Presence
	series map[string]bool
}

func (f *finding) note(t *table, at, value any) {
	f.series[t.series()] = true
	f.Series = len(f.series)
	if _, text := value.(string); text {
		f.Wrong = fmt.Sprintf("%.40q", value)
	}
	var ns int64
	if _, err := fmt.Sscan(fmt.Sprint(at), &ns); err == nil {
		if when := time.Unix(0, ns).UTC(); when.After(f.Newest) {
			f.Newest = when
		}
	}
}
