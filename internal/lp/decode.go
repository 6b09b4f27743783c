package lp

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

var (
	errNone = errors.New("no metric")
	errMore = errors.New("more than one metric")
)

// Decode reads one line into p, reusing its memory. A line without a time
// stamp gets now. Integers beyond 2^53 are rounded to the nearest float64.
func Decode(p *Point, line []byte, now time.Time) error {
	if p.plain(line) {
		return nil
	}
	return p.general(line, now)
}

// general decodes any line.
func (p *Point) general(line []byte, now time.Time) error {
	if p.decoder == nil {
		p.decoder = newDecoder()
	}
	d := p.decoder
	d.rewind(line)
	err := errNone
	if d.Next() {
		err = p.decode(&d.Decoder, now)
	}
	if err == nil && d.Next() {
		err = errMore
	}
	if err != nil {
		return fmt.Errorf("lp: %w in %.80q", reason(err), line)
	}
	p.Series = series(line)
	return nil
}

// reason leaves out the line number of a lineprotocol error: it is not the
// stream's.
func reason(err error) error {
	var syntax *lineprotocol.DecodeError
	if errors.As(err, &syntax) {
		return fmt.Errorf("column %d: %w", syntax.Column, syntax.Err)
	}
	return err
}

func (p *Point) decode(d *lineprotocol.Decoder, now time.Time) (err error) {
	if p.Name, err = d.Measurement(); err != nil {
		return err
	}
	if err = p.decodeTags(d); err != nil {
		return err
	}
	if err = p.decodeFields(d); err != nil {
		return err
	}
	t, err := d.Time(lineprotocol.Nanosecond, now)
	p.Time = t.UnixNano()
	return err
}

func (p *Point) decodeTags(d *lineprotocol.Decoder) error {
	p.Tags = p.Tags[:0]
	for {
		key, value, err := d.NextTag()
		if err != nil || key == nil {
			return err
		}
		p.Tags = append(p.Tags, Tag{key, value})
	}
}

func (p *Point) decodeFields(d *lineprotocol.Decoder) error {
	p.Fields = p.Fields[:0]
	for {
		key, value, err := d.NextField()
		if err != nil || key == nil {
			return err
		}
		p.Fields = append(p.Fields, field(key, value))
	}
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

// decoder reads line after line without allocating. A lineprotocol.Decoder is
// made for one stream, whose end it remembers; put back to how it was before its
// first line it keeps its buffers and forgets the rest.
type decoder struct {
	lineprotocol.Decoder
	fresh lineprotocol.Decoder
	line  []byte // what was not read yet
}

func newDecoder() *decoder {
	d := new(decoder)
	d.fresh = *lineprotocol.NewDecoder(d)
	d.rewind([]byte("m f=0 0\n"))
	d.Next()
	_, _ = d.Time(lineprotocol.Nanosecond, time.Time{}) // to the end of the line, without asking for more
	d.fresh = d.Decoder
	return d
}

func (d *decoder) rewind(line []byte) { d.Decoder, d.line = d.fresh, line }

// Read is where the embedded Decoder gets its bytes from.
func (d *decoder) Read(p []byte) (int, error) {
	n := copy(p, d.line)
	if n == 0 {
		return 0, io.EOF
	}
	d.line = d.line[n:]
	return n, nil
}
