package lp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// A Point is one metric, reduced to what features are made of. Its slices
// belong to the line it was decoded from and live as long as that line.
type Point struct {
	Series []byte // name and tags in their order on the line: the identity of the series
	Name   []byte
	Tags   []Tag
	Fields []Field
	Time   int64 // nanoseconds since the epoch
}

// Tag is one tag of a Point.
type Tag struct{ Key, Value []byte }

// Field is one field of a Point. Numeric is false for strings and booleans,
// whose Value is 0.
type Field struct {
	Key     []byte
	Value   float64
	Numeric bool
}

// Tag returns the value of the tag named key, nil if there is none.
func (p *Point) Tag(key string) []byte {
	for i := range p.Tags {
		if string(p.Tags[i].Key) == key {
			return p.Tags[i].Value
		}
	}
	return nil
}

// Name returns the measurement of a line as it is written there, escapes
// included, without looking at the rest.
func Name(line []byte) []byte {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ',', ' ', '\n':
			return line[:i]
		}
	}
	return line
}

// Decode reads one line into p, reusing its memory. A line without a time
// stamp gets now. Integers beyond 2^53 are rounded to the nearest float64.
func Decode(p *Point, line []byte, now time.Time) error {
	d := lineprotocol.NewDecoderWithBytes(line)
	if !d.Next() {
		return fmt.Errorf("lp: no metric in %.80q", line)
	}
	if err := p.decode(d, now); err != nil {
		return fmt.Errorf("lp: %w in %.80q", err, line)
	}
	p.Series = series(line)
	if d.Next() {
		return fmt.Errorf("lp: more than one metric in %.80q", line)
	}
	return nil
}

func (p *Point) decode(d *lineprotocol.Decoder, now time.Time) (err error) {
	if p.Name, err = d.Measurement(); err != nil {
		return err
	}
	p.Tags = p.Tags[:0]
	for {
		key, value, err := d.NextTag()
		if err != nil {
			return err
		}
		if key == nil {
			break
		}
		p.Tags = append(p.Tags, Tag{key, value})
	}
	p.Fields = p.Fields[:0]
	for {
		key, value, err := d.NextField()
		if err != nil {
			return err
		}
		if key == nil {
			break
		}
		p.Fields = append(p.Fields, field(key, value))
	}
	t, err := d.Time(lineprotocol.Nanosecond, now)
	p.Time = t.UnixNano()
	return err
}

func field(key []byte, v lineprotocol.Value) Field {
	f := Field{Key: key, Numeric: true}
	switch v.Kind() {
	case lineprotocol.Float:
		f.Value = v.FloatV()
	case lineprotocol.Int:
		f.Value = float64(v.IntV())
	case lineprotocol.Uint:
		f.Value = float64(v.UintV())
	default:
		f.Numeric = false
	}
	return f
}

func series(line []byte) []byte {
	line = bytes.TrimLeft(line, " \t\r\n")
	if i := fieldsAt(line); i < len(line) {
		return line[:i-1]
	}
	return line
}
