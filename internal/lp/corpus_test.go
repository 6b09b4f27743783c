package lp

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A verdict is what Telegraf's own parser said of a line, see testdata/telegraf.
type verdict struct {
	origin string // hand, telegraf (written by its serializer) or mutant
	line   string
	want   string // the metric as render shows it, "error" or "N metrics"
}

var telegrafNow = time.Unix(0, 1_700_000_000_000_000_000)

func verdicts(t testing.TB) (all []verdict) {
	text, err := os.ReadFile("testdata/telegraf/corpus.txt")
	require.NoError(t, err)
	for row := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		v := verdict{cells[0], unquote(t, cells[1]), cells[2]}
		if strings.HasPrefix(v.want, `"`) {
			v.want = unquote(t, v.want)
		}
		all = append(all, v)
	}
	return all
}

func unquote(t testing.TB, s string) string {
	u, err := strconv.Unquote(s)
	require.NoError(t, err)
	return u
}

// judge is what Decode says, in the words of the corpus.
func judge(line string) string {
	var p Point
	switch err := Decode(&p, []byte(line+"\n"), telegrafNow); {
	case err == nil:
		return render(&p)
	case strings.Contains(err.Error(), errNone.Error()):
		return "0 metrics"
	}
	return "error"
}

func render(p *Point) string {
	var tags, fields []string
	for _, t := range p.Tags {
		tags = append(tags, fmt.Sprintf("%s=%s", t.Key, t.Value))
	}
	for _, f := range p.Fields {
		value := "-" // strings and booleans: no feature is made of them
		if f.Numeric {
			value = strconv.FormatFloat(f.Value, 'g', -1, 64)
		}
		fields = append(fields, fmt.Sprintf("%s=%s", f.Key, value))
	}
	slices.Sort(fields)
	return fmt.Sprintf("%s|%s|%s|%d", p.Name, strings.Join(tags, "|"), strings.Join(fields, "|"), p.Time)
}

// unlike are the lines that the two parsers do not read alike.
var unlike = []struct {
	name    string
	is      func(line string) bool
	refused bool // by us, and so passed on unread; else we read what Telegraf does not
}{
	{"white space other than the blank", contains("\t", "\v", "\f"), true},
	{"a control character", contains("\x00", "\x7f"), true},
	{"invalid UTF-8", func(line string) bool { return !utf8.ValidString(line) }, true},
	{"a name that ends in a backslash", contains(`\\ `, `\\=`, `\\,`), true},
	{"a comment with a carriage return", func(line string) bool { return strings.Contains(line, "#") && strings.Contains(line, "\r") }, true},

	{"an integer with leading zeros", contains("01i"), false},
	{"digits in groups", contains("1_"), false},
	{"an escape in a string", regexp.MustCompile(`="[^"]*\\[^\\"]`).MatchString, false},
	{"a quote behind a backslash in a name", contains(`\"`), false},
	{"a double backslash at the end of a key", contains(`\\ `, `\\=`, `\\,`), false},
}

func contains(parts ...string) func(string) bool {
	return func(line string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(line, part) })
	}
}

func TestDecodeAgreesWithTelegraf(t *testing.T) {
	found := map[string]bool{}
	for _, v := range verdicts(t) {
		got := judge(v.line)
		if got == v.want {
			continue
		}
		name := difference(v.line, got == "error")
		require.NotEmpty(t, name, "Telegraf reads %q as %s, we as %s", v.line, v.want, got)
		if v.origin == "telegraf" { // it writes such names, and mostly cannot read them back
			require.Contains(t, name, "backslash", "Telegraf writes %q", v.line)
		}
		found[name] = true
	}
	for _, u := range unlike {
		require.True(t, found[u.name], "no line of the corpus shows %q any more", u.name)
	}
}

func difference(line string, refused bool) string {
	for _, u := range unlike {
		if u.refused == refused && u.is(line) {
			return u.name
		}
	}
	return ""
}

// What Telegraf writes one behind the other is cut where Telegraf would cut it,
// newlines inside strings included.
func TestFramerCutsWhatTelegrafWrites(t *testing.T) {
	var lines []string
	for _, v := range verdicts(t) {
		if v.origin == "telegraf" && v.want != "error" {
			lines = append(lines, v.line+"\n")
		}
	}
	require.Greater(t, len(lines), 100)
	var f Framer
	_, err := f.Write([]byte(strings.Join(lines, "")))
	require.NoError(t, err)
	for _, want := range lines {
		line, whole, ok := f.Next(false)
		require.True(t, ok && whole)
		require.Equal(t, want, string(line))
	}
	require.True(t, f.Empty())
}

// A line that is accepted comes out of Splice with the fields that Telegraf saw
// and the new ones.
func TestSpliceOnWhatTelegrafWrites(t *testing.T) {
	for _, v := range verdicts(t) {
		if judge(v.line) != v.want || !strings.Contains(v.want, "|") || !isOneLine(v.line+"\n") {
			continue
		}
		line := []byte(v.line + "\n")
		spliced := Splice(nil, line, []byte(`,new\ a=1.5,new\ b=2i`))
		require.True(t, bytes.HasSuffix(spliced, []byte("\n")))
		var before, after Point
		require.NoError(t, Decode(&before, line, telegrafNow))
		require.NoError(t, Decode(&after, spliced, telegrafNow))
		require.Greater(t, len(after.Fields), 2, "%q became %q", line, spliced)
		require.Equal(t, render(&before), render(without(&after, 2)), "%q became %q", line, spliced)
	}
}

func isOneLine(text string) bool {
	var f Framer
	_, _ = f.Write([]byte(text))
	line, _, _ := f.Next(false)
	return len(line) == len(text)
}

func without(p *Point, last int) *Point {
	q := *p
	q.Fields = q.Fields[:len(q.Fields)-last]
	return &q
}
