package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// row makes a row of name, value pairs; numbers are given as InfluxDB writes them.
func row(pairs ...string) testbed.Row {
	r := testbed.Row{"time": json.Number("1704067200000000000")}
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		if json.Valid([]byte(value)) {
			r[name] = json.Number(value)
		} else {
			r[name] = value
		}
	}
	return r
}

func TestLineSaysWhatIsKnown(t *testing.T) {
	at := time.Unix(1704067200, 0).Format(time.TimeOnly)
	for name, test := range map[string]struct {
		row  testbed.Row
		want string
	}{
		"before the second interval": {
			row("memory", "51.26", "status", "missing"),
			"           -    51.3            -       -  input missing   -\n",
		},
		"learning": {
			row("cpu", "3", "memory", "51", "network", "1234567", "status", "learning", "progress", "0.5"),
			"         3.0    51.0     1.2 MB/s       -  learning 50 %   -\n",
		},
		"normal": {
			row("cpu", "3", "memory", "51", "network", "0", "status", "ok", "is_anomaly", "0", "anomaly_score", "0.4567", "shap_cpu", "-0.2", "shap_memory", "-0.1", "shap_network", "-0.3"),
			"         3.0    51.0      0.0 B/s   0.457  normal          memory  -0.100 bits\n",
		},
		"an anomaly, with the first half of its reason": {
			row("cpu", "99", "memory", "51", "network", "999", "status", "ok", "is_anomaly", "1", "anomaly_score", "1", "shap_cpu", "1.5", "shap_memory", "0", "shap_network", "0", "reason", "cpu is 99, usually 1 to 5: too high; at 5 this were normal"),
			"        99.0    51.0     999.0 B/s   1.000  ANOMALY         cpu     +1.500 bits  cpu is 99, usually 1 to 5: too high\n",
		},
		"warming": {
			row("status", "warming", "is_anomaly", "0", "anomaly_score", "0.9"),
			"           -       -            -   0.900  warming         -\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := line(test.row, unlike("", reason(test.row)), false)
			require.True(t, strings.HasPrefix(got, at))
			require.Equal(t, strings.Fields(test.want), strings.Fields(strings.TrimPrefix(got, at)))
		})
	}
}

func TestOnlyAnomaliesAreRed(t *testing.T) {
	anomaly := line(row("is_anomaly", "1", "status", "ok"), "", true)
	require.True(t, strings.HasPrefix(anomaly, red) && strings.HasSuffix(anomaly, plain+"\n"))
	require.NotContains(t, line(row("is_anomaly", "0", "status", "ok"), "", true), "\x1b")
	require.NotContains(t, line(row("is_anomaly", "1", "status", "ok"), "", false), "\x1b")
}

// A reason is told when it is new.
func TestReasonsAreNotRepeated(t *testing.T) {
	const high = "cpu is 99, usually 1 to 5: too high"
	for _, set := range []struct{ before, why, want string }{
		{"", "", ""},
		{high, "", ""},
		{"", high, "  " + high},
		{high, "cpu is 98, usually 1 to 5: too high", "  the same"},
		{high, "cpu is 0, usually 1 to 5: too low", "  cpu is 0, usually 1 to 5: too low"},
		{high, "memory is 99, usually 1 to 5: too high", "  memory is 99, usually 1 to 5: too high"},
	} {
		require.Equal(t, set.want, unlike(set.before, set.why), "%q after %q", set.why, set.before)
	}
}

func TestOldModelsAreForgotten(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	known, err := recall(state)
	require.NoError(t, err)
	require.False(t, known, "there is none")
	file := filepath.Join(state, "stream.state")
	require.NoError(t, os.MkdirAll(state, 0o755))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	known, err = recall(state)
	require.NoError(t, err)
	require.True(t, known)
	old := time.Now().Add(-2 * memory)
	require.NoError(t, os.Chtimes(file, old, old))
	known, err = recall(state)
	require.NoError(t, err)
	require.False(t, known)
	require.NoDirExists(t, state)
}

func TestRateSuitsItsSize(t *testing.T) {
	for value, want := range map[string]string{
		"0": "0.0 B/s", "999": "999.0 B/s", "1000": "1.0 kB/s", "1.25e6": "1.2 MB/s", "3e9": "3.0 GB/s", "5e13": "50000.0 GB/s",
	} {
		require.Equal(t, want, rate(row("network", value), "network"))
	}
}

func TestSummaryIsStrictWhereAskedTo(t *testing.T) {
	server := func(n string) *testbed.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.FormValue("q"), "ai_predictions") && n == "0" {
				_, _ = w.Write([]byte(`{"results":[{}]}`)) // as InfluxDB says that there is nothing
				return
			}
			_, _ = w.Write([]byte(`{"results":[{"series":[{"name":"a","columns":["time","count"],"values":[[0,3]]},{"name":"b","columns":["time","count"],"values":[[0,4]]}]}]}`))
		}))
		t.Cleanup(s.Close)
		return &testbed.Server{URL: s.URL}
	}
	var out bytes.Buffer
	require.NoError(t, summarize(&out, server("7"), time.Unix(0, 0), true))
	require.Contains(t, out.String(), "7 scored points   SELECT count(anomaly_score) FROM ai_predictions WHERE time >= '1970-01-01T00:00:00Z'")
	require.ErrorContains(t, summarize(&out, server("0"), time.Unix(0, 0), true), "missing")
	require.NoError(t, summarize(&out, server("0"), time.Unix(0, 0), false), "Ctrl-C is no failure")
}

func TestConfigurationIsRelocated(t *testing.T) {
	root, err := testbed.Root()
	require.NoError(t, err)
	dir := t.TempDir()
	file, err := configure(root, dir, "http://127.0.0.1:1234")
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "http://127.0.0.1:1234")
	require.Contains(t, string(text), filepath.Join(dir, "anomaly.conf"))
	require.NotContains(t, string(text), "/etc/telegraf")
	require.FileExists(t, filepath.Join(dir, "anomaly.conf"))
}

func TestTail(t *testing.T) {
	require.Equal(t, "b\nc", tail("a\nb\nc\n", 2))
	require.Equal(t, "a", tail("a", 5))
}
