package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

var historyStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// influxDB is a real one that holds the history of a simulated fleet, a row a
// minute.
func influxDB(t *testing.T, hosts, days int) *testbed.Server {
	t.Helper()
	e2e(t)
	root, err := testbed.Root()
	require.NoError(t, err)
	server, err := testbed.StartInfluxDB(t.Context(), root, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	_, err = server.Query(t.Context(), "", "CREATE DATABASE telegraf")
	require.NoError(t, err)
	var streams []*sim.Stream
	for _, h := range sim.Fleet(1, hosts) {
		g, err := sim.New(1, sim.Config{Host: h, Start: historyStart, Interval: time.Minute})
		require.NoError(t, err)
		streams = append(streams, &sim.Stream{Generator: g, Format: wantedOnly(sim.Telegraf(1, h))})
	}
	for range days * 24 {
		var hour bytes.Buffer
		require.NoError(t, sim.Write(&hour, 60, streams...))
		answer, err := http.Post(server.URL+"/write?db=telegraf", "text/plain", &hour)
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, answer.StatusCode)
		require.NoError(t, answer.Body.Close())
	}
	return server
}

// wantedOnly leaves out lines that no default feature uses: the database is quicker
// to fill.
func wantedOnly(format sim.Format) sim.Format {
	return func(dst []byte, row sim.Row) []byte {
		for line := range bytes.Lines(format(nil, row)) {
			for _, prefix := range []string{"cpu,cpu=cpu-total", "mem,", "net,"} {
				if bytes.HasPrefix(line, []byte(prefix)) {
					dst = append(dst, line...)
				}
			}
		}
		return dst
	}
}

func span(server *testbed.Server, file string, days int) []string {
	to := historyStart.AddDate(0, 0, days).Format(time.RFC3339)
	return []string{"collect", "-q", "--url", server.URL, "--from", historyStart.Format(time.RFC3339), "--to", to, "-o", file}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}

// Memory does not depend on the length of the history; and a collect that is killed
// goes on where it was, to the same bytes.
func TestCollectIsBoundedAndResumable(t *testing.T) {
	const hosts, days = 10, 6
	server, dir := influxDB(t, hosts, days), t.TempDir()
	day, all, parts := filepath.Join(dir, "day.lp"), filepath.Join(dir, "all.lp"), filepath.Join(dir, "parts.lp")
	forDay, forAll := memory(t, span(server, day, 1)...), memory(t, span(server, all, days)...)
	t.Logf("%d bytes with %d MB, %d bytes with %d MB", size(t, day), forDay>>20, size(t, all), forAll>>20)
	require.Greater(t, size(t, all), (days-1)*size(t, day))
	require.Less(t, float64(forAll), 1.5*float64(forDay))

	kills := 0
	for ; kills < 3; kills++ {
		before, _ := os.ReadFile(parts + ".state")
		c := start(t, span(server, parts, days)...)
		require.NoError(t, testbed.Until(t.Context(), "progress", func() bool {
			now, _ := os.ReadFile(parts + ".state")
			return !bytes.Equal(before, now)
		}))
		require.NoError(t, c.Process.Kill())
		require.NotZero(t, code(t, c), "it was faster than the signal")
		require.NoFileExists(t, parts, "half a history must not look like one")
	}
	c := start(t, span(server, parts, days)...)
	require.Zero(t, code(t, c), fmt.Sprint(c.Stderr))
	a, err := os.ReadFile(all)
	require.NoError(t, err)
	b, err := os.ReadFile(parts)
	require.NoError(t, err)
	require.True(t, bytes.Equal(a, b))
}

// Ten times the rows cost no more than the vectors that are kept.
func TestFittingIsBounded(t *testing.T) {
	e2e(t)
	dir := t.TempDir()
	used := map[string]int64{}
	for _, hours := range []string{"1000h", "4000h"} { // 360,000 and 1,440,000 rows
		data := filepath.Join(dir, hours+".csv")
		must(t, "simulate", "-q", "-o", data, "--interval", "10s", "--last", hours, "--per-kind", "0")
		used[hours] = memory(t, "fit", "-q", "--data", data, "--model", filepath.Join(dir, "m"), "--contamination", "0.01")
	}
	t.Logf("MB: %d and %d", used["1000h"]>>20, used["4000h"]>>20)
	require.Less(t, float64(used["4000h"]), 2.5*float64(used["1000h"]))
}
