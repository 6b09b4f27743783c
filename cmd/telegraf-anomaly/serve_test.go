package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

// lastReport is the program's report on itself, which it writes at the end at the
// latest, and all that came before.
func lastReport(t *testing.T, out string) (before string, fields map[string]any) {
	t.Helper()
	at := strings.LastIndex(out, "anomaly_processor,")
	require.GreaterOrEqual(t, at, 0, out)
	require.True(t, strings.HasSuffix(out, "\n"))
	fields = map[string]any{}
	var p lp.Point
	require.NoError(t, lp.Decode(&p, []byte(strings.TrimSpace(out[at:])), time.Now()))
	for _, f := range p.Fields {
		fields[string(f.Key)] = f.Value
	}
	return out[:at], fields
}

// Whatever is wrong, the program does not end, every line passes as it is, and
// both the log and the report say why. internal/e2e has more of these, under a
// real Telegraf.
func TestServeFailsOpen(t *testing.T) {
	input := lineOfDisk + noLine + intervals(20)
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no such configuration": {[]string{"-config", "/does/not/exist"}, "open /does/not/exist: no such file or directory"},
		"no such key":           {[]string{"-config", writeFile(t, "anomaly.conf", block("windw = 1"))}, `anomaly.conf: line 2: unknown key`},
		"no such model":         {[]string{"-config", writeFile(t, "anomaly.conf", block(`model = "/does/not/exist"`))}, "/does/not/exist"},
		"no such flag":          {[]string{"-conifg", "anomaly.conf"}, "flag provided but not defined: -conifg"},
		"no flag at all":        {[]string{"anomaly.conf"}, `argument "anomaly.conf" is not understood; flags only, such as -config FILE`},
		"flag without value":    {[]string{"-config"}, "flag needs an argument: -config"},
	} {
		t.Run(name, func(t *testing.T) {
			r := execute(input, test.args...)
			require.Zero(t, r.code)
			before, _ := lastReport(t, r.out)
			require.Equal(t, input, before)
			require.Contains(t, r.out, `state="degraded",fault="`)
			require.Contains(t, r.stderr, "E! lines are passed on unscored: ")
			require.Contains(t, r.stderr, test.says)
			require.Contains(t, strings.ReplaceAll(r.out, `\"`, `"`), test.says)
		})
	}
}

// Where nobody's metrics are at stake, a wrong flag is refused.
func TestWrongFlagsWithCheckAndTest(t *testing.T) {
	for _, args := range [][]string{{"-check", "-conifg", "x"}, {"-test", "-", "-conifg"}, {"-check", "anomaly.conf"}, {"-test", "-", "anomaly.conf"}} {
		r := execute(lineOfDisk, args...)
		require.Equal(t, usageExit, r.code, args)
		require.Empty(t, r.out, args)
		require.NotEmpty(t, r.stderr, args)
	}
	terminal, err := os.Open(os.DevNull) // a character device, too
	require.NoError(t, err)
	defer terminal.Close()
	require.Equal(t, usageExit, run([]string{"-conifg"}, terminal, io.Discard, io.Discard))
	require.False(t, isTerminal(strings.NewReader("")))
}

func TestServeWithoutConfigurationLearns(t *testing.T) {
	input := lineOfDisk + intervals(3)
	r := execute(input)
	require.Zero(t, r.code)
	require.Contains(t, r.stderr, "I! no model is configured: learning [cpu memory network]")
	before, report := lastReport(t, r.out)
	require.Contains(t, before, lineOfDisk)
	for line := range strings.Lines(input) {
		require.Equal(t, 1, strings.Count(before, line), line)
	}
	require.EqualValues(t, 10, report["lines"])
	require.EqualValues(t, len(input), report["bytes"])
}

// A second program on the same state directory works, but keeps nothing there,
// and says what may be the reason.
func TestServeWithAStateThatIsTaken(t *testing.T) {
	config := writeFile(t, "anomaly.conf", block("state = \""+t.TempDir()+"\""))
	in, first := io.Pipe()
	ended := make(chan int)
	var out bytes.Buffer
	started := &signalled{ready: make(chan struct{})}
	go func() { ended <- run([]string{"-config", config}, in, &out, started) }()
	<-started.ready

	r := execute(lineOfDisk, "-config", config)
	require.Zero(t, r.code)
	require.Contains(t, r.out, lineOfDisk)
	require.Contains(t, r.out, `state="degraded"`)
	require.Contains(t, r.stderr, "is skip_processors_after_aggregators = true missing in [agent]?")

	_, err := io.WriteString(first, lineOfDisk)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.Zero(t, <-ended)
	require.Contains(t, out.String(), lineOfDisk)
	require.Contains(t, out.String(), `state="ok"`)
}

// signalled is a log that tells when its first line is written.
type signalled struct{ ready chan struct{} }

func (s *signalled) Write(b []byte) (int, error) {
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
	return len(b), nil
}

func TestServeReportsABrokenOutput(t *testing.T) {
	var stderr bytes.Buffer
	require.Equal(t, 1, run(nil, strings.NewReader(lineOfDisk), broken{}, &stderr))
	require.Contains(t, stderr.String(), "E! writing stdout: ")
}

// The plugin's README lists every field of the report, with its type.
func TestReportIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../plugins/processors/anomaly/README.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(readme), "\n- anomaly_processor")
	require.True(t, found)
	healthy := execute(intervals(3), "-config", writeFile(t, "anomaly.conf", block(`interval = "10s"`)))
	for _, out := range []string{healthy.out, execute("", "-config", "/does/not/exist").out} {
		report := out[strings.LastIndex(out, "anomaly_processor,"):]
		for _, m := range regexp.MustCompile(`(\w+)=("|-?[\d.]+i?)`).FindAllStringSubmatch(report, -1) {
			kind := "float"
			switch {
			case m[2] == `"`:
				kind = "string"
			case strings.HasSuffix(m[2], "i"):
				kind = "integer"
			}
			require.True(t, strings.Contains(list, "\n    - "+m[1]+" ("+kind+","), "%s (%s)", m[1], kind)
		}
	}
}
