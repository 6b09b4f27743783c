package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/stdio"
	"telegraf-anomaly/plugins/processors/anomaly"
)

const soakInterval = 10 * time.Second

// A day of a gateway, on the clock of the test: everything that the program does
// by the minute happens, and takes no time. Its life is as eventful as can be:
// models are changed, the world changes twice, and once everything goes wrong on
// all hosts. Memory, goroutines and descriptors end where they were.
//
// `make soak` sets SOAK=full for more hosts.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, test := range []struct {
		scope       string
		hosts, full int
	}{{anomaly.ScopeShared, 10, 200}, {anomaly.ScopeGroup, 4, 12}} {
		t.Run(test.scope, func(t *testing.T) {
			began := time.Now()
			if os.Getenv("SOAK") == "full" {
				test.hosts = test.full
			}
			synctest.Test(t, func(t *testing.T) {
				s := newSoak(t, test.scope, test.hosts)
				for range 24 {
					s.hour()
				}
				s.end()
				s.print(os.Stdout)
				s.judge()
			})
			t.Logf("%d hosts, scope %s, took %v", test.hosts, test.scope, time.Since(began).Round(time.Second))
		})
	}
}

// A soak is the program between a fleet and a count.
type soak struct {
	*session
	t     *testing.T
	hosts []*sim.Stream
	in    *io.PipeWriter
	done  chan error
	sent  tallied
	out   tallied
	log   bytes.Buffer
	hours []usage
}

// usage is what the program holds.
type usage struct {
	heap                float64 // bytes, when all garbage is gone
	goroutines, opened  int
	promotions, anomaly uint64
}

func newSoak(t *testing.T, scope string, hosts int) *soak {
	dir := t.TempDir()
	config := filepath.Join(dir, "anomaly.conf")
	keys := fmt.Sprintf("scope = %q\nstate = %q\ninterval = %q\nretrain = \"4h\"\naccept_after = \"2h\"\nmin_samples = 360\n", scope, filepath.Join(dir, "state"), soakInterval)
	require.NoError(t, os.WriteFile(config, []byte(block(keys)), 0o600))
	in, w := io.Pipe()
	s := &soak{t: t, in: w, done: make(chan error, 1)}
	s.session = newSession(in, &s.out, stdio.NewLogger(&s.log))
	s.Every(time.Minute, s.report)
	s.Every(savePeriod, s.save)
	s.Every(pollPeriod, s.poll)
	s.start(config)
	s.hosts = eventfulFleet(t, hosts, time.Now())
	go func() { s.done <- s.Run(nil) }()
	return s
}

// eventfulFleet are hosts on which the world changes after 8 and after 16 hours;
// in between all have the same incident at once.
func eventfulFleet(t *testing.T, n int, start time.Time) (streams []*sim.Stream) {
	for _, host := range sim.Fleet(1, n) {
		g, err := sim.New(1, sim.Config{Host: host, Start: start, Interval: soakInterval, Events: []sim.Event{
			{Kind: sim.Deploy, Start: start.Add(8 * time.Hour)},
			{Kind: sim.CorrBurst, Start: start.Add(12 * time.Hour), Size: 4},
			{Kind: sim.Deploy, Start: start.Add(16 * time.Hour), Size: -1},
		}})
		require.NoError(t, err)
		streams = append(streams, &sim.Stream{Generator: g, Format: threeLines(host.Name)})
	}
	return streams
}

// threeLines is what of Telegraf's stock inputs makes the default features.
func threeLines(host string) sim.Format {
	received := 0.0
	return func(dst []byte, row sim.Row) []byte {
		received += row.Network * soakInterval.Seconds()
		at := row.Time.UnixNano()
		dst = fmt.Appendf(dst, "cpu,cpu=cpu-total,host=%s usage_idle=%.4f %d\n", host, 100-row.CPU, at)
		dst = fmt.Appendf(dst, "mem,host=%s used_percent=%.4f %d\n", host, row.Memory, at)
		return fmt.Appendf(dst, "net,host=%s,interface=eth0 bytes_recv=%di,bytes_sent=0i %d\n", host, int64(received), at)
	}
}

// hour lets an hour pass.
func (s *soak) hour() {
	for range time.Hour / soakInterval {
		require.NoError(s.t, sim.Write(io.MultiWriter(&s.sent, s.in), 1, s.hosts...))
		time.Sleep(soakInterval)
	}
	synctest.Wait()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := usage{heap: float64(m.HeapAlloc), goroutines: runtime.NumGoroutine(), opened: openFiles()}
	counted := make(chan struct{})
	require.True(s.t, s.Call(func() {
		u.promotions, u.anomaly = s.Engine().Counts.Promotions, s.Engine().Counts.Anomalies
		close(counted)
	}))
	<-counted
	s.hours = append(s.hours, u)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not on Linux
	}
	return len(entries)
}

func (s *soak) end() {
	require.NoError(s.t, s.in.Close())
	require.NoError(s.t, <-s.done)
	s.Close()
	s.session.log.Close()
}

// tallied counts lines.
type tallied struct{ lines, scored, own int }

func (c *tallied) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		switch {
		case bytes.HasPrefix(line, []byte("ai_")), bytes.HasPrefix(line, []byte("anomaly_")):
			c.own++
		case bytes.Contains(line, []byte(",anomaly_score=")):
			c.scored++
			fallthrough
		default:
			c.lines++
		}
	}
	return len(p), nil
}

// slope is the growth of the heap in bytes per day, by least squares over the
// hours from the given one on.
func (s *soak) slope(from int) float64 {
	var n, sx, sy, sxx, sxy float64
	for hour := from; hour < len(s.hours); hour++ {
		x, y := float64(hour)/24, s.hours[hour].heap
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// warm is the hour from which on nothing is to grow any more: then every sample of
// every host is full.
const warm = 8

func (s *soak) judge() {
	require.Equal(s.t, s.sent.lines, s.out.lines, "lines in and out")
	require.Greater(s.t, s.out.scored, s.out.lines/2)
	require.LessOrEqual(s.t, s.slope(warm), float64(1<<20), "bytes per day")
	first, last := s.hours[warm], s.hours[len(s.hours)-1]
	require.LessOrEqual(s.t, last.goroutines, first.goroutines)
	require.LessOrEqual(s.t, last.opened, first.opened)
	require.GreaterOrEqual(s.t, last.promotions, uint64(3), "models were changed")
}

func (s *soak) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HOUR\tHEAP\tGOROUTINES\tDESCRIPTORS\tPROMOTIONS\tANOMALIES")
	for i, u := range s.hours {
		fmt.Fprintf(table, "%d\t%.2f MB\t%d\t%d\t%d\t%d\n", i+1, u.heap/1e6, u.goroutines, u.opened, u.promotions, u.anomaly)
	}
	table.Flush()
	fmt.Fprintf(w, "%d hosts, %d lines in, %d out, %d scored; heap slope %.3f MiB/day from hour %d on\n",
		len(s.hosts), s.sent.lines, s.out.lines, s.out.scored, s.slope(warm)/(1<<20), warm)
}
