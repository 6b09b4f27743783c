package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/tap"
	"telegraf-anomaly/internal/testbed"
)

// A gateway is the program with the lines of a fleet on its way through, which one
// model for all hosts is learnt from.
type gateway struct {
	*exec.Cmd
	t     *testing.T
	state string
	log   string // file
	hosts []*sim.Stream
	in    *io.PipeWriter
	meter *tap.Tap
	done  chan error
	peak  atomic.Int64 // most resident memory so far, bytes
}

// lean is a host of three lines: what feeds the features, and nothing else.
func lean(host sim.Host) sim.Format {
	received := 0.0
	return func(dst []byte, row sim.Row) []byte {
		received += row.Network * beat.Seconds()
		at := row.Time.UnixNano()
		dst = fmt.Appendf(dst, "cpu,cpu=cpu-total,host=%s usage_idle=%.4f %d\n", host.Name, 100-row.CPU, at)
		dst = fmt.Appendf(dst, "mem,host=%s used_percent=%.4f %d\n", host.Name, row.Memory, at)
		return fmt.Appendf(dst, "net,host=%s,interface=eth0 bytes_recv=%.0fi,bytes_sent=0i %d\n", host.Name, received, at)
	}
}

func openGateway(t *testing.T, n int) *gateway {
	t.Helper()
	dir := t.TempDir()
	g := &gateway{t: t, state: filepath.Join(dir, "state"), log: filepath.Join(dir, "log"), meter: tap.New("net"), done: make(chan error, 2)}
	for _, host := range sim.Fleet(seed, n) {
		generator, err := sim.New(seed, sim.Config{Host: host, Start: birth, Interval: beat})
		require.NoError(t, err)
		g.hosts = append(g.hosts, &sim.Stream{Generator: generator, Format: lean(host)})
	}
	config := write(t, filepath.Join(dir, "anomaly.conf"), fmt.Sprintf("[[processors.anomaly]]\nscope = \"shared\"\nretrain_share = 1.0\nstate = %q\n", g.state))
	g.Cmd = exec.Command(testbed.Anomaly.Path(need(t)), "-config", config)
	stdin, err := g.StdinPipe()
	require.NoError(t, err)
	stdout, err := g.StdoutPipe()
	require.NoError(t, err)
	log, err := os.Create(g.log)
	require.NoError(t, err)
	defer log.Close()
	g.Stderr = log
	require.NoError(t, g.Start())
	reader, writer := io.Pipe()
	g.in = writer
	go func() {
		g.done <- g.meter.Enter(stdin, reader)
		stdin.Close()
	}()
	go func() { g.done <- g.meter.Leave(io.Discard, stdout) }()
	go g.watch()
	return g
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watch reads the memory until the program has ended.
func (g *gateway) watch() {
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.Pid))
		m := highWater.FindSubmatch(status)
		if err != nil || m == nil {
			return
		}
		kB, _ := strconv.ParseInt(string(m[1]), 10, 64)
		g.peak.Store(1024 * kB)
		time.Sleep(10 * time.Millisecond)
	}
}

// wished and decided count, in the log, the fits that were asked for by a file, and
// all that have ended.
func (g *gateway) wished() int { return strings.Count(read(g.t, g.log), "fitting again, as the file") }
func (g *gateway) decided() int {
	return len(regexp.MustCompile(`(promote|refuse) of "all groups": `).FindAllString(read(g.t, g.log), -1))
}

// learn feeds intervals as fast as they are taken, until every host is known and
// there is a model.
func (g *gateway) learn() {
	const warm, known, more = 30, 30, 5
	for range warm + known + more {
		require.NoError(g.t, sim.Write(g.in, 1, g.hosts...))
	}
	require.NoError(g.t, testbed.Until(deadline(g.t, time.Minute), "a model", func() bool {
		require.NoError(g.t, sim.Write(g.in, 1, g.hosts...)) // with the next vector it serves
		return g.decided() > 0
	}))
}

// pace goes on at the hosts' own pace, each every ten seconds, one after the
// other, until stop is closed.
func (g *gateway) pace(stop <-chan struct{}) {
	var text bytes.Buffer
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, sent := time.Now(), 0
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			for due := int(now.Sub(began).Seconds() / beat.Seconds() * float64(len(g.hosts))); sent < due; sent++ {
				require.NoError(g.t, sim.Write(&text, 1, g.hosts[sent%len(g.hosts)]))
			}
			_, err := g.in.Write(text.Bytes())
			require.NoError(g.t, err)
			text.Reset()
		}
	}
}

// retrain has a model fitted and lets lines be measured meanwhile.
func (g *gateway) retrain() {
	wished := g.wished()
	write(g.t, filepath.Join(g.state, "retrain"), "")
	require.NoError(g.t, testbed.Until(deadline(g.t, time.Minute), "a fit", func() bool { return g.wished() > wished }))
	g.meter.Pause(false)
	decided := g.decided()
	require.NoError(g.t, testbed.Until(deadline(g.t, time.Minute), "its end", func() bool { return g.decided() > decided }))
	g.meter.Pause(true)
}

// TestThroughputOfAFleet measures one process with all the hosts of a gateway, one
// model for them and its learning: memory, and how long lines are kept while a
// model is fitted. `make throughput` takes 10,000 hosts and prints the figures.
func TestThroughputOfAFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("measuring takes a minute")
	}
	const wanted = 10_000
	n, fits := 2000, 1
	if full {
		n, fits = wanted, 5
	}
	g := openGateway(t, n)
	g.learn()
	stop := make(chan struct{})
	paced := make(chan struct{})
	go func() { g.pace(stop); close(paced) }()
	time.Sleep(time.Second)
	// From here on this process must not take the processor away from the program.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	g.meter.Reset()
	time.Sleep(4 * time.Second)
	calm := g.meter.Report()
	g.meter.Pause(true)
	g.meter.Reset()
	for range fits {
		g.retrain()
	}
	busy := g.meter.Report()
	close(stop)
	<-paced
	require.NoError(t, g.in.Close())
	require.NoError(t, <-g.done)
	require.NoError(t, <-g.done)
	require.NoError(t, g.Wait())

	memory := float64(g.peak.Load())
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nWHAT\tFIGURE\tWANTED\n")
	fmt.Fprintf(table, "most memory with %d hosts, learning included\t%.0f MB\tat most 256 MB with %d hosts\n", n, memory/1e6, wanted)
	fmt.Fprintf(table, "a line is kept\tp50 %.2f ms, p99 %.2f ms, longest %.1f ms\t\n", calm.P50, calm.P99, calm.Max)
	fmt.Fprintf(table, "while a model is fitted\tp50 %.2f ms, p99 %.2f ms, longest %.1f ms\tp99 at most 5 ms\n", busy.P50, busy.P99, busy.Max)
	table.Flush()
	require.Positive(t, busy.Out)
	require.LessOrEqual(t, memory, 32e6+224e6*float64(n)/wanted)
	if full {
		require.LessOrEqual(t, busy.P99, 5.0)
		return
	}
	// A machine that has other work keeps the one or other line waiting. Lines that
	// waited for the fit would all do so.
	require.LessOrEqual(t, busy.P50, 50+calm.P99)
}
