package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
)

var update = flag.Bool("update", false, "write testdata/golden.model anew")

var typed = []error{ErrTruncated, ErrMagic, ErrNewer, ErrDigest, ErrInvalid}

func isTyped(err error) bool {
	for _, e := range typed {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func TestRoundTrip(t *testing.T) {
	b := fit(t, 1)
	data := encoded(t, b)
	got, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, b.Schema, got.Schema)
	require.Equal(t, b.Provenance, got.Provenance)
	require.Equal(t, b.Profile, got.Profile)
	require.Equal(t, b.Probes, got.Probes)
	require.Equal(t, b.ID(), got.ID())
	require.Len(t, got.ID(), 8)
	require.True(t, bytes.Equal(data, encoded(t, got)), "what was read is written as it was")

	scorer, again := detect.NewScorer(b.Detector), detect.NewScorer(got.Detector)
	for _, p := range b.Probes {
		var v, w detect.Verdict
		require.NoError(t, scorer.Explain(&v, p.Context))
		require.NoError(t, again.Explain(&w, p.Context))
		require.Equal(t, v, w, "every bit of the verdict")
	}
}

func TestSameRowsAndSeedGiveTheSameBytes(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		require.True(t, bytes.Equal(encoded(t, fit(t, 1)), encoded(t, fitWith(t, 1, workers))))
	}
	require.NotEqual(t, fit(t, 1).ID(), fit(t, 2).ID())
}

// The file of an earlier build is still read, and scores as it did. If the format
// has to change, raise the version and keep the old file beside the new one.
func TestGoldenModel(t *testing.T) {
	const file = "testdata/golden.model"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, encoded(t, fit(t, 1)), 0o644))
	}
	b, err := Load(file)
	require.NoError(t, err)
	require.Equal(t, []string{"cpu", "memory", "network"}, b.Schema.Names())
	require.Equal(t, 100, b.Provenance.Rows)
	require.Len(t, b.Probes, probes)
	scorer := detect.NewScorer(b.Detector)
	for _, p := range b.Probes {
		var v detect.Verdict
		require.NoError(t, scorer.Explain(&v, p.Context))
		require.InDelta(t, p.Score, v.Score, 1e-12)
	}
}

func TestTruncationIsNoticed(t *testing.T) {
	data := encoded(t, fit(t, 1))
	for n := range data {
		b, err := Decode(data[:n])
		require.Nil(t, b)
		require.ErrorIs(t, err, ErrTruncated, "%d of %d bytes", n, len(data))
	}
	_, err := Decode(append(bytes.Clone(data), 0))
	require.ErrorIs(t, err, ErrDigest, "a byte too many")
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	data := encoded(t, fit(t, 1))
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			b, err := Decode(data)
			require.Nil(t, b)
			require.True(t, isTyped(err), "byte %d bit %d: %v", i, bit, err)
			data[i] ^= 1 << bit
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	data := encoded(t, fit(t, 1))
	with := func(at int, v uint32) []byte {
		d := bytes.Clone(data)
		binary.BigEndian.PutUint32(d[at:], v)
		return d
	}
	for _, c := range []struct {
		name    string
		data    []byte
		err     error
		message string
	}{
		{"nothing", nil, ErrTruncated, "model: file is cut off: 0 bytes"},
		{"another file", bytes.Repeat([]byte("PNG"), 100), ErrMagic, "model: not a model file"},
		{"version 0", with(8, 0), ErrMagic, "model: not a model file: version 0"},
		{"a newer version", with(8, 2), ErrNewer, "model: file format is newer than this program: version 2, this program reads up to 1; upgrade it or fit the model again"},
		{"metadata without end", with(12, 1<<32-1), ErrTruncated, ""},
		{"trees without end", with(16, 1<<32-1), ErrTruncated, ""},
		{"sections too short", with(12, 1), ErrDigest, "model: file is damaged, its SHA-256 does not match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Decode(c.data)
			require.Nil(t, b)
			require.ErrorIs(t, err, c.err)
			if c.message != "" {
				require.EqualError(t, err, c.message)
			}
		})
	}
}

