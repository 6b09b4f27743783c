package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// said are the lines about the processor in Telegraf's log, without time, from its
// newest start on.
func said(log string) (lines []string) {
	log = log[strings.LastIndex(log, "Starting process:"):]
	for _, m := range regexp.MustCompile(`(?m)^\S+ (.! \[processors\.execd\] .*)$`).FindAllStringSubmatch(log, -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// The files as they are shipped, stock inputs and a state directory that is not
// even there: the processor's first words are what it will do and when, every
// metric arrives as it is, and what was learnt is still known after a restart.
func TestShippedConfigurationFromNothing(t *testing.T) {
	t.Parallel()
	db, dir := database(t), t.TempDir()
	state := filepath.Join(dir, "state", "anomaly")
	anomaly := installed(t, dir, "packaging/anomaly.conf", "/var/lib/telegraf/anomaly", state)
	config := installed(t, dir, "telegraf.conf",
		"/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(need(t)),
		"/etc/telegraf/anomaly.conf", anomaly,
		`interval = "10s"`, "interval = \"1s\"\n  flush_interval = \"500ms\"",
		"http://127.0.0.1:8086", db.URL)
	learning := func() (points int) {
		rows, err := db.Query(t.Context(), "telegraf", "SELECT count(progress) FROM ai_predictions WHERE status = 'learning'")
		if err == nil && len(rows) == 1 {
			n, _ := rows[0].Float("count")
			points = int(n)
		}
		return points
	}
	const plan = "I! [processors.execd] no model is configured: learning [cpu memory network] per group of [host]; " +
		"lines pass unscored until a group's first model, after two hours of vectors, at least 256, unless the state directory has one"
	run := func(first ...string) {
		before := learning()
		telegraf, err := testbed.StartTelegraf(need(t), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = telegraf.Stop() })
		require.NoError(t, testbed.Until(deadline(t, time.Minute), "points that say learning", func() bool { return learning() > before+2 }), telegraf.Log())
		require.NoError(t, telegraf.Stop())
		require.Empty(t, testbed.Errors(telegraf.Log()))
		words := said(telegraf.Log())
		require.Equal(t, first, words[:min(len(first), len(words))])
		require.NotContains(t, strings.Join(words, "\n"), "W! ")
	}
	run(plan)
	run("I! [processors.execd] took up the state of an earlier run from "+state, plan)

	for _, q := range []string{
		"SELECT count(usage_idle) FROM cpu", "SELECT count(used_percent) FROM mem", "SELECT count(bytes_recv) FROM net", "SELECT count(used) FROM disk",
	} {
		require.Len(t, query(t, db, "telegraf", q), 1, q)
	}
	require.Empty(t, query(t, db, "telegraf", "SELECT anomaly_score FROM cpu, mem, net, ai_predictions LIMIT 1"))
}
