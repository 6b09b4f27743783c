package lp

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requirePlainAgrees requires of a line that plain decodes that the general
// decoder says the same of it, to the bit.
func requirePlainAgrees(t require.TestingT, line []byte) (plain bool) {
	var fast, slow Point
	if !fast.plain(line) {
		return false
	}
	require.NoError(t, slow.general(line, telegrafNow), "%q", line)
	require.Equal(t, render(&slow), render(&fast), "%q", line)
	require.Equal(t, string(slow.Series), string(fast.Series), "%q", line)
	require.Equal(t, slow.Time, fast.Time, "%q", line)
	require.Len(t, fast.Tags, len(slow.Tags), "%q", line)
	require.Len(t, fast.Fields, len(slow.Fields), "%q", line)
	for i, f := range slow.Fields {
		require.Equal(t, string(f.Key), string(fast.Fields[i].Key), "%q", line)
		require.Equal(t, math.Float64bits(f.Value), math.Float64bits(fast.Fields[i].Value), "%q of %q", f.Key, line)
		require.True(t, f.Numeric && fast.Fields[i].Numeric)
	}
	return true
}

func TestWhatIsPlain(t *testing.T) {
	for _, c := range []struct {
		line string
		want bool
	}{
		{"cpu,cpu=cpu-total,host=a usage_idle=99.5,n=3i 12\n", true},
		{"cpu,cpu=cpu-total,host=a usage_idle=99.5,n=3i 12", true},
		{"mem used=1 12\n", true},
		{"disk,path=/var/lib/a:b,device=sda1 used=1 12\n", true},
		{"mem a=-0,b=-0i,c=-5i,d=00012.50,e=0.1,f=-1.75 1795438124000000000\n", true},
		{"mem a=9007199254740993,b=0.30000000000000004,c=123456789012345678901234567890.5,d=999999999999999999i 9223372036854775807\n", true},

		{"mem used=1\n", false},                     // no time stamp
		{"mem used=1 12\r\n", false},                // another line end
		{"mem used=1 -12\n", false},                 // time before 1970
		{"mem used=1 9223372036854775808\n", false}, // a time too large
		{"mem used=1  12\n", false},                 // spaces
		{" mem used=1 12\n", false},
		{"mem used=1 12 \n", false},
		{"mem used=1 12\n\n", false},
		{"mem used=1 12\nmem used=1 12\n", false}, // two lines
		{`mem,a=b\ c used=1 12`, false},           // escapes
		{`mem,a="b" used=1 12`, false},
		{"mem,ä=b used=1 12\n", false}, // not ASCII
		{"# mem used=1 12\n", false},
		{"mem,a= used=1 12\n", false}, // not line protocol
		{"mem,=b used=1 12\n", false},
		{"mem,a=b=c used=1 12\n", false},
		{"mem, used=1 12\n", false},
		{"mem used= 12\n", false},
		{"mem =1 12\n", false},
		{"mem used=1, 12\n", false},
		{"mem used=. 12\n", false},
		{"mem used=- 12\n", false},
		{"mem used=1.i 12\n", false},
		{"mem used=1x 12\n", false},
		{"mem\n", false},
		{"\n", false},
		{"", false},
		{"mem used=\"x\" 12\n", false}, // other types and notations
		{"mem used=t 12\n", false},
		{"mem used=3u 12\n", false},
		{"mem used=1e-5 12\n", false},
		{"mem used=.5 12\n", false},
		{"mem used=5. 12\n", false},
		{"mem used=1234567890123456789i 12\n", false},
	} {
		require.Equal(t, c.want, requirePlainAgrees(t, []byte(c.line)), "%q", c.line)
	}
}

// Of what the stock inputs write, only lines with strings are not plain.
func TestMostOfARecordingIsPlain(t *testing.T) {
	for _, line := range recording(t) {
		require.Equal(t, !strings.Contains(string(line), `"`), requirePlainAgrees(t, line), "%q", line)
	}
}

func TestPlainAgreesOnTheCorpus(t *testing.T) {
	plain := 0
	for _, v := range verdicts(t) {
		if requirePlainAgrees(t, []byte(v.line+"\n")) {
			plain++
		}
	}
	require.Positive(t, plain)
}

// Lines that were plain until somebody changed a byte or two.
func TestPlainAgreesOnMutants(t *testing.T) {
	lines, r := recording(t), rand.New(rand.NewPCG(1, 2))
	const bytes = "0123456789.-+eEiutf,= \\\"\n\r\t_nxX\x00\x7f\xc3"
	plain := 0
	for range 30_000 {
		line := append([]byte(nil), lines[r.IntN(len(lines))]...)
		for range 1 + r.IntN(2) {
			line[r.IntN(len(line))] = bytes[r.IntN(len(bytes))]
		}
		if r.IntN(8) == 0 {
			line = line[:r.IntN(len(line))]
		}
		if requirePlainAgrees(t, line) {
			plain++
		}
	}
	require.Greater(t, plain, 5_000, "or this test says little")
}

func FuzzPlain(f *testing.F) {
	for _, v := range verdicts(f) {
		f.Add([]byte(v.line + "\n"))
	}
	f.Fuzz(func(t *testing.T, line []byte) { requirePlainAgrees(t, line) })
}
