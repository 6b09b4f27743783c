package history

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0.5": -.5, "+7": 7, "1e3": 1000, "1.5E-3": .0015, ".5": .5, "5.": 5, "00012": 12,
		"1.7976931348623157e308": math.MaxFloat64, "1e-999": 0, "123456789012345678": 123456789012345678,
	} {
		got, err := parseNumber([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", text)
	}
	for _, text := range []string{"x", "1 2", "1.2.3", "12%", "1e", "-", "0,5", "1,234,567", "٣", "\x00", "nan", "Infinity", "1e309"} {
		_, err := parseNumber([]byte(text))
		require.Error(t, err, "%q", text)
	}
	missing, err := parseNumber(nil)
	require.NoError(t, err)
	require.True(t, math.IsNaN(missing))
}

func TestSplit(t *testing.T) {
	cases := map[string][]string{
		"a,b,c":        {"a", "b", "c"},
		"":             {""},
		",":            {"", ""},
		" a , b ":      {"a", "b"},
		`"a,b",c`:      {"a,b", "c"},
		`"a ""b""",c`:  {`a "b"`, "c"},
		`"",c`:         {"", "c"},
		"a;b,c":        {"a;b", "c"},
		"ä,ö":          {"ä", "ö"},
		"a,b,c,d,e,f,": {"a", "b", "c", "d", "e", "f", ""},
	}
	for line, want := range cases {
		cells, err := split([]byte(line), ',', nil)
		require.NoError(t, err, "%q", line)
		var got []string
		for _, cell := range cells {
			got = append(got, string(cell))
		}
		require.Equal(t, want, got, "%q", line)
	}
	for _, line := range []string{`"a`, `a"b`, `"a"b,c`, `"a,b`} {
		_, err := split([]byte(line), ',', nil)
		require.Error(t, err, "%q", line)
	}
}

func TestSeparators(t *testing.T) {
	for line, want := range map[string]byte{
		"a,b": ',', "a;b": ';', "a\tb": '\t', "a": ',', "a,b;c;d": ';', "a;b,c,d": ',', "a,b;c": ',', "": ',',
	} {
		require.Equal(t, string(want), string(mostFrequent([]byte(line), ",;\t")), "%q", line)
	}
}

func TestTheUnitOfAUnixTimeFollowsFromItsSize(t *testing.T) {
	cases := map[string]time.Time{
		"99999999999":         time.Unix(99999999999, 0),
		"100000000000":        time.UnixMilli(100000000000),
		"99999999999999":      time.UnixMilli(99999999999999),
		"100000000000000":     time.UnixMicro(100000000000000),
		"99999999999999999":   time.UnixMicro(99999999999999999),
		"100000000000000000":  time.Unix(0, 100000000000000000),
		"9223372036854775807": time.Unix(0, math.MaxInt64),
		"-100000000000":       time.UnixMilli(-100000000000),
		"0.25":                time.UnixMilli(250),
		"-1.5":                time.UnixMilli(-1500),
	}
	for text, want := range cases {
		got, err := parseTime([]byte(text))
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%s: %v", text, got)
	}
	for _, text := range []string{"9223372036854775808", "1e11", "1e300", "NaN", "Inf", "", "12:00", "0x", "2024"[:0]} {
		_, err := parseTime([]byte(text))
		require.Error(t, err, "%q", text)
	}
}

func TestAnyTimeIsReadBackInAnyLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "microseconds")).UTC()
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset"))
		layout := rapid.SampledFrom([]string{
			time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.000000",
		}).Draw(t, "layout")
		written := want
		if layout[len(layout)-1] == '0' && layout[len(layout)-3] == ':' {
			written = want.In(zone)
		}
		got, err := parseTime([]byte(written.Format(layout)))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestMemoGivesTheSameTextsAgain(t *testing.T) {
	var m memo
	for _, text := range []string{"cpu;net", "cpu;net", "", "net", "cpu;net"} {
		require.Equal(t, text, m.text([]byte(text)))
	}
	first, second := m.list([]byte("a;b")), m.list([]byte("a;b"))
	require.Same(t, &first[0], &second[0], "an incident of a thousand rows has one list of causes")
}
