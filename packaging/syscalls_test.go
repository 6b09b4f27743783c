package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// allowed expands the drop-in's filter with systemd's own lists.
func allowed(t *testing.T) map[string]bool {
	t.Helper()
	calls := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(@\S+)`).FindAllStringSubmatch(text(t, "systemd/hardening.conf"), -1) {
		for _, call := range group(t, m[2]) {
			calls[call] = m[1] == ""
		}
	}
	return calls
}

// group lists the system calls of a group and of those inside it.
func group(t *testing.T, name string) (calls []string) {
	t.Helper()
	for line := range strings.Lines(run(t, "systemd-analyze", "--no-pager", "syscall-filter", name)) {
		switch word := strings.TrimSpace(line); {
		case word == "", word == name, strings.HasPrefix(word, "#"):
		case strings.HasPrefix(word, "@"):
			calls = append(calls, group(t, word)...)
		default:
			calls = append(calls, word)
		}
	}
	return calls
}

var traced = regexp.MustCompile(`(?m)^\d+ +([a-z0-9_]+)\(`)

// TestSystemCalls holds what the real Telegraf and the processor ask of the
// kernel, the fit of a model included, against the drop-in's filter.
func TestSystemCalls(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("traces the real Telegraf; set E2E=1")
	}
	for _, tool := range []string{"strace", "systemd-analyze"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is absent")
		}
	}
	checkout, err := testbed.Root()
	require.NoError(t, err)
	require.NoError(t, testbed.Install(t.Context(), checkout, os.Stderr, testbed.Telegraf, testbed.Anomaly))
	calls := trace(t, checkout)
	filter := allowed(t)
	var refused []string
	for call := range calls {
		if !filter[call] {
			refused = append(refused, call)
		}
	}
	t.Logf("%d different system calls", len(calls))
	require.Greater(t, len(calls), 30)
	require.True(t, calls["sched_setattr"], "a fit took place")
	require.Empty(t, refused)
}

func trace(t *testing.T, checkout string) map[string]bool {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	anomalyConf := file("anomaly.conf", "[[processors.anomaly]]\n  interval = \"200ms\"\n  window = \"1s\"\n  min_samples = 20\n  state = \""+dir+"/state\"\n")
	execd, err := testbed.Relocate(text(t, "execd.conf"), "/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(checkout), "/etc/telegraf/anomaly.conf", anomalyConf)
	require.NoError(t, err)
	out := filepath.Join(dir, "out.influx")
	config := file("telegraf.conf", strings.ReplaceAll(agent, "/var/lib/telegraf/out.influx", out)+execd)
	log := filepath.Join(dir, "calls")
	p, err := testbed.Start(exec.Command("strace", "-f", "-qq", "-o", log, testbed.Telegraf.Path(checkout), "--config", config), filepath.Join(dir, "telegraf.log"))
	require.NoError(t, err)
	wait(t, "scored points", func() bool {
		text, _ := os.ReadFile(out)
		return strings.Contains(string(text), `status="ok"`)
	})
	time.Sleep(time.Second)
	_ = p.Stop() // strace passes the signal on and ends by it
	calls := map[string]bool{}
	for _, m := range traced.FindAllStringSubmatch(text(t, log), -1) {
		calls[m[1]] = true
	}
	return calls
}
