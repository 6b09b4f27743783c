package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/atomicfile"
	"telegraf-anomaly/internal/stdio"
)

// process is the program as it runs, with host a on its input.
type process struct {
	t        *testing.T
	file     string // its configuration
	session  *session
	in       *io.PipeWriter
	out, log collected
	ended    chan error
	fed      int // intervals
}

func startProcess(t *testing.T, keys string) *process {
	t.Helper()
	p := &process{t: t, file: writeFile(t, "anomaly.conf", block(keys)), ended: make(chan error, 1)}
	reader, writer := io.Pipe()
	p.in, p.session = writer, newSession(reader, &p.out, stdio.NewLogger(&p.log))
	p.session.Every(savePeriod, p.session.save)
	p.session.start(p.file)
	go func() { p.ended <- p.session.Run(nil) }()
	return p
}

// feed writes intervals and waits until they have come out.
func (p *process) feed(intervals int) {
	p.t.Helper()
	for range intervals {
		_, err := io.WriteString(p.in, interval(p.fed))
		require.NoError(p.t, err)
		p.fed++
	}
	p.out.waitFor(p.t, fmt.Sprintf("interface=eth0 bytes_recv=%di", 1000*(p.fed-1)+(p.fed-1)%7))
}

// reconfigure does what SIGHUP does.
func (p *process) reconfigure(keys string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.file, []byte(block(keys)), 0o600))
	done := make(chan struct{})
	require.True(p.t, p.session.Call(func() { p.session.restart(p.file); close(done) }))
	<-done
}

func (p *process) end() {
	p.t.Helper()
	require.NoError(p.t, p.in.Close())
	require.NoError(p.t, <-p.ended)
	p.session.Close()
	p.session.log.Close()
}

// A new configuration serves from the next line on and knows what was learned; one
// that is wrong, or whose model is, changes nothing.
func TestConfigurationIsReadAgain(t *testing.T) {
	keys := fmt.Sprintf("state = %q\nmin_samples = 100\n", t.TempDir())
	p := startProcess(t, keys)
	p.feed(50)
	for _, text := range []string{keys + "predictions = \"verdicts\"", "windw = 1", keys + "model = \"/does/not/exist\"", keys + "predictions = \"again\""} {
		p.reconfigure(text)
		p.feed(1)
	}
	p.end()

	requireSameLines(t, intervals(p.fed), p.out.String())
	points := regexp.MustCompile(`(?m)^(\w+),host=a .*progress=([\d.]+),.*status="learning"`).FindAllStringSubmatch(p.out.String(), -1)
	points = points[len(points)-5:]
	first, err := strconv.ParseFloat(points[0][2], 64)
	require.NoError(t, err)
	for i, name := range []string{"ai_predictions", "verdicts", "verdicts", "verdicts", "again"} {
		require.Equal(t, name, points[i][1])
		progress, err := strconv.ParseFloat(points[i][2], 64)
		require.NoError(t, err)
		require.InDelta(t, first+0.01*float64(i), progress, 1e-9)
	}
	require.Contains(t, p.log.String(), "W! the configuration before this one goes on: "+p.file+`: line 2: unknown key`)
	require.Contains(t, p.log.String(), "W! the configuration before this one goes on: model: stat /does/not/exist")
	require.NotContains(t, p.log.String(), "E! ")
}

// The state directory is held as long as it is configured, and no longer.
func TestStateIsClaimedAndLetGo(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	p := startProcess(t, fmt.Sprintf("state = %q", first))
	held := func(dir string) bool {
		runtime.GC() // closes what nobody holds on to
		runtime.GC()
		unlock, err := atomicfile.Lock(filepath.Join(dir, "lock"))
		if err == nil {
			unlock()
		}
		return err != nil
	}
	require.True(t, held(first))
	p.reconfigure(fmt.Sprintf("state = %q\nwindow = \"5m\"", first))
	require.True(t, held(first))
	p.reconfigure(fmt.Sprintf("state = %q", second))
	require.False(t, held(first))
	require.True(t, held(second))
	p.reconfigure("")
	require.False(t, held(second))
	p.end()
	require.NotContains(t, p.log.String(), "W! ")
}
