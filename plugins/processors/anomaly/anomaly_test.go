package anomaly

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/metric"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what comes out to testcases/*/expected.out")

// Each folder of testcases is a configuration, what goes in, and what must come
// out: a report of a fault becomes a folder. Time is simulated: each metric comes
// at its time stamp, or at once if that is over, and a fit takes no time.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testcases", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			config, err := ReadConfig(filepath.Join(folder, "telegraf.conf"))
			require.NoError(t, err)
			in := readMetrics(t, filepath.Join(folder, "input.influx"))
			out := process(t, config, in)
			requireEachOnce(t, in, out)
			expected := filepath.Join(folder, "expected.out")
			if *update {
				require.NoError(t, os.WriteFile(expected, []byte(out.String()), 0o644))
			}
			want, err := os.ReadFile(expected)
			require.NoError(t, err)
			requireSameLines(t, string(want), out.String())
		})
	}
}

// process runs the processor through its life.
func process(t *testing.T, config Config, in []telegraf.Metric) (out accumulator) {
	synctest.Test(t, func(t *testing.T) {
		p := New()
		p.Config, p.Log = config, logger{T: t}
		require.NoError(t, p.Init())
		require.NoError(t, p.Start(&out))
		for _, m := range in {
			time.Sleep(time.Until(m.Time()))
			require.NoError(t, p.Add(m, &out))
			synctest.Wait() // for a fit that this metric began
		}
		p.Stop()
	})
	return out
}

// requireEachOnce holds the processor to the first duty of its kind: every metric
// that came in goes out, once, whatever else goes out.
func requireEachOnce(t *testing.T, in []telegraf.Metric, out accumulator) {
	t.Helper()
	times := map[telegraf.Metric]int{}
	for _, m := range out.metrics {
		times[m]++
	}
	for _, m := range in {
		require.Equal(t, 1, times[m], line(m))
	}
}

// requireSameLines names the first line that differs: the whole is long.
func requireSameLines(t *testing.T, want, got string) {
	t.Helper()
	wanted, gotten := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(gotten)) {
		require.Equal(t, wanted[i], gotten[i], "line %d", i+1)
	}
	require.Equal(t, len(wanted), len(gotten), "lines")
}

// An accumulator keeps what the processor hands out.
type accumulator struct {
	telegraf.Accumulator
	metrics []telegraf.Metric
}

func (a *accumulator) AddMetric(m telegraf.Metric) { a.metrics = append(a.metrics, m) }

func (a *accumulator) AddFields(name string, fields map[string]any, tags map[string]string, at ...time.Time) {
	a.AddMetric(metric.New(name, tags, fields, at[0]))
}

// String is everything in the order in which it came.
func (a *accumulator) String() string {
	var b strings.Builder
	for _, m := range a.metrics {
		b.WriteString(line(m) + "\n")
	}
	return b.String()
}

// line writes a metric as line protocol, for people: fields in order of their
// names, floats with six decimals, without the model's id, how long it took, and
// where a search ended.
func line(m telegraf.Metric) string {
	var fields []string
	for _, f := range m.FieldList() {
		if f.Key != "latency_ms" {
			fields = append(fields, f.Key+"="+text(f.Key, f.Value))
		}
	}
	sort.Strings(fields)
	head := m.Name()
	for _, tag := range m.TagList() {
		head += "," + tag.Key + "=" + tag.Value
	}
	return fmt.Sprintf("%s %s %d", head, strings.Join(fields, ","), m.Time().UnixNano())
}

var changeable = regexp.MustCompile(`\b(model|normal again at) \w[\w.]*`)

func text(key string, value any) string {
	switch v := value.(type) {
	case float64:
		return strconv.FormatFloat(math.Round(v*1e6)/1e6+0, 'f', -1, 64) // + 0: no -0
	case int64:
		return fmt.Sprintf("%di", v)
	case uint64:
		return fmt.Sprintf("%du", v)
	case string:
		if key == "model" {
			v = "..."
		}
		return strconv.Quote(changeable.ReplaceAllString(v, "$1 ..."))
	}
	return fmt.Sprint(value)
}

func readMetrics(t *testing.T, file string) (all []telegraf.Metric) {
	t.Helper()
	input, err := os.ReadFile(file)
	require.NoError(t, err)
	for d := lineprotocol.NewDecoder(bytes.NewReader(input)); d.Next(); {
		all = append(all, readMetric(t, d))
	}
	require.NotEmpty(t, all)
	return all
}

func readMetric(t *testing.T, d *lineprotocol.Decoder) telegraf.Metric {
	t.Helper()
	name, err := d.Measurement()
	require.NoError(t, err)
	m := metric.New(string(name), nil, nil, time.Time{})
	for {
		key, value, err := d.NextTag()
		require.NoError(t, err)
		if key == nil {
			break
		}
		m.AddTag(string(key), string(value))
	}
	for {
		key, value, err := d.NextField()
		require.NoError(t, err)
		if key == nil {
			break
		}
		m.AddField(string(key), value.Interface())
	}
	at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
	require.NoError(t, err)
	m.SetTime(at)
	return m
}

// A logger writes to the test's log, and keeps a text.
type logger struct {
	telegraf.Logger
	*testing.T
}

func (l logger) Error(a ...any) { l.Log(append([]any{"E!"}, a...)...) }
func (l logger) Warn(a ...any)  { l.Log(append([]any{"W!"}, a...)...) }
func (l logger) Info(a ...any)  { l.Log(append([]any{"I!"}, a...)...) }
