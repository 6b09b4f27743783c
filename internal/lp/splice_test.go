package lp

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplice(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"time stamp", "cpu a=1 5\n", "cpu a=1,N=9 5\n"},
		{"no time stamp", "cpu a=1\n", "cpu a=1,N=9\n"},
		{"no newline", "cpu a=1 5", "cpu a=1,N=9 5"},
		{"negative time stamp", "cpu a=1 -5\n", "cpu a=1,N=9 -5\n"},
		{"trailing spaces", "cpu a=1 5  \n", "cpu a=1,N=9 5  \n"},
		{"trailing spaces without a time stamp", "cpu a=1  \n", "cpu a=1,N=9  \n"},
		{"many spaces", "cpu,h=a  a=1   5\n", "cpu,h=a  a=1,N=9   5\n"},
		{"CRLF", "cpu a=1 5\r\n", "cpu a=1,N=9 5\r\n"},
		{"CRLF without a time stamp", "cpu a=1\r\n", "cpu a=1,N=9\r\n"},
		{"a string that ends like a time stamp", "cpu a=\"x 5\"\n", "cpu a=\"x 5\",N=9\n"},
		{"the same before a time stamp", "cpu a=\"x 5\" 6\n", "cpu a=\"x 5\",N=9 6\n"},
		{"a string with an equals sign", "cpu a=\"b =1 5\"\n", "cpu a=\"b =1 5\",N=9\n"},
		{"a string with an escaped quote", "cpu a=\"\\\" 5\"\n", "cpu a=\"\\\" 5\",N=9\n"},
		{"a string with a newline", "cpu a=\"x\n 5\" 6\n", "cpu a=\"x\n 5\",N=9 6\n"},
		{"an escaped space before digits", "cpu,h=a\\ 5 a=1\n", "cpu,h=a\\ 5 a=1,N=9\n"},
		{"an escaped space in a field key", "cpu a\\ 5=1\n", "cpu a\\ 5=1,N=9\n"},
		{"an integer", "cpu a=5i\n", "cpu a=5i,N=9\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, string(Splice(nil, []byte(c.line), []byte(",N=9"))))
			require.Equal(t, "before "+c.want, string(Splice([]byte("before "), []byte(c.line), []byte(",N=9"))))
			require.Equal(t, c.line, string(Splice(nil, []byte(c.line), nil)))
		})
	}
}

// word is a name or a string of what is hard to quote; a backslash is not last.
func word(t *rapid.T, label string) string {
	part := rapid.SampledFrom([]string{" ", ",", "=", `"`, `\x`, "5", "-", "a", "é", "#", "x"})
	return "w" + strings.Join(rapid.SliceOfN(part, 0, 6).Draw(t, label), "")
}

// metric is a line of random words, values and white space, with its fields
// as AppendValues would write them.
func metric(t *rapid.T) (line string, fields []Value) {
	r := &Record{Name: word(t, "name"), Fields: fieldsOf(t, "field"), Time: rapid.Int64().Draw(t, "time")}
	for i := range rapid.IntRange(0, 2).Draw(t, "tags") {
		r.Tags = append(r.Tags, [2]string{fmt.Sprint(i, word(t, "key")), word(t, "value")})
	}
	line = strings.TrimSuffix(string(AppendRecord(nil, r)), "\n")
	if rapid.Bool().Draw(t, "no time") {
		line = line[:strings.LastIndexByte(line, ' ')]
	}
	return line + rapid.SampledFrom([]string{"", "\n", " \n", "\r\n", "  \r\n"}).Draw(t, "end"), r.Fields
}