// sign frames metadata and trees as encode does: what a hostile writer can do too.
func sign(meta, trees []byte) []byte {
	data := []byte(magic)
	data = binary.BigEndian.AppendUint32(data, version)
	data = binary.BigEndian.AppendUint32(data, uint32(len(meta)))
	data = binary.BigEndian.AppendUint32(data, uint32(len(trees)))
	data = append(append(data, meta...), trees...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

func parts(t testing.TB, b *Bundle) (meta, trees []byte) {
	meta, trees, err := sections(encoded(t, b))
	require.NoError(t, err)
	return bytes.Clone(meta), bytes.Clone(trees)
}

// changed returns the metadata with the value at a path (keys and indices)
// replaced; nil removes it.
func changed(t testing.TB, meta []byte, value any, path ...any) []byte {
	var root any
	require.NoError(t, json.Unmarshal(meta, &root))
	at := root
	for _, step := range path[:len(path)-1] {
		if i, ok := step.(int); ok {
			at = at.([]any)[i]
		} else {
			at = at.(map[string]any)[step.(string)]
		}
	}
	switch last := path[len(path)-1].(type) {
	case int:
		at.([]any)[last] = value
	case string:
		if at.(map[string]any)[last] = value; value == nil {
			delete(at.(map[string]any), last)
		}
	}
	text, err := json.Marshal(root)
	require.NoError(t, err)
	return text
}

// A file may be signed and still be nonsense.
func TestSignedNonsenseIsRefused(t *testing.T) {
	meta, trees := parts(t, fit(t, 1))
	_, otherTrees := parts(t, fit(t, 2))
	for _, c := range []struct {
		name        string
		meta, trees []byte
	}{
		{"no metadata", nil, trees},
		{"no object", []byte("7"), trees},
		{"no detector", []byte("{}"), trees},
		{"NaN", bytes.Replace(meta, []byte(`"threshold":`), []byte(`"threshold":NaN,"x":`), 1), trees},
		{"a number out of range", bytes.Replace(meta, []byte(`"threshold":`), []byte(`"threshold":1e999,"x":`), 1), trees},
		{"something behind the metadata", append(bytes.Clone(meta), " {}"...), trees},
		{"unknown key", changed(t, meta, 1, "more"), trees},
		{"unknown key further down", changed(t, meta, 1, "detector", "more"), trees},
		{"another type", changed(t, meta, "high", "detector", "threshold"), trees},
		{"no trees", meta, nil},
		{"trees of another model", meta, otherTrees},
		{"trees cut off", meta, trees[:len(trees)-1]},
		{"trees and more", meta, append(bytes.Clone(trees), 0)},
		{"schema of other features", changed(t, meta, "cpu2", "schema", "features", 0, "name"), trees},
		{"schema that is invalid", changed(t, meta, "often", "schema", "missing"), trees},
		{"fewer features", changed(t, meta, []any{"cpu"}, "detector", "features"), trees},
		{"features renamed", changed(t, meta, "x", "detector", "features", 0), trees},
		{"unknown columns", changed(t, meta, "all", "detector", "columns"), trees},
		{"columns that the forest has not", changed(t, meta, "value", "detector", "columns"), trees},
		{"no residual", changed(t, meta, nil, "detector", "residual"), trees},
		{"a residual too small", changed(t, meta, []any{1}, "detector", "residual", "mean"), trees},
		{"a component too small", changed(t, meta, []any{1}, "detector", "residual", "components", 0), trees},
		{"a relation too small", changed(t, meta, []any{}, "detector", "relation", "q"), trees},
		{"a range too small", changed(t, meta, []any{}, "detector", "range"), trees},
		{"a range upside down", changed(t, meta, 1e9, "detector", "range", 0, "low"), trees},
		{"a range without unit", changed(t, meta, 0, "detector", "range", 0, "unit"), trees},
		{"medians too few", changed(t, meta, []any{}, "detector", "median"), trees},
		{"threshold 0", changed(t, meta, 0, "detector", "threshold"), trees},
		{"threshold above 1", changed(t, meta, 1.5, "detector", "threshold"), trees},
		{"weight out of range", changed(t, meta, -1, "detector", "options", "range_weight"), trees},
		{"no profile", changed(t, meta, nil, "profile"), trees},
		{"a profile of something else", changed(t, meta, "x", "profile", "references", 0, "name"), trees},
		{"no probes", changed(t, meta, []any{}, "probes"), trees},
		{"a probe of another size", changed(t, meta, []any{1}, "probes", 0, "context"), trees},
		{"a probe with few shares", changed(t, meta, []any{1}, "probes", 0, "shap"), trees},
		{"a probe with another score", changed(t, meta, 0.123, "probes", 3, "score"), trees},
		{"a probe with another base", changed(t, meta, 0.123, "probes", 3, "base"), trees},
		{"a probe with another share", changed(t, meta, 0.123, "probes", 7, "shap", 2), trees},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Decode(sign(c.meta, c.trees))
			require.Nil(t, b)
			require.ErrorIs(t, err, ErrInvalid)
		})
	}
}

