package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

const onceConfig = `
[agent]
  metric_buffer_limit = 1000000
  metric_batch_size = 10000
  omit_hostname = true
  skip_processors_after_aggregators = true

[[inputs.file]]
  files = [%[1]q]
  data_format = "influx"

[[processors.execd]]
  namepass = ["cpu", "mem", "net"]
  command = [%[2]q, "-config", %[3]q]
  restart_delay = "100ms"

[[outputs.file]]
  files = [%[4]q]
  data_format = "influx"
`

// once sends a file through a Telegraf that ends by itself, and returns what it
// wrote and logged.
func once(t *testing.T, input, anomaly string) (out *tally, log string) {
	t.Helper()
	root, dir := need(t, testbed.Telegraf), t.TempDir()
	result := filepath.Join(dir, "out")
	text := fmt.Sprintf(onceConfig, input, testbed.Anomaly.Path(root), anomaly, result)
	config := write(t, filepath.Join(dir, "telegraf.conf"), text)
	said, err := exec.Command(testbed.Telegraf.Path(root), "--config", config, "--once").CombinedOutput()
	require.NoError(t, err, string(said))
	out = newTally()
	_, _ = (&lineWriter{add: out.addIdentity}).Write([]byte(read(t, result)))
	return out, string(said)
}

// recording is a file of some intervals of a host, and its ledger.
func recording(t *testing.T, intervals int) (file string, in *ledger) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, sim.Write(&text, intervals, hosts(t, 1, birth.Add(trainingTime))...))
	in = newLedger()
	_, _ = (&lineWriter{add: func(line []byte) { in.add(identity(line)) }}).Write(text.Bytes())
	return write(t, filepath.Join(t.TempDir(), "in.influx"), text.String()), in
}

// Telegraf closes the processor's stdin and reads what still comes out of it until
// it exits: what sits in the pipe at that moment would be lost.
func TestNothingIsLostWhenTelegrafEnds(t *testing.T) {
	t.Parallel()
	config := serving(t, "")
	input, in := recording(t, 1500)
	runs := sized(50, 3)
	for range runs {
		out, log := once(t, input, config)
		requireAllOf(t, in, out)
		require.Greater(t, out.scored, in.lines/5, log)
	}
	t.Logf("%d runs of telegraf --once with %d lines each: 0 lost", runs, in.lines)
}
