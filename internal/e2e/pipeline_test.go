package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// A pipeline is a real Telegraf between two files: what a test writes into it
// goes through the processor and can be read on the other side.
type pipeline struct {
	*testbed.Process
	t    *testing.T
	dir  string
	fifo *os.File
	in   *ledger
	sent map[string]time.Time // by identity
}

// The child tells its process id, for tests that kill it. Telegraf itself turns two
// dollar signs into one.
const pipelineConfig = `
[agent]
  interval = "100ms"
  flush_interval = "100ms"
  flush_jitter = "0s"
  metric_buffer_limit = 1000000
  metric_batch_size = 1000
  omit_hostname = true
  skip_processors_after_aggregators = %[4]t

[[inputs.execd]]
  command = ["cat", "%[1]s/fifo"]
  data_format = "influx"
  restart_delay = "1h"

[[processors.execd]]
  namepass = ["cpu", "mem", "net"]
  command = ["/bin/sh", "-c", "echo $$$$ >> %[1]s/pids; exec %[2]s -config %[3]s"]
  restart_delay = "1s"

[[outputs.file]]
  files = ["%[1]s/out"]
  data_format = "influx"
`

// openPipeline starts Telegraf with the processor configured by the file anomaly.
// more is added to Telegraf's configuration.
func openPipeline(t *testing.T, anomaly string, skipAfterAggregators bool, more string) *pipeline {
	t.Helper()
	root, dir := need(t, testbed.Telegraf), t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	text := fmt.Sprintf(pipelineConfig, dir, testbed.Anomaly.Path(root), anomaly, skipAfterAggregators) + more
	telegraf, err := testbed.StartTelegraf(root, write(t, filepath.Join(dir, "telegraf.conf"), text))
	require.NoError(t, err)
	p := &pipeline{Process: telegraf, t: t, dir: dir, in: newLedger(), sent: map[string]time.Time{}}
	t.Cleanup(func() {
		p.end()
		_ = telegraf.Stop()
		if t.Failed() {
			t.Logf("Telegraf's log:\n%s", telegraf.Log())
		}
	})
	p.begin()
	p.wait("the processor to start", func() bool { return len(p.children()) > 0 })
	return p
}

// Write feeds lines into Telegraf.
func (p *pipeline) Write(text []byte) (int, error) {
	lines := &lineWriter{add: func(line []byte) {
		series, stamp := identity(line)
		p.in.add(series, stamp)
		p.sent[string(series)+" "+string(stamp)] = time.Now()
	}}
	_, _ = lines.Write(text)
	return p.fifo.Write(text)
}

// begin opens the input, end closes it.
func (p *pipeline) begin() {
	p.t.Helper()
	var err error
	p.fifo, err = os.OpenFile(filepath.Join(p.dir, "fifo"), os.O_RDWR, 0) // does not wait for the reader
	require.NoError(p.t, err)
}

func (p *pipeline) end() { p.fifo.Close() }

func (p *pipeline) wait(what string, condition func() bool) {
	p.t.Helper()
	require.NoError(p.t, testbed.Until(deadline(p.t, 30*time.Second), what, condition))
}

// children are the process ids that the processor has had so far.
func (p *pipeline) children() (pids []int) {
	text, _ := os.ReadFile(filepath.Join(p.dir, "pids"))
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		require.NoError(p.t, err)
		pids = append(pids, pid)
	}
	return pids
}

// text is what came out so far, whole lines only.
func (p *pipeline) text() []byte {
	text, _ := os.ReadFile(filepath.Join(p.dir, "out"))
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

// out is what came out so far.
func (p *pipeline) out() *tally {
	c := newTally()
	_, _ = (&lineWriter{add: c.addIdentity}).Write(p.text())
	return c
}

// identity is a line's series and its time. Telegraf writes fields in random
// order, and numbers in its own way.
func identity(line []byte) (series, stamp []byte) {
	return seriesOf(line), line[bytes.LastIndexByte(line, ' ')+1:]
}

// addIdentity is tally.add for lines that Telegraf has written.
func (c *tally) addIdentity(line []byte) {
	if own(line) {
		c.add(line)
		return
	}
	if bytes.Contains(line, []byte("anomaly_score=")) {
		c.scored++
	}
	c.ledger.add(identity(line))
}