func fieldsOf(t *rapid.T, label string) (fields []Value) {
	for i := range rapid.IntRange(1, 4).Draw(t, label+"s") {
		key := string(appendEscaped(nil, fmt.Sprint(i, word(t, "key")), tagSpecials))
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			fields = append(fields, Float(key, rapid.Float64().Draw(t, "float")))
		case 1:
			fields = append(fields, Int(key, rapid.Int64().Draw(t, "int")))
		default:
			fields = append(fields, String(key, word(t, "text")+rapid.SampledFrom([]string{"", "\n5", `\`}).Draw(t, "tail")))
		}
	}
	return fields
}

// The result reads as the old fields followed by the new ones, and every byte of
// the line is still there, in order.
func TestSpliceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, old := metric(t)
		more := fieldsOf(t, "new field")
		suffix := AppendValues(nil, more)
		spliced := Splice(nil, []byte(line), suffix)

		before, after, found := bytes.Cut(spliced, suffix)
		require.True(t, found)
		require.Equal(t, line, string(before)+string(after))

		var was, is Point
		require.NoError(t, Decode(&was, []byte(line), telegrafNow))
		require.NoError(t, Decode(&is, spliced, telegrafNow))
		require.Equal(t, string(was.Series), string(is.Series))
		require.Equal(t, was.Time, is.Time)
		require.Equal(t, len(old)+len(more), len(is.Fields))
		for i, v := range append(old, more...) {
			requireValue(t, v, is.Fields[i])
		}
	})
}

func requireValue(t require.TestingT, want Value, got Field) {
	require.Equal(t, want.Key, string(appendEscaped(nil, string(got.Key), tagSpecials)))
	switch v := want.Any().(type) {
	case float64:
		require.Equal(t, math.Float64bits(v), math.Float64bits(got.Value), "every bit of %v", v)
	case int64:
		require.Equal(t, float64(v), got.Value)
	default:
		require.False(t, got.Numeric)
	}
}

func TestAppendFloat(t *testing.T) {
	for _, c := range []struct {
		value float64
		want  string
	}{
		{1, ",k=1"}, {-0.5, ",k=-0.5"}, {0, ",k=0"}, {math.Copysign(0, -1), ",k=-0"}, {1e300, ",k=1e+300"},
		{math.SmallestNonzeroFloat64, ",k=5e-324"}, {math.MaxFloat64, ",k=1.7976931348623157e+308"}, {math.Nextafter(0.3, 1), ",k=0.30000000000000004"},
		{math.NaN(), ""}, {math.Inf(1), ""}, {math.Inf(-1), ""},
	} {
		require.Equal(t, c.want, string(AppendFloat(nil, "k", c.value)))
	}
}

func TestAppendString(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"empty", "", `,k=""`},
		{"quote and backslash", `a"b\`, `,k="a\"b\\"`},
		{"line ends", "a\r\nb", `,k="a  b"`},
		{"invalid UTF-8", "a\xffb", `,k="a` + "\uFFFD" + `b"`},
	} {
		require.Equal(t, c.want, string(AppendString(nil, "k", c.value)), c.name)
	}
}

func TestAppendRecord(t *testing.T) {
	one := []Value{Int("n", 1)}
	for _, c := range []struct {
		name   string
		record Record
		want   string
	}{
		{"all kinds", Record{"m", [][2]string{{"host", "a"}}, []Value{Float("f", 0.5), Int("n", -1), String("s", "x y")}, 5}, "m,host=a f=0.5,n=-1i,s=\"x y\" 5\n"},
		{"no tags", Record{"m", nil, one, -5}, "m n=1i -5\n"},
		{"empty tags are left out", Record{"m", [][2]string{{"a", ""}, {"b", "c"}}, one, 5}, "m,b=c n=1i 5\n"},
		{"specials", Record{"a b,c=d", [][2]string{{"e f", "g,h=i"}}, one, 5}, `a\ b\,c=d,e\ f=g\,h\=i n=1i 5` + "\n"},
		{"a backslash at the end is dropped", Record{`m\`, [][2]string{{`k\`, `C:\`}}, one, 5}, "m,k=C: n=1i 5\n"},
		{"a tag of backslashes is left out", Record{"m", [][2]string{{"k", `\\`}}, one, 5}, "m n=1i 5\n"},
		{"other backslashes stay", Record{`a\b`, [][2]string{{"k", `\,\`}}, one, 5}, `a\b,k=\\, n=1i 5` + "\n"},
		{"control characters", Record{"m", [][2]string{{"k", "a\tb\x00c\nd"}}, one, 5}, `m,k=a\ b\ c\ d n=1i 5` + "\n"},
		{"a field that cannot be written", Record{"m", nil, []Value{Float("a", math.NaN()), Int("n", 1)}, 5}, "m n=1i 5\n"},
		{"no field that can be written", Record{"m", nil, []Value{Float("a", math.Inf(1))}, 5}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, "x\n"+c.want, string(AppendRecord([]byte("x\n"), &c.record)))
		})
	}
}

// Whatever a tag holds, the record is one line that reads as it was meant, but
// for what line protocol cannot hold.
func TestAppendRecordReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		line := AppendRecord(nil, &Record{Name: "m", Tags: [][2]string{{"k", text}}, Fields: []Value{String("s", text), Int("n", 1)}, Time: 5})
		var p Point
		require.NoError(t, Decode(&p, line, time.Time{}))
		require.Equal(t, 2, len(p.Fields))
		clean := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.TrimRight(text, `\`))
		require.Equal(t, clean, string(p.Tag("k")))
	})
}

func TestValueAny(t *testing.T) {
	for want, v := range map[any]Value{0.5: Float("k", 0.5), int64(7): Int("k", 7), "x": String("k", "x")} {
		require.Equal(t, want, v.Any())
	}
}

func FuzzSplice(f *testing.F) {
	for _, v := range verdicts(f) {
		if v.origin != "mutant" {
			f.Add([]byte(v.line+"\n"), 0.5)
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, value float64) {
		suffix := AppendFloat(nil, "new", value)
		spliced := Splice(nil, line, suffix)
		require.Equal(t, len(line)+len(suffix), len(spliced))
		var was, is Point
		if len(suffix) == 0 || !isOneLine(string(line)) || Decode(&was, line, telegrafNow) != nil {
			return
		}
		require.NoError(t, Decode(&is, spliced, telegrafNow), "%q became %q", line, spliced)
		last := is.Fields[len(is.Fields)-1]
		require.Equal(t, "new="+strconv.FormatFloat(value, 'g', -1, 64), string(last.Key)+"="+strconv.FormatFloat(last.Value, 'g', -1, 64))
		require.Equal(t, render(&was), render(without(&is, 1)))
	})
}
