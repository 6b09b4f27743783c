package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	firstStretch = time.Hour   // of history per query
	leastStretch = time.Second // below this a server that sends too much is given up
	maxStretch   = 24 * time.Hour
	maxText      = 8 << 20 // bytes of lines that one stretch may make
)

// Collect gives emit the wanted history as line protocol, in the order of time,
// one stretch after the other: lines until, not including, until are complete
// with each call. Numbers come as floats. Memory is bounded: where a stretch is
// too much, it is halved.
func (c *Client) Collect(ctx context.Context, r *Request, emit func(lines []byte, until time.Time) error) error {
	stretch := firstStretch
	for from := r.From; from.Before(r.To); {
		lines, to, err := c.next(ctx, r, from, &stretch)
		if err != nil {
			return err
		}
		if err := emit(lines, to); err != nil {
			return err
		}
		if len(lines) < maxText/8 {
			stretch = min(2*stretch, maxStretch)
		}
		from = to
	}
	return nil
}

// next gets all measurements of a stretch of time, within Patience.
func (c *Client) next(ctx context.Context, r *Request, from time.Time, stretch *time.Duration) (lines []byte, to time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		to = r.end(from, *stretch)
		lines, err := c.stretch(ctx, r, from, to)
		if !errors.Is(err, ErrLarge) || *stretch <= leastStretch || to.Sub(from) <= leastStretch {
			return lines, to, err
		}
		*stretch /= 2
	}
}

// end is where a stretch ends: buckets of Every stay whole.
func (r *Request) end(from time.Time, stretch time.Duration) time.Time {
	to := from.Add(stretch)
	if r.Every > 0 {
		to = to.Truncate(r.Every)
	}
	if to.After(r.To) || !to.After(from) {
		return r.To
	}
	return to
}

func (c *Client) stretch(ctx context.Context, r *Request, from, to time.Time) ([]byte, error) {
	p := points{from: from.UnixNano(), to: to.UnixNano()}
	for _, s := range r.sources() {
		if err := c.fetch(ctx, &s, from, to, r.Every, p.add); err != nil {
			return nil, err
		}
	}
	return p.lines(), nil
}

func (c *Client) fetch(ctx context.Context, s *source, from, to time.Time, every time.Duration, row func(*table, []any) error) error {
	if !c.config.Flux {
		return c.influxQL(ctx, s.influxQL(from, to, every), row)
	}
	for _, query := range s.flux(c.config.Database, from, to, every) {
		if err := c.flux(ctx, query, row); err != nil {
			return err
		}
	}
	return nil
}

// points are the lines of a stretch, before they are sorted.
type points struct {
	from, to int64 // what lies outside belongs to another stretch, whatever the server thinks
	list     []point
	size     int
}

type point struct {
	time   int64
	series string // measurement and tags, as on a line
	fields string // comma-separated
}

func (p *points) add(t *table, cells []any) error {
	at, fields := int64(0), []byte(nil)
	for i, column := range t.columns {
		if column == "time" {
			n, err := strconv.ParseInt(fmt.Sprint(cells[i]), 10, 64)
			if err != nil {
				return fmt.Errorf("not a time in nanoseconds: %.40q", fmt.Sprint(cells[i]))
			}
			at = n
			continue
		}
		var err error
		if fields, err = appendField(fields, column, cells[i]); err != nil {
			return err
		}
	}
	if len(fields) == 0 || at < p.from || at >= p.to {
		return nil
	}
	series := t.series()
	if p.size += len(series) + len(fields) + 64; p.size > maxText {
		return ErrLarge
	}
	p.list = append(p.list, point{at, series, string(fields)})
	return nil
}

// A line break in a name would begin a line of its own.
var (
	nameEscaper = strings.NewReplacer(",", `\,`, " ", `\ `, "\n", `\ `, "\r", `\ `)
	tagEscaper  = strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`, "\n", `\ `, "\r", `\ `)
)

func (t *table) series() string {
	s := nameEscaper.Replace(t.name)
	for _, tag := range t.tags {
		if tag[1] != "" {
			s += "," + tagEscaper.Replace(tag[0]) + "=" + tagEscaper.Replace(tag[1])
		}
	}
	return s
}

func appendField(dst []byte, key string, cell any) ([]byte, error) {
	var value string
	switch cell := cell.(type) {
	case nil:
		return dst, nil
	case json.Number:
		if _, err := cell.Float64(); err != nil {
			return nil, fmt.Errorf("field %q is not a number: %.40q", key, cell)
		}
		value = cell.String()
	case bool:
		value = strconv.FormatBool(cell)
	case string:
		value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(cell) + `"`
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(append(append(dst, tagEscaper.Replace(key)...), '='), value...), nil
}

// lines writes the points in the order of time, those of one series and time,
// which Flux gives field by field, as one line.
func (p *points) lines() []byte {
	slices.SortStableFunc(p.list, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.time, b.time), strings.Compare(a.series, b.series))
	})
	text := make([]byte, 0, p.size)
	for i := 0; i < len(p.list); {
		q := p.list[i]
		text = append(append(append(text, q.series...), ' '), q.fields...)
		for i++; i < len(p.list) && p.list[i].time == q.time && p.list[i].series == q.series; i++ {
			text = append(append(text, ','), p.list[i].fields...)
		}
		text = strconv.AppendInt(append(text, ' '), q.time, 10)
		text = append(text, '\n')
	}
	return text
}
