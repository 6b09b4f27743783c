package drill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/testbed"
)

func TestParse(t *testing.T) {
	s, err := Parse(`
title = "two"
[[fault]]
kind = "cpu"
host = "a"
duration = "10s"
[[fault]]
kind = "leak"
host = "b"
at = "5s"
size = 2.0
duration = "20s"
`)
	require.NoError(t, err)
	require.Equal(t, 25*time.Second, s.Length())
	require.Equal(t, datacenter.Leak, s.Faults[1].Kind)
	require.Equal(t, 2.0, s.Faults[1].Size)
}

func TestParseRefuses(t *testing.T) {
	const good = "[[fault]]\nkind = \"cpu\"\nhost = \"a\"\nduration = \"10s\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"no TOML", "fault", "drill:"},
		{"nothing", "", "no [[fault]]"},
		{"a misspelt key", good + "sise = 1.0\n", `unknown key "fault.sise"`},
		{"no host", strings.Replace(good, `"a"`, `""`, 1), "fault 1 names no host"},
		{"one host twice", good + good, "fault 2 is the second on a"},
		{"an unknown kind", strings.Replace(good, "cpu", "flood", 1), `kind "flood" is unknown`},
		{"no duration", strings.Replace(good, "10s", "0s", 1), "wants a duration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.text)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// world is a data centre and a detector behind it: every fault raises an alarm
// that names what the test wants.
type world struct {
	mu     sync.Mutex
	alarms map[string]testbed.Row // by host, from the fault on
	before string                 // host that alarms all the time
	named  map[datacenter.Kind]string
	err    error
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s datacenter.Stress
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.Host == "unknown" {
		http.Error(rw, "no such host", http.StatusBadRequest)
		return
	}
	s.From = time.Now()
	rw.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(rw).Encode(s)
	if name := w.named[s.Kind]; name != "" {
		w.alarms[s.Host] = testbed.Row{
			"time":          json.Number(fmt.Sprint(s.From.Add(time.Second).UnixNano())),
			"anomaly_score": json.Number("0.9"), "reason": "too high",
			"shap_base": json.Number("99"), "shap_cpu": json.Number("0"), "shap_memory": json.Number("0"),
			"shap_network": nil, "shap_" + name: json.Number("2"),
		}
	}
}

func (w *world) Query(_ context.Context, _, query string) ([]testbed.Row, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for host, row := range w.alarms {
		if strings.Contains(query, "'"+host+"'") {
			return []testbed.Row{row}, nil
		}
	}
	if w.before != "" && strings.Contains(query, "'"+w.before+"'") {
		return []testbed.Row{{"time": json.Number("1")}}, nil
	}
	return nil, w.err
}

func (w *world) drill(t *testing.T) *Drill {
	t.Helper()
	w.alarms = map[string]testbed.Row{}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return &Drill{Target: server.URL, DB: w, Database: "telegraf", Grace: time.Second}
}

func fault(kind datacenter.Kind, host string) Fault {
	return Fault{Kind: kind, Host: host, Duration: datacenter.Duration(100 * time.Millisecond)}
}

func TestRun(t *testing.T) {
	w := &world{named: map[datacenter.Kind]string{datacenter.CPU: "cpu", datacenter.Memory: "cpu", datacenter.Outage: "cpu"}}
	outcomes, err := w.drill(t).Run(t.Context(), Scenario{Faults: []Fault{
		fault(datacenter.CPU, "a"), fault(datacenter.Memory, "b"), fault(datacenter.Network, "c"), fault(datacenter.Outage, "d"),
	}}, nil)
	require.NoError(t, err)
	for i, want := range []struct {
		detected, right bool
		named           string
	}{
		{true, true, "cpu"},
		{true, false, "cpu"}, // not at fault
		{false, false, ""},
		{true, true, "cpu"}, // one of the two at fault
	} {
		o := outcomes[i]
		require.Equal(t, want.detected, o.Detected, o.Kind)
		require.Equal(t, want.right, o.Right(), o.Kind)
		require.Equal(t, want.named, o.Named, o.Kind)
		if o.Detected {
			require.Equal(t, time.Second, o.Delay)
		}
	}
	var b strings.Builder
	require.Equal(t, 2, Table(&b, outcomes))
	require.Contains(t, b.String(), "wanted memory; too high")
	require.Contains(t, b.String(), "wanted network")
	require.Equal(t, 2, strings.Count(b.String(), "FAIL"))
}

func TestRunWaitsForTheTimeOfAFault(t *testing.T) {
	w := &world{named: map[datacenter.Kind]string{datacenter.CPU: "cpu"}}
	late := fault(datacenter.CPU, "a")
	late.At = datacenter.Duration(300 * time.Millisecond)
	began := time.Now()
	var said []string
	outcomes, err := w.drill(t).Run(t.Context(), Scenario{Faults: []Fault{late}}, func(f string, a ...any) { said = append(said, fmt.Sprintf(f, a...)) })
	require.NoError(t, err)
	require.GreaterOrEqual(t, outcomes[0].From.Sub(began), 300*time.Millisecond)
	require.Len(t, said, 2)
	require.Contains(t, said[1], "alarm after 1s, cpu")
}

func TestAnAlarmThatWasThereBeforeIsTold(t *testing.T) {
	w := &world{before: "a", named: map[datacenter.Kind]string{}}
	outcomes, err := w.drill(t).Run(t.Context(), Scenario{Faults: []Fault{fault(datacenter.CPU, "a")}}, nil)
	require.NoError(t, err)
	require.False(t, outcomes[0].Calm)
	var b strings.Builder
	Table(&b, outcomes)
	require.Contains(t, b.String(), "alarmed before")
}

func TestRunTellsWhatIsWrong(t *testing.T) {
	one := Scenario{Faults: []Fault{fault(datacenter.CPU, "a")}}
	t.Run("the data centre refuses", func(t *testing.T) {
		_, err := (&world{}).drill(t).Run(t.Context(), Scenario{Faults: []Fault{fault(datacenter.CPU, "unknown")}}, nil)
		require.ErrorContains(t, err, "/stress answered 400 Bad Request: no such host")
	})
	t.Run("the database fails", func(t *testing.T) {
		_, err := (&world{err: errors.New("no disk")}).drill(t).Run(t.Context(), one, nil)
		require.ErrorContains(t, err, "no disk")
	})
	t.Run("nobody listens", func(t *testing.T) {
		_, err := (&Drill{Target: "http://127.0.0.1:1"}).Run(t.Context(), one, nil)
		require.ErrorContains(t, err, "drill: Post")
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &world{}
		late := fault(datacenter.CPU, "a")
		late.At = datacenter.Duration(time.Hour)
		cancel()
		_, err := w.drill(t).Run(ctx, Scenario{Faults: []Fault{late}}, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestStrongest(t *testing.T) {
	n := func(s string) any { return json.Number(s) }
	for want, row := range map[string]testbed.Row{
		"memory": {"shap_cpu": n("-1"), "shap_memory": n("0.5"), "shap_base": n("9")},
		"cpu":    {"shap_cpu": n("1"), "shap_memory": n("1")},
		"":       {"cpu": n("1"), "shap_cpu": nil},
	} {
		require.Equal(t, want, Strongest(row))
	}
}

// InfluxDB may show a point before all of its fields: the first sight of an alarm
// says nothing about its cause.
func TestAnAlarmIsJudgedAtSecondSight(t *testing.T) {
	full := testbed.Row{"time": json.Number("2"), "anomaly_score": json.Number("0.9"), "shap_cpu": json.Number("1"), "shap_memory": json.Number("2")}
	answers := []testbed.Row{{"time": json.Number("2"), "shap_cpu": json.Number("1")}, full}
	d := &Drill{DB: queryFunc(func() testbed.Row {
		row := answers[0]
		answers = answers[1:]
		return row
	})}
	o := Outcome{Fault: fault(datacenter.Memory, "a"), From: time.Unix(0, 1)}
	require.NoError(t, d.look(t.Context(), &o))
	require.False(t, o.Detected)
	require.NoError(t, d.look(t.Context(), &o))
	require.Equal(t, "memory", o.Named)
	require.Equal(t, .9, o.Score)
}

type queryFunc func() testbed.Row

func (f queryFunc) Query(context.Context, string, string) ([]testbed.Row, error) {
	return []testbed.Row{f()}, nil
}
