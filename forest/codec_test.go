package forest_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

func TestDecodingUndoesEncoding(t *testing.T) {
	eachFixture(t, func(t *testing.T, _ *foresttest.Fixture, f *forest.Forest) {
		back := new(forest.Forest)
		require.NoError(t, back.UnmarshalBinary(encoded(t, f)))
		require.Equal(t, f, back)
	})
	rapid.Check(t, func(t *rapid.T) {
		f, back := foresttest.Forest(t, 5, 8), new(forest.Forest)
		require.NoError(t, back.UnmarshalBinary(encoded(t, f)))
		require.Equal(t, f, back)
	})
}

func TestAppendBinaryAppends(t *testing.T) {
	f := foresttest.Load(t, "tiny_plain").Forest(t)
	b, err := f.AppendBinary([]byte("before"))
	require.NoError(t, err)
	require.Equal(t, append([]byte("before"), encoded(t, f)...), b)
}

// The format is a promise: these bytes, written by hand from the doc comment, must always mean this forest.
func TestFormat(t *testing.T) {
	section := []byte{1, 2, 8, 1, 0, 2, 0, 0, 0, 0x3f, 0, 4, 0, 1}
	want, err := forest.New(2, 8, [][]forest.Node{stump()})
	require.NoError(t, err)
	require.Equal(t, section, encoded(t, want))

	covered := []byte{1, 2, 8, 1, 1, 2, 0, 0, 0, 0x3f, 0, 4, 1, 0, 1, 0}
	nodes := stump()
	nodes[0].Cover, nodes[1].Cover = 6, 5
	want, err = forest.New(2, 8, [][]forest.Node{nodes})
	require.NoError(t, err)
	require.Equal(t, covered, encoded(t, want))
}

