package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// A session is the program between two pipes.
type session struct {
	*exec.Cmd
	t     *testing.T
	stdin io.WriteCloser

	mu     sync.Mutex
	out    bytes.Buffer
	copied chan error
}

// Write takes what the program writes.
func (s *session) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func openSession(t *testing.T, config string) *session {
	t.Helper()
	s := &session{Cmd: exec.Command(testbed.Anomaly.Path(need(t)), "-config", config), t: t, copied: make(chan error, 1)}
	var err error
	s.stdin, err = s.StdinPipe()
	require.NoError(t, err)
	stdout, err := s.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start())
	go func() {
		_, err := io.Copy(s, stdout)
		s.copied <- err
	}()
	return s
}

func (s *session) feed(text string) {
	s.t.Helper()
	_, err := io.WriteString(s.stdin, text)
	require.NoError(s.t, err)
}

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// wait returns once the program has written this.
func (s *session) wait(text string) {
	s.t.Helper()
	require.NoError(s.t, testbed.Until(deadline(s.t, 30*time.Second), text, func() bool {
		return bytes.Contains([]byte(s.text()), []byte(text))
	}))
}

// end closes the input and returns what the program said of each vector.
func (s *session) end() []prediction {
	s.t.Helper()
	require.NoError(s.t, s.stdin.Close())
	require.NoError(s.t, <-s.copied)
	require.NoError(s.t, s.Wait())
	return s.predictions()
}

func (s *session) predictions() []prediction {
	out := newTally()
	_, _ = (&lineWriter{add: out.add}).Write([]byte(s.text()))
	return out.predictions
}

// The host of these tests reports every ten seconds. Two hours of that, behind the
// first five minutes, make its first model; the next look for drift, or fit, comes
// an hour later. All in minutes.
const (
	beat      = 10 * time.Second
	perMinute = int(time.Minute / beat)
	enough    = 126 // for the first model
	learnt    = 130 // by when that serves
	incident  = 172
	finish    = 180
	window    = 15
	slot      = 1 // the window forgets by steps of half a minute
)

func minute(n int) time.Time { return birth.Add(time.Duration(n) * time.Minute) }

// script is the text of the host's intervals.
type script struct{ intervals []string }

func newScript(t *testing.T) (s script) {
	t.Helper()
	host := sim.Fleet(seed, 1)[0]
	spike := sim.Event{Kind: sim.Spike10x, Start: minute(incident), Feature: sim.CPU}
	g, err := sim.New(seed, sim.Config{Host: host, Start: birth, Interval: beat, Events: []sim.Event{spike}})
	require.NoError(t, err)
	stream := &sim.Stream{Generator: g, Format: sim.Telegraf(seed, host)}
	for range finish * perMinute {
		var text bytes.Buffer
		require.NoError(t, sim.Write(&text, 1, stream))
		s.intervals = append(s.intervals, text.String())
	}
	return s
}

// between is the text from a minute up to, not including, another one.
func (s script) between(from, to int) string {
	var b bytes.Buffer
	for _, text := range s.intervals[from*perMinute : to*perMinute] {
		b.WriteString(text)
	}
	return b.String()
}

// keeping is a configuration with this state directory.
func keeping(t *testing.T, state string) (file string) {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "anomaly.conf"), fmt.Sprintf("[[processors.anomaly]]\nstate = %q\nalarms_per_week = 1e6\n", state)) // it alarms on its first day, too
}

// learn feeds a program what it learns its first model from, and leaves its state.
func (s script) learn(t *testing.T) (state string) {
	t.Helper()
	state = t.TempDir()
	p := openSession(t, keeping(t, state))
	p.feed(s.between(0, enough))
	for m := enough; m < learnt; m++ {
		time.Sleep(300 * time.Millisecond) // the model is made meanwhile
		p.feed(s.between(m, m+1))
	}
	p.wait(`decision="promote"`)
	p.end()
	return state
}

// A program that is killed, in the middle of a line, takes up what it had saved.
// From the second window after that on it says what one says that was never
// killed: the same scores, explanations, thresholds, alarms, episodes and reasons.
func TestKilledProgramSaysTheSameFromTheSecondWindowOn(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	state := s.learn(t)
	copied := func() (folder string) {
		folder = t.TempDir()
		require.NoError(t, os.CopyFS(folder, os.DirFS(state)))
		return folder
	}
	whole := openSession(t, keeping(t, copied()))
	whole.feed(s.between(learnt, finish))
	want := whole.end()
	require.NotEmpty(t, anomalies(want), "the incident")

	for _, m := range []int{learnt + 1, learnt + 7, learnt + 15} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			t.Parallel()
			config := keeping(t, copied())
			half := len(s.between(m, m+1)) / 2
			victim := openSession(t, config)
			victim.feed(s.between(learnt, m))
			victim.feed(s.between(m, m+1)[:half])
			victim.wait(fmt.Sprintf(" %d\n", minute(m).Add(-beat).UnixNano()))
			require.NoError(t, victim.Process.Kill())
			require.Error(t, victim.Wait())

			heir := openSession(t, config)
			heir.feed(s.between(m, m+1)[half:])
			heir.feed(s.between(m+1, finish))
			from := minute(m + window + slot)
			got := since(heir.end(), from)
			require.Len(t, got, (finish-m-window-slot)*perMinute)
			require.Equal(t, since(want, from), got)
		})
	}
}

func anomalies(all []prediction) (some []prediction) {
	for _, p := range all {
		if p.anomaly() {
			some = append(some, p)
		}
	}
	return some
}

// since are the predictions from a time on, without how long their points waited.
func since(all []prediction, from time.Time) (some []prediction) {
	for _, p := range all {
		if !p.time.Before(from) {
			delete(p.fields, "latency_ms")
			some = append(some, p)
		}
	}
	return some
}
