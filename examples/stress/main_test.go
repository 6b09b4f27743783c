package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/drill"
	"telegraf-anomaly/internal/load"
)

func settle(t *testing.T, handler http.Handler) settings {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return settings{
		Options: load.Options{Rate: 50, Duration: 400 * time.Millisecond, Workers: 4},
		target:  server.URL, influxDB: server.URL, database: "telegraf", success: .99,
		result: filepath.Join(t.TempDir(), "result.json"),
	}
}

func center(t *testing.T) http.Handler {
	t.Helper()
	c, err := datacenter.New(datacenter.Config{Hosts: 8, Seed: 1, Interval: time.Second, Step: time.Minute}, time.Now())
	require.NoError(t, err)
	return c.Handler()
}

func TestLoadAlone(t *testing.T) {
	s := settle(t, center(t))
	require.NoError(t, s.run(t.Context(), io.Discard, io.Discard))
	text, err := os.ReadFile(s.result)
	require.NoError(t, err)
	var o outcome
	require.NoError(t, json.Unmarshal(text, &o))
	require.True(t, o.Passed)
	require.Equal(t, 1.0, o.Load.Success)
}

func TestRequestsThatFailAreAFailure(t *testing.T) {
	s := settle(t, http.NotFoundHandler())
	require.ErrorContains(t, s.run(t.Context(), io.Discard, io.Discard), "0.00 % of the requests succeeded, want 99.00 %")
}

// A database that never saw an alarm: the fault counts as missed.
func TestAFaultThatNobodySawIsAFailure(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", center(t))
	mux.HandleFunc("/query", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"results":[{}]}`) })
	s := settle(t, mux)
	s.scenario = filepath.Join(t.TempDir(), "one.toml")
	require.NoError(t, os.WriteFile(s.scenario, []byte("[[fault]]\nkind = \"cpu\"\nhost = \"host0001\"\nduration = \"100ms\"\n"), 0o600))
	require.ErrorContains(t, s.run(t.Context(), io.Discard, io.Discard), "1 of 1 faults were not detected")
}

func TestScenarioThatCannotBeRead(t *testing.T) {
	s := settle(t, center(t))
	s.scenario = "absent.toml"
	require.ErrorContains(t, s.run(t.Context(), io.Discard, io.Discard), "absent.toml")
}

func TestShippedScenarios(t *testing.T) {
	files, err := filepath.Glob("scenarios/*.toml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = drill.Parse(string(text))
		require.NoError(t, err, file)
	}
}
