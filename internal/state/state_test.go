package state

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const owner = "schema 1 shared=false"

// kind is one sort of value: how it is drawn, written and read.
type kind struct {
	draw  func(*rapid.T) any
	write func(*Writer, any)
	read  func(*Reader) any
}

func bits64(v []float64) (b []uint64) { // NaN equals NaN here, and -0 differs from 0
	for _, x := range v {
		b = append(b, math.Float64bits(x))
	}
	return b
}

func bits32(v []float32) (b []uint32) {
	for _, x := range v {
		b = append(b, math.Float32bits(x))
	}
	return b
}

func anyFloat(t *rapid.T) float64 {
	return math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
}

var kinds = []kind{
	{func(t *rapid.T) any { return rapid.Int64().Draw(t, "int") },
		func(w *Writer, v any) { w.Int(v.(int64)) }, func(r *Reader) any { return r.Int() }},
	{func(t *rapid.T) any { return rapid.Bool().Draw(t, "bool") },
		func(w *Writer, v any) { w.Bool(v.(bool)) }, func(r *Reader) any { return r.Bool() }},
	{func(t *rapid.T) any { return math.Float64bits(anyFloat(t)) },
		func(w *Writer, v any) { w.Float(math.Float64frombits(v.(uint64))) }, func(r *Reader) any { return math.Float64bits(r.Float()) }},
	{func(t *rapid.T) any { return bits64(rapid.SliceOf(rapid.Custom(anyFloat)).Draw(t, "floats")) },
		func(w *Writer, v any) {
			floats := make([]float64, 0)
			for _, b := range v.([]uint64) {
				floats = append(floats, math.Float64frombits(b))
			}
			w.Floats(floats)
		}, func(r *Reader) any { return bits64(r.Floats()) }},
	{func(t *rapid.T) any { return bits32(rapid.SliceOf(rapid.Float32()).Draw(t, "float32s")) },
		func(w *Writer, v any) {
			floats := make([]float32, 0)
			for _, b := range v.([]uint32) {
				floats = append(floats, math.Float32frombits(b))
			}
			w.Float32s(floats)
		}, func(r *Reader) any { return bits32(r.Float32s()) }},
	{func(t *rapid.T) any { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")) },
		func(w *Writer, v any) { w.Text(v.(string)) }, func(r *Reader) any { return r.Text() }},
}

// What was written comes back, bit by bit, in its order; beyond the end there are
// zeros and an error.
func TestRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	rapid.Check(t, func(rt *rapid.T) {
		var w Writer
		var order []int
		var want []any
		for range rapid.IntRange(0, 20).Draw(rt, "values") {
			k := rapid.IntRange(0, len(kinds)-1).Draw(rt, "kind")
			v := kinds[k].draw(rt)
			kinds[k].write(&w, v)
			order, want = append(order, k), append(want, v)
		}
		require.NoError(rt, w.Save(file, owner))
		r, err := Read(file, owner)
		require.NoError(rt, err)
		for i, k := range order {
			require.Equal(rt, want[i], kinds[k].read(r))
		}
		require.NoError(rt, r.Err())
		require.Zero(rt, r.Int())
		require.ErrorIs(rt, r.Err(), ErrDamaged)
	})
}

// example is a file with a value of each kind.
func example(t testing.TB) (file string, data []byte) {
	var w Writer
	w.Int(-7)
	w.Bool(true)
	w.Float(math.Pi)
	w.Floats([]float64{1, 2})
	w.Float32s([]float32{3})
	w.Text("host\x00a")
	file = filepath.Join(t.TempDir(), "state")
	require.NoError(t, w.Save(file, owner))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return file, data
}

// A file that lacks its end, wherever it was cut, is damaged.
func TestTruncatedFile(t *testing.T) {
	file, data := example(t)
	for n := range data {
		require.NoError(t, os.WriteFile(file, data[:n], 0o600))
		_, err := Read(file, owner)
		require.Error(t, err, n)
		require.True(t, isTyped(err), err)
		if n >= len(magic)+1+len(owner)+32 || n < len(magic)+32 {
			require.ErrorIs(t, err, ErrDamaged, n)
		}
	}
}

