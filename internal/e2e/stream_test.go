package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// through pipes what feed writes through the program, and returns what went in and
// what came out.
func through(t *testing.T, config string, feed func(io.Writer) error) (in *ledger, out *tally) {
	t.Helper()
	c := exec.Command(testbed.Anomaly.Path(need(t)), "-config", config)
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	require.NoError(t, c.Start())

	in, out = newLedger(), newTally()
	fed := make(chan error, 1)
	go func() {
		fed <- feed(io.MultiWriter(&lineWriter{add: func(line []byte) { in.add(seriesOf(line), line) }}, stdin))
		stdin.Close()
	}()
	_, err = io.Copy(&lineWriter{add: out.add}, bufio.NewReaderSize(stdout, 1<<20))
	require.NoError(t, err)
	require.NoError(t, <-fed)
	require.NoError(t, c.Wait(), stderr.String())
	return in, out
}

// lineWriter cuts what is written to it into lines.
type lineWriter struct {
	add  func(line []byte)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	done := 0
	for {
		n := bytes.IndexByte(w.rest[done:], '\n')
		if n < 0 {
			break
		}
		w.add(w.rest[done : done+n])
		done += n + 1
	}
	w.rest = append(w.rest[:0], w.rest[done:]...)
	return len(p), nil
}

// curiosities are lines that the stock inputs never write but others do: quotes,
// line ends and escapes in strings, a comment, blanks, garbage, no time stamp.
const curiosities = `docker_log,container\ name=a\,b message="it said \"no, = never\" \\" 1704067200000000000
syslog,appname=x message="two
lines",severity_code=3i 1704067200000000000
# a comment, anomaly_score=1
procstat,pattern=ö cmdline="/usr/bin/x --a=1,b=2",rlimit=18446744073709551615u 1704067200000000000

this is no line protocol at all
mem,host=curious used_percent=NaN 1704067200000000000
mem,host=curious used_percent="much" 1704067200000000000
cpu,cpu=cpu-total,host= usage_idle=5 1704067200000000000
unsorted,z=1,a=2 v=t,w=1e-300,u=-0 1704067200000000000
`

func TestMillionLinesPassUnharmed(t *testing.T) {
	t.Parallel()
	want, fleet := sized(1_000_000, 100_000), hosts(t, 100, birth.Add(trainingTime))
	in, out := through(t, serving(t, ""), func(w io.Writer) error {
		for n := 0; n < want; {
			counted := &lineWriter{add: func([]byte) { n++ }}
			if err := sim.Write(io.MultiWriter(counted, w), 1, fleet...); err != nil {
				return err
			}
			if _, err := io.WriteString(w, curiosities); err != nil {
				return err
			}
		}
		return nil
	})
	requireAllOf(t, in, out)
	require.Greater(t, out.scored, in.lines/5, "scored lines")
	t.Logf("%d lines in and out, 0 lost, 0 changed but for added fields; %d scored, %d vectors", in.lines, out.scored, len(out.predictions))
}

// A line waits for the others of its interval, but never longer than max_hold,
// even if nothing else comes at all.
func TestIncompleteIntervalDoesNotStall(t *testing.T) {
	t.Parallel()
	const hold = 300 * time.Millisecond
	c := exec.Command(testbed.Anomaly.Path(need(t)), "-config", serving(t, `max_hold = "300ms"`))
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() {
		stdin.Close()
		require.NoError(t, c.Wait())
	}()
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	var past bytes.Buffer
	require.NoError(t, sim.Write(&past, 20, hosts(t, 1, birth)...))
	_, err = stdin.Write(past.Bytes())
	require.NoError(t, err)
	for deadline := time.After(5 * time.Second); len(lines) < bytes.Count(past.Bytes(), []byte("\n")); {
		select {
		case <-deadline:
			require.Fail(t, "the complete intervals did not come out")
		case <-time.After(10 * time.Millisecond):
		}
	}
	for len(lines) > 0 {
		<-lines
	}

	sent := time.Now()
	_, err = fmt.Fprintf(stdin, "mem,host=host0001 used_percent=50 %d\n", birth.Add(20*interval).UnixNano())
	require.NoError(t, err)
	select {
	case line := <-lines:
		require.Contains(t, line, "mem,host=host0001 used_percent=50")
		require.GreaterOrEqual(t, time.Since(sent), hold/2, "it was to wait for cpu and net")
	case <-time.After(20 * hold):
		require.Fail(t, "a line waits for ever")
	}
}
