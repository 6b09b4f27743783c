package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// result is what a run of the program left.
type result struct {
	code        int
	out, stderr string
}

func execute(input string, args ...string) (r result) {
	var out, stderr bytes.Buffer
	r.code = run(args, strings.NewReader(input), &out, &stderr)
	r.out, r.stderr = out.String(), stderr.String()
	return r
}

func writeFile(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func block(keys string) string { return "[[processors.anomaly]]\n" + keys + "\n" }

const (
	lineOfDisk = "disk,host=a,path=/ used_percent=71.5 1767225600000000000\n"
	noLine     = "this is, no line\n"
)

// interval is all of one host's metrics of an interval of ten seconds.
func interval(i int) string {
	at := int64(1767225600+10*i) * 1e9
	return fmt.Sprintf("cpu,cpu=cpu-total,host=a usage_idle=%d %d\n", 80+i%5, at) +
		fmt.Sprintf("mem,host=a used_percent=%d %d\n", 40+i%3, at) +
		fmt.Sprintf("net,host=a,interface=eth0 bytes_recv=%di,bytes_sent=%di %d\n", 1000*i+i%7, 500*i+i%4, at)
}

func intervals(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(interval(i))
	}
	return b.String()
}

func TestFlagsThatOnlyPrint(t *testing.T) {
	for _, dashes := range []string{"-", "--"} {
		r := execute("", dashes+"version")
		require.Equal(t, result{out: versionText() + "\n"}, r)
		require.Regexp(t, `^telegraf-anomaly dev \(.+, `+runtime.Version()+` `+runtime.GOOS+`/`+runtime.GOARCH+`\)\n$`, r.out)

		require.Equal(t, result{out: anomaly.New().SampleConfig()}, execute("", dashes+"sample-config"))

		r = execute(lineOfDisk, dashes+"help")
		require.Zero(t, r.code)
		require.Empty(t, r.out, "what is no metric does not go where metrics go")
		for _, name := range []string{"-config", "-check", "-test", "-sample-config", "-version"} {
			require.Contains(t, r.stderr, "\n  "+name)
		}
	}
}

func TestCheckAcceptsTheSample(t *testing.T) {
	r := execute("", "-check", "-config", writeFile(t, "anomaly.conf", execute("", "-sample-config").out))
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, execute("", "-check").out, r.out, "the sample is the defaults")
}

// What -check prints can be used as a configuration, and says what will happen.
func TestCheckPrintsTheEffectiveConfiguration(t *testing.T) {
	first := execute("", "-check", "-config", writeFile(t, "anomaly.conf", block("window = \"5m\"\nmin_samples = 77")))
	require.Zero(t, first.code, first.stderr)
	require.Contains(t, first.out, "window = \"5m0s\"\n")
	require.Contains(t, first.out, `direction = "both"`, "what the feature left out")
	require.Contains(t, first.out, "# no model is configured: learning [cpu memory network] per group of [host]")
	require.Contains(t, first.out, "after 77 vectors")
	require.Equal(t, first, execute("", "-check", "-config", writeFile(t, "anomaly.conf", first.out)))
}

// -check fails, with exit code 2 and one line that names file, line and remedy.
func TestCheckRefuses(t *testing.T) {
	occupied := writeFile(t, "file", "no model, and in the way")
	for _, test := range []struct{ config, says string }{
		{block("windw = 1"), `FILE: line 2: unknown key "processors.anomaly.windw"`},
		{block("\nwindow = = 1"), `FILE: line 3: expected value but found '=' instead`},
		{block("missing = \"guess\""), `FILE: line 2: missing = "guess" is unknown; use "skip", "carry" or "median"`},
		{block("alarm = \"1 of 1\"\ntrees = -1"), `FILE: line 3: trees = -1 must be between 1 and 16384`},
		{block("quiet_periods = \"/does/not/exist\""), `quiet_periods: open /does/not/exist: no such file or directory`},
		{block("state = \"" + occupied + "/x\""), `state = "` + occupied + `/x": `},
		{block("model = \"" + occupied + "\""), `cut off`},
	} {
		file := writeFile(t, "anomaly.conf", test.config)
		r := execute("", "-check", "-config", file)
		require.Equal(t, usageExit, r.code)
		require.Empty(t, r.out)
		require.Contains(t, r.stderr, "telegraf-anomaly: ")
		require.Contains(t, r.stderr, strings.ReplaceAll(test.says, "FILE", file))
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
	}
	r := execute("", "-check", "-config", "/does/not/exist")
	require.Equal(t, result{code: usageExit, stderr: "telegraf-anomaly: open /does/not/exist: no such file or directory\n"}, r)
}

func TestCheckLeavesTheStateAsItWas(t *testing.T) {
	state := t.TempDir()
	r := execute("", "-check", "-config", writeFile(t, "anomaly.conf", block(fmt.Sprintf("state = %q", state))))
	require.Zero(t, r.code, r.stderr)
	entries, err := os.ReadDir(state)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// prefixed are the lines that -test led by "> ", without that.
func prefixed(t *testing.T, out string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		require.True(t, strings.HasPrefix(line, "> ") && strings.HasSuffix(line, "\n"), line)
		lines = append(lines, line[2:])
	}
	return lines
}

func TestTestPrintsWhatWouldBeEmitted(t *testing.T) {
	config := writeFile(t, "anomaly.conf", block("interval = \"10s\"\nwindow = \"1m\"\nmin_samples = 32"))
	input := lineOfDisk + noLine + intervals(50)
	r := execute(input, "-config", config, "-test", "-")
	require.Zero(t, r.code, r.stderr)
	scored, points := 0, 0
	var unscored []string
	for _, line := range prefixed(t, r.out) {
		switch {
		case strings.HasPrefix(line, "ai_predictions,host=a "):
			points++
		case strings.Contains(line, ",anomaly_score="):
			scored++
		case !strings.HasPrefix(line, "anomaly_drift,host=a"):
			unscored = append(unscored, line)
		}
	}
	require.Equal(t, 50, points, "one for each interval")
	require.Equal(t, strings.Count(input, "\n"), scored+len(unscored))
	require.Positive(t, scored)
	require.Contains(t, unscored, lineOfDisk)
	require.Contains(t, unscored, noLine)

	var p lp.Point
	for _, line := range prefixed(t, r.out) {
		if line != noLine {
			require.NoError(t, lp.Decode(&p, []byte(strings.TrimSuffix(line, "\n")), time.Time{}), line)
		}
	}
}

func TestTestReadsAFile(t *testing.T) {
	r := execute("", "-test", writeFile(t, "metrics.influx", lineOfDisk+noLine))
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "> "+lineOfDisk+"> "+noLine, r.out)

	r = execute("", "-test", "/does/not/exist")
	require.Equal(t, result{code: usageExit, stderr: "telegraf-anomaly: open /does/not/exist: no such file or directory\n"}, r)
}

// With a configuration that does not work, -test shows what Telegraf would get,
// everything unscored, but says so in its exit code.
func TestTestOfABrokenConfiguration(t *testing.T) {
	r := execute(lineOfDisk, "-config", "/does/not/exist", "-test", "-")
	require.Equal(t, 1, r.code)
	require.Equal(t, "> "+lineOfDisk, r.out)
	require.Equal(t, "E! lines are passed on unscored: open /does/not/exist: no such file or directory\n", r.stderr)
}

func TestTestOfABrokenOutput(t *testing.T) {
	require.Equal(t, 1, run([]string{"-test", "-"}, strings.NewReader(lineOfDisk), broken{}, io.Discard))
}

// broken is a pipe without a reader.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