func TestTooManyProbes(t *testing.T) {
	b := fit(t, 1)
	for len(b.Probes) <= maxProbes {
		b.Probes = append(b.Probes, b.Probes...)
	}
	_, err := Decode(encoded(t, b))
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "128 probes, want 1 to 64")
}

// Metadata that swells most: what reading it allocates is bounded by its size.
func TestDecodeMemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	fill := func(start, part, end string) []byte {
		return []byte(start + strings.Repeat(part+",", (size-len(start)-len(end))/(len(part)+1)) + part + end)
	}
	for name, meta := range map[string][]byte{
		"numbers":          fill(`{"detector":{"median":[`, "0", "]}}"),
		"probes":           fill(`{"probes":[`, "{}", "]}"),
		"empty rows":       fill(`{"detector":{"relation":{"q":[`, "[]", "]}}}"),
		"strings":          fill(`{"detector":{"features":[`, `""`, "]}}"),
		"map entries":      []byte(`{"provenance":{"metrics":{` + entries(size) + `}}}`),
		"references":       fill(`{"profile":{"references":[`, "{}", "]}}"),
		"features":         fill(`{"schema":{"features":[`, "{}", "]}}"),
		"deep nesting":     []byte(strings.Repeat("[", size)),
		"nothing but bits": bytes.Repeat([]byte{0}, size),
	} {
		t.Run(name, func(t *testing.T) {
			data := sign(meta, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode(data)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrInvalid)
			factor := float64(after.TotalAlloc-before.TotalAlloc) / size
			t.Logf("%.1f bytes for each", factor)
			require.Less(t, factor, 40.0)
		})
	}
}

func entries(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// What Decode could not read again is not written.
func TestEncodeRefusesWhatIsTooBig(t *testing.T) {
	b := fit(t, 1)
	b.Provenance.Source = strings.Repeat("x", maxMetadata)
	_, err := b.Encode()
	require.ErrorContains(t, err, "are too much for a model file")
}

func FuzzDecode(f *testing.F) {
	meta, trees := parts(f, fit(f, 1))
	f.Add(meta, trees)
	f.Add(changed(f, meta, 0, "detector", "threshold"), trees)
	f.Add([]byte("{}"), []byte{1, 1, 1, 1, 0, 0, 1})
	f.Fuzz(func(t *testing.T, meta, trees []byte) {
		if b, err := Decode(meta); err == nil || !isTyped(err) {
			t.Fatalf("unsigned bytes gave %v, %v", b, err)
		}
		b, err := Decode(sign(meta, trees))
		if err != nil {
			require.Nil(t, b)
			require.True(t, isTyped(err), "%v", err)
			return
		}
		again, err := Decode(encoded(t, b))
		require.NoError(t, err)
		require.Equal(t, b.Probes, again.Probes)
	})
}

func BenchmarkDecode(b *testing.B) {
	data := encoded(b, fit(b, 1))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
