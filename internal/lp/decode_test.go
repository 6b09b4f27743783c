package lp

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recording is half a minute or so of a real Telegraf: cpu per core and in total, mem,
// net, disk, system, with the strings and field orders as it writes them.
func recording(t testing.TB) (lines [][]byte) {
	f, err := os.Open("testdata/telegraf.lp.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var text bytes.Buffer
	_, err = text.ReadFrom(z)
	require.NoError(t, err)
	return bytes.SplitAfter(bytes.TrimSuffix(text.Bytes(), []byte("\n")), []byte("\n"))
}

func TestDecode(t *testing.T) {
	now := time.Unix(7, 5)
	var p Point
	for _, c := range []struct {
		name, line string
		want       string
		series     string
	}{
		{"all parts", `cpu,cpu=cpu-total,host=a idle=99.5,n=3i,m=4u,s="x",b=t 12`, "cpu|cpu=cpu-total|host=a|b=-|idle=99.5|m=4|n=3|s=-|12", "cpu,cpu=cpu-total,host=a"},
		{"no tags", `mem used=1 12`, "mem||used=1|12", "mem"},
		{"no time", `mem used=1`, "mem||used=1|7000000005", "mem"},
		{"negative time", `mem used=1 -12`, "mem||used=1|-12", "mem"},
		{"the last nanosecond", `mem used=1 9223372036854775807`, "mem||used=1|9223372036854775807", "mem"},
		{"many spaces", ` mem,a=b  used=1   12  `, "mem|a=b|used=1|12", "mem,a=b"},
		{"escapes in the series", `m\ e\,m,a\=b=c\ d used=1 12`, "m e,m|a=b=c d|used=1|12", `m\ e\,m,a\=b=c\ d`},
		{"a tag that ends in a space", `mem,a=b\  used=1 12`, "mem|a=b |used=1|12", `mem,a=b\ `},
		{"a string with everything in it", "mem s=\"a b=1,c 5\n\\\"\",used=1 12", "mem||s=-|used=1|12", "mem"},
		{"an integer beyond 2^53", `mem used=9007199254740993i 1`, "mem||used=9.007199254740992e+15|1", "mem"},
		{"the largest unsigned", `mem used=18446744073709551615u 1`, "mem||used=1.8446744073709552e+19|1", "mem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, end := range []string{"", "\n", "\r\n"} {
				require.NoError(t, Decode(&p, []byte(c.line+end), now))
				require.Equal(t, c.want, render(&p))
				require.Equal(t, c.series, string(p.Series))
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	var p Point
	for _, c := range []struct{ name, line, message string }{
		{"nothing", "", `lp: no metric in ""`},
		{"an empty line", "\r\n", `lp: no metric in "\r\n"`},
		{"a comment", "# cpu a=1\n", `lp: no metric in "# cpu a=1\n"`},
		{"no field", "cpu,host=a \n", `lp: column 12: invalid character '\n' found at start of field key in "cpu,host=a \n"`},
		{"not a number", "cpu a=NaN 5\n", `lp: column 7: field value has unrecognized type in "cpu a=NaN 5\n"`},
		{"a number out of range", "cpu a=1e999\n", `lp: column 7: cannot parse value for field key "a": line-protocol value out of range in "cpu a=1e999\n"`},
		{"a time out of range", "cpu a=1 9223372036854775808\n", `lp: invalid timestamp: line-protocol value out of range in "cpu a=1 9223372036854775808\n"`},
		{"two metrics", "cpu a=1\ncpu a=1\n", `lp: more than one metric in "cpu a=1\ncpu a=1\n"`},
		{"open quote", "cpu a=\"x\n", `lp: column 7: expected closing quote for string field value, found end of input in "cpu a=\"x\n"`},
		{"NUL", "c\x00u a=1\n", `lp: column 2: expected tag key or field but found '\x00' instead in "c\x00u a=1\n"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.EqualError(t, Decode(&p, []byte(c.line), time.Time{}), c.message)
			require.NoError(t, Decode(&p, []byte("cpu a=1 5\n"), time.Time{}), "the next line is not harmed")
			require.Equal(t, "cpu||a=1|5", render(&p))
		})
	}
	err := Decode(&p, append([]byte("cpu "), make([]byte, 1<<16)...), time.Time{})
	require.Less(t, len(err.Error()), 1<<10, "messages stay short")
}

// A line may be longer than the decoder's buffer, which is 8 KiB at first.
func TestDecodeLongLines(t *testing.T) {
	var p Point
	for _, n := range []int{1, 8_000, 8_191, 8_192, 8_193, 20_000, MaxLine - 100} {
		long := strings.Repeat("x", n)
		for _, line := range []string{"cpu,h=" + long + " a=1 5\n", "cpu s=\"" + long + "\",a=1 5\n", "cpu a=1 5\n"} {
			require.NoError(t, Decode(&p, []byte(line), time.Time{}))
			require.Equal(t, "cpu", string(p.Name))
			require.Equal(t, int64(5), p.Time)
		}
		require.Equal(t, 1.0, p.Fields[0].Value)
	}
}

func TestPointTag(t *testing.T) {
	var p Point
	require.NoError(t, Decode(&p, []byte("cpu,a=1,b=2 v=1 5"), time.Time{}))
	require.Equal(t, "2", string(p.Tag("b")))
	require.Nil(t, p.Tag("c"))
}

func TestName(t *testing.T) {
	for _, c := range []struct{ line, name string }{
		{"cpu,host=a v=1\n", "cpu"},
		{"cpu v=1\n", "cpu"},
		{"cpu\n", "cpu"},
		{"cpu", "cpu"},
		{"", ""},
		{"\n", ""},
		{`c\ p\,u,host=a v=1`, "c p,u"},
		{`c\pu v=1`, `c\pu`},
		{`cpu\\ x v=1`, `cpu\ x`},
		{"# comment", "#"},
		{" cpu v=1", ""},
	} {
		require.Equal(t, c.name, string(Name([]byte(c.line))), "%q", c.line)
	}
}

func TestNameAgreesWithDecode(t *testing.T) {
	for _, v := range verdicts(t) {
		var p Point
		line := []byte(v.line + "\n")
		if v.line != "" && v.line[0] != ' ' && isOneLine(string(line)) && Decode(&p, line, telegrafNow) == nil {
			require.Equal(t, string(p.Name), string(Name(line)), "%q", line)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	lines := recording(t)
	var p Point
	var f Framer
	var buffer []byte
	values := []Value{Float("anomaly_score", 0.5), Int("is_anomaly", 0), Float("shap_cpu", -0.25)}
	record := &Record{Name: "ai_predictions", Tags: [][2]string{{"host", "web 01"}}, Fields: values, Time: 1}
	for _, c := range []struct {
		name string
		work func(line []byte)
	}{
		{"Decode", func(line []byte) { require.NoError(t, Decode(&p, line, telegrafNow)) }},
		{"Name", func(line []byte) { _ = Name(line) }},
		{"Framer", func(line []byte) {
			_, _ = f.Write(line)
			_, _, _ = f.Next(false)
		}},
		{"Splice", func(line []byte) { buffer = Splice(buffer[:0], line, []byte(",a=1")) }},
		{"AppendValues", func([]byte) { buffer = AppendValues(buffer[:0], values) }},
		{"AppendRecord", func([]byte) { buffer = AppendRecord(buffer[:0], record) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := func() {
				for _, line := range lines {
					c.work(line)
				}
			}
			all() // buffers grow once
			require.Zero(t, testing.AllocsPerRun(5, all))
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range verdicts(f) {
		if v.origin == "hand" {
			f.Add([]byte(v.line + "\n"))
		}
	}
	var p Point
	f.Fuzz(func(t *testing.T, line []byte) {
		if Decode(&p, line, telegrafNow) != nil {
			return
		}
		require.NotEmpty(t, p.Name)
		require.NotEmpty(t, p.Fields)
		for _, field := range p.Fields {
			require.False(t, math.IsNaN(field.Value) || math.IsInf(field.Value, 0))
			require.True(t, field.Numeric || field.Value == 0)
		}
		if !isOneLine(string(line)) {
			return
		}
		var again Point
		require.NoError(t, Decode(&again, fmt.Append(nil, string(p.Series), " f=1 5"), telegrafNow), "the series stands for itself")
		require.Equal(t, string(p.Name), string(again.Name))
		require.Equal(t, fmt.Sprint(p.Tags), fmt.Sprint(again.Tags))
	})
}
