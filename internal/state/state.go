// Package state writes down what a process must not forget, and reads it back:
// plain binary values in a file that is whole, or not used.
package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"telegraf-anomaly/internal/atomicfile"
)

// Errors of Read.
var (
	ErrDamaged = errors.New("state: file is damaged")
	ErrOther   = errors.New("state: file is of another version or configuration")
)

const (
	magic   = "tg-anom state 1\n"
	maxSize = 1 << 30
	maxHead = len(magic) + 1 + math.MaxUint8 + sha256.Size
)

// A Writer appends values to a buffer. The zero value is ready to use.
type Writer struct{ buf []byte }

// Int appends an integer.
func (w *Writer) Int(v int64) { w.buf = binary.AppendVarint(w.buf, v) }

// Bool appends a truth value.
func (w *Writer) Bool(v bool) {
	if v {
		w.Int(1)
	} else {
		w.Int(0)
	}
}

// Float appends a number, bit by bit.
func (w *Writer) Float(v float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

// Floats appends numbers with their count.
func (w *Writer) Floats(v []float64) {
	w.Int(int64(len(v)))
	for _, x := range v {
		w.Float(x)
	}
}

// Float32s appends numbers with their count.
func (w *Writer) Float32s(v []float32) {
	w.Int(int64(len(v)))
	for _, x := range v {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(x))
	}
}

// Text appends a string.
func (w *Writer) Text(v string) {
	w.Int(int64(len(v)))
	w.buf = append(w.buf, v...)
}

// Save writes the buffer to a file as a whole. owner must be the same when it
// is read.
func (w *Writer) Save(path, owner string) error {
	if len(owner) > math.MaxUint8 || len(w.buf) > maxSize-maxHead {
		return fmt.Errorf("state: %d bytes for an owner named in %d bytes, want at most %d and %d", len(w.buf), len(owner), maxSize-maxHead, math.MaxUint8)
	}
	data := append([]byte(magic), byte(len(owner)))
	data = append(append(data, owner...), w.buf...)
	sum := sha256.Sum256(data)
	return atomicfile.Write(path, append(data, sum[:]...), 0o640)
}

// A Reader returns values in the order in which they were written. After an
// error it returns zeros; Err tells.
type Reader struct {
	buf []byte
	err error
}

// Read opens a file that Save wrote. Errors wrap ErrDamaged or ErrOther, or
// come from the file system.
func Read(path, owner string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return nil, err
	}
	end := len(data) - sha256.Size
	if end < len(magic) {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrDamaged, path, len(data))
	}
	head := append(append([]byte(magic), byte(len(owner))), owner...)
	if !bytes.HasPrefix(data, head) {
		return nil, fmt.Errorf("%w: %s", ErrOther, path)
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, fmt.Errorf("%w: %s: its SHA-256 does not match", ErrDamaged, path)
	}
	return &Reader{buf: data[len(head):end]}, nil
}

// Err reports whether a value was missing.
func (r *Reader) Err() error { return r.err }

// Fail makes the reader return zeros from here on.
func (r *Reader) Fail(format string, arguments ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, arguments...))
	}
	r.buf = nil
}

func (r *Reader) take(n int) []byte {
	if n < 0 || n > len(r.buf) {
		r.Fail("it ends too early")
		return make([]byte, max(0, min(n, 8)))
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

// Int returns an integer.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.Fail("it ends too early")
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Bool returns a truth value.
func (r *Reader) Bool() bool { return r.Int() != 0 }

// Count returns an integer that counts things of at least size bytes each, so
// that nobody allocates for more than the file can hold.
func (r *Reader) Count(size int) int {
	n := r.Int()
	if n < 0 || n > int64(len(r.buf)/max(1, size)) {
		r.Fail("it counts %d things in %d bytes", n, len(r.buf))
		return 0
	}
	return int(n)
}

// Float returns a number.
func (r *Reader) Float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
}

// Floats returns numbers, nil if there are none.
func (r *Reader) Floats() (v []float64) {
	for range r.Count(8) {
		v = append(v, r.Float())
	}
	return v
}

// Float32s returns numbers, nil if there are none.
func (r *Reader) Float32s() []float32 {
	n := r.Count(4)
	if n == 0 {
		return nil
	}
	v, b := make([]float32, n), r.take(4*n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// Text returns a string.
func (r *Reader) Text() string { return string(r.take(r.Count(1))) }
