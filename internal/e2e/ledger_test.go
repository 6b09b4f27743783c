package e2e

import (
	"bytes"
	"hash/maphash"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

// A ledger holds a digest per series of a stream: two streams have equal ones only
// if each series has the same lines in the same order in both.
type ledger struct {
	lines  int
	series map[string]uint64
	text   []byte
}

func newLedger() *ledger { return &ledger{series: map[string]uint64{}} }

var hashSeed = maphash.MakeSeed()

// add takes a line of a series.
func (l *ledger) add(series, line []byte) {
	l.text = append(strconv.AppendUint(l.text[:0], l.series[string(series)], 16), line...)
	l.series[string(series)] = maphash.Bytes(hashSeed, l.text)
	l.lines++
}

// seriesOf is the part of a line before its fields.
func seriesOf(line []byte) []byte {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ' ':
			return line[:i]
		}
	}
	return line
}

// own reports whether the processor made the line itself.
func own(line []byte) bool {
	return bytes.HasPrefix(line, []byte("ai_predictions")) || bytes.HasPrefix(line, []byte("anomaly_"))
}

var annotation = regexp.MustCompile(`,anomaly_score=(1|0\.\d+|\d\.?\d*e-\d+),is_anomaly=[01]i(,shap_[a-z]+=-?\d+(\.\d+)?(e[-+]\d+)?){3}`)

// original takes the processor's fields out of a line.
func original(line []byte) (without []byte, scored bool) {
	start := bytes.Index(line, []byte(",anomaly_score="))
	if start < 0 {
		return line, false
	}
	at := annotation.FindIndex(line[start:])
	if at == nil || at[0] != 0 {
		return line, true // it will be found to differ
	}
	return slices.Concat(line[:start], line[start+at[1]:]), true
}

// tally takes in what a processor wrote, by what it is.
type tally struct {
	*ledger
	scored      int
	predictions []prediction
	reports     []map[string]any
	foreign     []byte // the first line that is neither finite nor readable, if any
}

func newTally() *tally { return &tally{ledger: newLedger()} }

func (c *tally) add(line []byte) {
	if !own(line) {
		text, scored := original(line)
		c.ledger.add(seriesOf(text), text)
		if scored {
			c.scored++
		}
		return
	}
	fields := fieldsOf(line)
	if fields == nil && c.foreign == nil {
		c.foreign = bytes.Clone(line)
	}
	switch {
	case bytes.HasPrefix(line, []byte("ai_predictions")):
		c.predictions = append(c.predictions, prediction{timeOf(line), fields})
	case bytes.HasPrefix(line, []byte("anomaly_processor")):
		c.reports = append(c.reports, fields)
	}
}

// prediction is a point of ai_predictions.
type prediction struct {
	time   time.Time
	fields map[string]any
}

func (p prediction) anomaly() bool { return p.fields["is_anomaly"] == int64(1) }

// alarms are the times of predictions that say anomaly.
func (c *tally) alarms() (times []time.Time) {
	for _, p := range c.predictions {
		if p.anomaly() {
			times = append(times, p.time)
		}
	}
	return times
}

func timeOf(line []byte) time.Time {
	words := bytes.Fields(line)
	ns, _ := strconv.ParseInt(string(words[len(words)-1]), 10, 64)
	return time.Unix(0, ns).UTC()
}

// fieldsOf reads the fields of a line: float64, int64 or string. It is nil if the
// line is not valid line protocol.
func fieldsOf(line []byte) map[string]any {
	var p lp.Point
	if lp.Decode(&p, line, time.Time{}) != nil {
		return nil
	}
	fields := map[string]any{}
	for i, m := range field.FindAllSubmatch(line[len(p.Series):], -1) {
		switch raw := string(m[2]); {
		case strings.HasPrefix(raw, `"`):
			fields[string(m[1])] = unescape.Replace(raw[1 : len(raw)-1])
		case strings.HasSuffix(raw, "i"):
			fields[string(m[1])] = int64(p.Fields[i].Value)
		default:
			fields[string(m[1])] = p.Fields[i].Value
		}
	}
	return fields
}

var unescape = strings.NewReplacer(`\"`, `"`, `\\`, `\`)

var field = regexp.MustCompile(`[ ,]([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ ,]+)`)

// requireAllOf fails unless out holds every line of in, unchanged but for the
// processor's fields, and in each series in the same order.
func requireAllOf(t *testing.T, in *ledger, out *tally) {
	t.Helper()
	require.Equal(t, in.lines, out.lines, "lines in and out")
	for name, digest := range in.series {
		if out.series[name] != digest {
			require.Failf(t, "lines were changed, or changed places", "series %q", name)
		}
	}
	require.Len(t, out.series, len(in.series), "series in and out")
	require.Empty(t, string(out.foreign), "a line that is no valid line protocol")
}
