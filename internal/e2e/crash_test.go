package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
)

// pace is the time between the intervals of a host that a test plays.
const pace = 50 * time.Millisecond

// play writes intervals of a host into the pipeline.
func (p *pipeline) play(host *sim.Stream, intervals int) {
	p.t.Helper()
	for range intervals {
		require.NoError(p.t, sim.Write(p, 1, host))
		time.Sleep(pace)
	}
}

// holdBack writes the beginning of an interval, which the processor keeps for the
// rest to come, and returns when all that was written before has come out.
func (p *pipeline) holdBack(at time.Time) {
	p.t.Helper()
	marker := fmt.Sprintf("disk,host=host0001,path=/marker used_percent=1 %d\n", at.UnixNano())
	_, err := fmt.Fprintf(p, "mem,host=host0001 used_percent=50 %d\n%s", at.UnixNano(), marker)
	require.NoError(p.t, err)
	p.wait("the lines before", func() bool {
		return bytes.Contains(p.text(), []byte("/marker")) && bytes.Contains(p.text(), fmt.Appendf(nil, " %d\n", at.UnixNano())) &&
			p.out().lines >= p.in.lines-1
	})
	require.Equal(p.t, p.in.lines-1, p.out().lines, "one line is to be held back")
}

// patient keeps what is held back until the end.
const patient = `  max_hold = "1h"`

func TestKilledProcessorIsBackAndScores(t *testing.T) {
	t.Parallel()
	const hold = 500 * time.Millisecond
	p := openPipeline(t, serving(t, `  max_hold = "500ms"`), true, "")
	host := hosts(t, 1, birth.Add(trainingTime))[0]
	p.play(host, 40)
	p.wait("scored lines", func() bool { return p.out().scored > 20 })

	killed := time.Now()
	require.NoError(t, syscall.Kill(p.children()[0], syscall.SIGKILL))
	for len(p.children()) < 2 {
		p.play(host, 1)
		require.Less(t, time.Since(killed), 10*time.Second, "Telegraf does not restart the processor")
	}
	back := time.Now()
	for before := p.out().scored; p.out().scored <= before; {
		p.play(host, 1)
		require.Less(t, time.Since(back), 2*time.Second, "the new process does not score")
	}
	p.play(host, 20)
	p.end()
	require.NoError(t, p.Stop())

	arrived := map[string]bool{}
	_, _ = (&lineWriter{add: func(line []byte) {
		series, stamp := identity(line)
		arrived[string(series)+" "+string(stamp)] = true
	}}).Write(p.text())
	lost := 0
	for line, sent := range p.sent {
		if arrived[line] {
			continue
		}
		lost++
		require.True(t, sent.After(killed.Add(-hold-pace)) && sent.Before(back.Add(time.Second)), "%s was sent %v after the kill", line, sent.Sub(killed))
		require.False(t, strings.HasPrefix(line, "disk") || strings.HasPrefix(line, "system"), "%s does not go through the processor", line)
	}
	t.Logf("back %v after the kill, of it 1 s is restart_delay; %d of %d lines lost, all while it was away", back.Sub(killed).Round(time.Millisecond), lost, len(p.sent))
}

func TestReloadLosesNothing(t *testing.T) {
	t.Parallel()
	p := openPipeline(t, serving(t, patient), true, "")
	start := birth.Add(trainingTime)
	for round := range sized(5, 1) {
		host := hosts(t, 1, start)[0]
		p.play(host, 5)
		start = start.Add(24 * time.Hour)
		p.holdBack(start)
		p.end()

		require.NoError(t, p.Signal(syscall.SIGHUP))
		p.wait("a new processor", func() bool { return len(p.children()) == round+2 })
		p.begin()
		start = start.Add(24 * time.Hour)
	}
	p.play(hosts(t, 1, start)[0], 5)
	p.end()
	before := p.out().scored
	require.NoError(t, p.Stop())
	requireAllOf(t, p.in, p.out())
	require.Positive(t, before, "scored lines")
}

// Ctrl-C reaches the processor as well as Telegraf. It must not leave before it
// has handed back what it holds.
func TestInterruptOfTheGroupLosesNothing(t *testing.T) {
	t.Parallel()
	p := openPipeline(t, serving(t, patient), true, "")
	p.play(hosts(t, 1, birth.Add(trainingTime))[0], 5)
	p.holdBack(birth.Add(2 * trainingTime))
	p.end()
	require.NoError(t, p.Interrupt())
	require.NoError(t, p.Wait())
	requireAllOf(t, p.in, p.out())
}

// With an aggregator Telegraf runs its processors a second time, in processes of
// their own, unless it is told not to.
func TestAggregator(t *testing.T) {
	const aggregator = `
[[aggregators.basicstats]]
  namepass = ["mem"]
  period = "300ms"
  drop_original = false
  stats = ["mean"]
`
	for _, test := range []struct {
		name      string
		skip      bool
		processes int
	}{
		{"skipped", true, 1},
		{"twice", false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			config := write(t, state+"/anomaly.conf", fmt.Sprintf("[[processors.anomaly]]\nstate = %q\nmin_samples = 20\nwindow = \"1s\"\ninterval = %q\n", state, pace))
			p := openPipeline(t, config, test.skip, aggregator)
			host := hostsEvery(t, pace, 1, time.Now().Truncate(pace))[0] // aggregators drop what is old
			for p.out().scored < 20 {
				p.play(host, 5)
			}
			p.end()
			require.NoError(t, p.Stop())

			require.Len(t, p.children(), test.processes)
			out, aggregates := newTally(), 0
			_, _ = (&lineWriter{add: func(line []byte) {
				require.LessOrEqual(t, bytes.Count(line, []byte("anomaly_score=")), 1)
				if bytes.Contains(line, []byte("_mean=")) {
					aggregates++
				} else {
					out.addIdentity(line)
				}
			}}).Write(p.text())
			require.Positive(t, aggregates)
			requireAllOf(t, p.in, out)
		})
	}
}