func TestDecoderRefuses(t *testing.T) {
	stump := []byte{2, 0, 0, 0, 0x3f, 0, 4, 0, 1}
	section := func(header []byte, trees ...[]byte) []byte { return append(header, bytes.Join(trees, nil)...) }
	threshold := func(v float32) []byte { return binary.LittleEndian.AppendUint32([]byte{1}, math.Float32bits(v)) }
	leaves := []byte{0, 1, 0, 1}
	for _, c := range []struct {
		name    string
		section []byte
		want    error
		message string
	}{
		{"nothing", nil, forest.ErrTruncated, ""},
		{"a newer version", section([]byte{2, 2, 8, 1, 0}, stump), forest.ErrVersion, "2, this program reads 1"},
		{"version zero", section([]byte{0, 2, 8, 1, 0}, stump), forest.ErrVersion, ""},
		{"no columns", section([]byte{1, 0, 8, 1, 0}, stump), forest.ErrFormat, "0 columns"},
		{"too many columns", section([]byte{1, 0x81, 0x80, 0x04, 8, 1, 0}, stump), forest.ErrFormat, "beyond 65536"},
		{"no sample", section([]byte{1, 2, 0, 1, 0}, stump), forest.ErrFormat, "sample size 0"},
		{"too big a sample", section([]byte{1, 2, 0x81, 0x80, 0x02, 1, 0}, stump), forest.ErrFormat, "beyond 32768"},
		{"no trees", section([]byte{1, 2, 8, 0, 0}), forest.ErrFormat, "0 trees"},
		{"more trees than bytes", section([]byte{1, 2, 8, 0x80, 0x80, 1, 0}, stump), forest.ErrTruncated, "16384 trees in 9 bytes"},
		{"a number of 64 bits", section([]byte{1, 2, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0}, stump), forest.ErrFormat, "beyond"},
		{"a number without end", section([]byte{1, 2, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), forest.ErrFormat, "beyond"},
		{"an unknown flag", section([]byte{1, 2, 8, 1, 2}, stump), forest.ErrFormat, "beyond 1"},
		{"a number longer than it need be", section([]byte{1, 0x82, 0, 8, 1, 0}, stump), forest.ErrFormat, "shortest form"},
		{"bytes after the last tree", section([]byte{1, 2, 8, 1, 0}, stump, []byte{0}), forest.ErrFormat, "1 bytes after"},
		{"a tree too few", section([]byte{1, 2, 8, 2, 0}, stump), forest.ErrTruncated, ""},
		{"a column beyond the row", section([]byte{1, 1, 8, 1, 0}, stump), forest.ErrFormat, "beyond 1"},
		{"a NaN threshold", section([]byte{1, 2, 8, 1, 0}, threshold(float32(math.NaN())), leaves), forest.ErrFormat, "NaN"},
		{"an infinite threshold", section([]byte{1, 2, 8, 1, 0}, threshold(float32(math.Inf(-1))), leaves), forest.ErrFormat, "-Inf"},
		{"a negative zero", section([]byte{1, 2, 8, 1, 0}, []byte{1, 0, 0, 0, 0x80}, leaves), forest.ErrFormat, "negative zero"},
		{"an empty leaf", section([]byte{1, 2, 8, 1, 0}, []byte{0, 0}), forest.ErrFormat, "leaf of 0 samples"},
		{"a leaf bigger than the sample", section([]byte{1, 2, 8, 1, 0}, []byte{0, 9}), forest.ErrFormat, "leaf of 9 samples"},
		{"leaves bigger than the sample", section([]byte{1, 2, 4, 1, 0}, stump), forest.ErrFormat, "more than the sample size 4"},
		{"a cover bigger than the sample", section([]byte{1, 2, 4, 1, 1}, []byte{0, 4, 1}), forest.ErrFormat, "cover 5"},
		{"a cover flag without need", section([]byte{1, 2, 4, 1, 1}, []byte{0, 4, 0}), forest.ErrFormat, "flag for covers"},
		{"too deep a tree", section([]byte{1, 2, 8, 1, 0}, bytes.Repeat(threshold(0), 33), bytes.Repeat(leaves, 17)), forest.ErrFormat, "below depth 32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := new(forest.Forest).UnmarshalBinary(c.section)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.message)
		})
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	for _, name := range []string{"tiny_plain", "tiny_bootstrap"} {
		b := encoded(t, foresttest.Load(t, name).Forest(t))
		for n := range b {
			require.ErrorIs(t, new(forest.Forest).UnmarshalBinary(b[:n]), forest.ErrTruncated, "%s, %d bytes", name, n)
		}
	}
}

// A flipped bit is refused or makes another forest, which says of itself what was written: there is one encoding only.
func TestEveryBitFlipIsRefusedOrAnotherForest(t *testing.T) {
	for _, name := range []string{"tiny_plain", "tiny_bootstrap"} {
		f := foresttest.Load(t, name).Forest(t)
		b := encoded(t, f)
		for bit := range len(b) * 8 {
			b[bit/8] ^= 1 << (bit % 8)
			receiver := *f
			if err := receiver.UnmarshalBinary(b); err != nil {
				require.Equal(t, *f, receiver, "the receiver changed though bit %d was refused", bit)
			} else {
				require.Equal(t, b, encoded(t, &receiver), "bit %d", bit)
				score := receiver.Score(make([]float64, receiver.Columns()))
				require.True(t, score > 0 && score <= 1)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What the doc comment of UnmarshalBinary promises about memory.
func TestDecodingAllocatesLittle(t *testing.T) {
	const constant = 1 << 10
	f, _ := normalForest(t, 9)
	good := encoded(t, f)
	for _, c := range []struct {
		name    string
		section []byte
		trees   int
		more    int
	}{
		{"a grown forest", good, 0, 0},
		{"a grown forest cut short", good[:len(good)-1], 0, 0},
		{"bare roots only", append([]byte{1, 2, 8, 0x80, 0x80, 1, 0}, bytes.Repeat([]byte{0, 1}, 1<<14)...), 1 << 14, 0},
		{"a claim of many trees", []byte{1, 2, 8, 0x80, 0x80, 1, 0, 0, 1}, 0, 0},
		{"a bigger leaf than any other", bigLeaves(), 1 << 14, 256 << 10},
		{"noise", bytes.Repeat([]byte{1, 2, 8, 5, 0}, 10000), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			used := allocated(func() { _ = new(forest.Forest).UnmarshalBinary(c.section) })
			t.Logf("%d bytes for a section of %d", used, len(c.section))
			require.LessOrEqual(t, used, uint64(4*len(c.section)+12*c.trees+c.more+constant))
		})
	}
}

// bigLeaves encodes stumps with the biggest leaves that a section can hold, so that c(n) is tabulated to its end.
func bigLeaves() []byte {
	b := []byte{1, 2, 0x80, 0x80, 0x02, 0x80, 0x80, 1, 0}
	for k := range uint64(1 << 14) {
		b = append(b, 1, 0, 0, 0, 0, 0)
		b = append(binary.AppendUvarint(b, k+1), 0)
		b = binary.AppendUvarint(b, 1<<15-1-k)
	}
	return b
}

func TestEncodingIsSmall(t *testing.T) {
	for _, columns := range widths {
		f, _ := normalForest(t, columns)
		size := len(encoded(t, f))
		t.Logf("%d columns: %d bytes", columns, size)
		require.Less(t, size, 55_000)
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, name := range []string{"tiny_plain", "tiny_bootstrap", "tiny_one", "tiny_two"} {
		f.Add(encoded(f, foresttest.Load(f, name).Forest(f)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decoded := new(forest.Forest)
		if err := decoded.UnmarshalBinary(b); err != nil {
			return
		}
		require.Equal(t, b, encoded(t, decoded))
		require.LessOrEqual(t, decoded.Score(make([]float64, decoded.Columns())), 1.0)
	})
}