func isTyped(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrOther)
}

// A flipped bit is noticed, wherever it is: in the head the file is another's,
// behind it the digest does not match.
func TestFlippedBits(t *testing.T) {
	file, data := example(t)
	head := len(magic) + 1 + len(owner)
	for i := range data {
		for bit := range 8 {
			broken := bytes.Clone(data)
			broken[i] ^= 1 << bit
			require.NoError(t, os.WriteFile(file, broken, 0o600))
			_, err := Read(file, owner)
			if i < head {
				require.ErrorIs(t, err, ErrOther)
			} else {
				require.ErrorIs(t, err, ErrDamaged)
			}
		}
	}
}

// A state of another configuration is not taken for one's own, even where one
// owner's name begins like the other's.
func TestOwner(t *testing.T) {
	file, _ := example(t)
	for _, other := range []string{"", "schema 2 shared=false", owner + "x", owner[:len(owner)-1]} {
		_, err := Read(file, other)
		require.ErrorIs(t, err, ErrOther, other)
	}
	_, err := Read(filepath.Join(t.TempDir(), "none"), owner)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, new(Writer).Save(file, strings.Repeat("x", 256)), "256 bytes")
	_, err = Read(file, owner)
	require.NoError(t, err, "a state that cannot be saved leaves the old one alone")
}

// No count is believed beyond what the file could hold: nothing is allocated for
// it.
func TestCountsAreBounded(t *testing.T) {
	for _, count := range []int64{-1, 3, math.MaxInt32, math.MaxInt64, math.MinInt64} {
		var w Writer
		w.Int(count)
		w.Text("") // a byte
		for name, read := range map[string]func(*Reader){
			"count":    func(r *Reader) { require.Zero(t, r.Count(1)) },
			"floats":   func(r *Reader) { require.Empty(t, r.Floats()) },
			"float32s": func(r *Reader) { require.Empty(t, r.Float32s()) },
			"text":     func(r *Reader) { require.Empty(t, r.Text()) },
		} {
			r := &Reader{buf: w.buf}
			read(r)
			require.ErrorIs(t, r.Err(), ErrDamaged, "%s of %d", name, count)
		}
	}
	r := &Reader{buf: []byte{4, 'a', 'b'}} // the varint of 2
	require.Equal(t, 2, r.Count(0))
	require.NoError(t, r.Err())
}

// After an error there are zeros only, and the first error stays.
func TestFirstErrorStays(t *testing.T) {
	r := &Reader{buf: []byte{2, 2, 2}}
	r.Fail("value %d", 1)
	r.Fail("value %d", 2)
	require.EqualError(t, r.Err(), "state: file is damaged: value 1")
	require.Zero(t, r.Int())
	require.Zero(t, r.Float())
	require.False(t, r.Bool())
	require.Empty(t, r.Text())
	require.Nil(t, r.Floats())
	require.Nil(t, r.Float32s())
	require.EqualError(t, r.Err(), "state: file is damaged: value 1")
}

// Whatever bytes are read in whatever way: no panic, and an error where they end.
func FuzzReader(f *testing.F) {
	var w Writer
	w.Floats([]float64{1})
	w.Text("a")
	f.Add(w.buf, []byte{3, 5})
	f.Add(bytes.Repeat([]byte{0xff}, 12), []byte{0, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, data, order []byte) {
		r := &Reader{buf: data}
		for _, k := range order {
			kinds[int(k)%len(kinds)].read(r)
		}
		if r.Err() != nil {
			require.ErrorIs(t, r.Err(), ErrDamaged)
			require.Empty(t, r.buf)
		}
	})
}

// Whatever is in a file: a Reader or a typed error.
func FuzzRead(f *testing.F) {
	_, data := example(f)
	f.Add(data)
	f.Add([]byte(magic))
	file := filepath.Join(f.TempDir(), "fuzzed")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(file, data, 0o600))
		if r, err := Read(file, owner); err != nil {
			require.Nil(t, r)
			require.True(t, isTyped(err), err)
		}
	})
}
