package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/stdio"
)

// learned is a model that the program has made of host a, with these keys in its
// configuration.
func learned(t *testing.T, keys string) *model.Bundle {
	t.Helper()
	state := t.TempDir()
	config := writeFile(t, "anomaly.conf", block(fmt.Sprintf("state = %q\nmin_samples = 200\n%s", state, keys)))
	r := execute(intervals(300), "-test", "-", "-config", config)
	require.Zero(t, r.code, r.stderr)
	b, err := model.Load(filepath.Join(state, "models", "a"))
	require.NoError(t, err)
	return b
}

// nervous is b with a threshold that every vector exceeds.
func nervous(b *model.Bundle) *model.Bundle {
	c, d := *b, *b.Detector
	d.Threshold = 0.1
	c.Detector = &d
	return &c
}

// collected is what a program writes, to be looked at while it runs.
type collected struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *collected) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *collected) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// waitFor returns once a text was written.
func (c *collected) waitFor(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(c.String(), text) }, time.Minute, 5*time.Millisecond, text)
}

var (
	modelOf   = regexp.MustCompile(`,model="(\w+)"`)
	added     = regexp.MustCompile(`,anomaly_score=[^ ]*`)
	own       = regexp.MustCompile(`^(ai_predictions|verdicts|again|anomaly_\w+),`)
	transient = regexp.MustCompile(`,(latency_ms=[^, ]+|challenger_\w+=[^, ]+|episode="\w+",episode_start=\d+i)|; (normal again|no change)[^"]*`)
)

// verdicts are the scored points of ai_predictions by their time, without what
// does not come of the model, or comes only as time allows.
func verdicts(out string) map[string]string {
	points := map[string]string{}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ai_predictions,") && modelOf.MatchString(line) {
			points[timeOf(line)] = transient.ReplaceAllString(line, "")
		}
	}
	return points
}

func timeOf(line string) string { return line[strings.LastIndexByte(line, ' ')+1:] }

// feed writes intervals of host a, as fast as they are taken, until stop is closed,
// and returns how many that were.
func feed(w io.WriteCloser, stop <-chan struct{}) (n int) {
	defer w.Close()
	for {
		select {
		case <-stop:
			return n
		default:
		}
		if _, err := io.WriteString(w, interval(n)); err != nil {
			return n
		}
		n++
	}
}

// serving is the block for a store. An interval may take its time: the machine may
// have other work.
func serving(folder string) string {
	return block(fmt.Sprintf("model = %q\nmax_hold = \"10m\"", folder))
}

// Two swaps, one rollback and one refused model while lines come as fast as they
// can: every line comes out, once and in order, and every verdict, with its
// threshold and its explanation, is wholly that of the model that it names.
func TestModelsChangeUnderLoad(t *testing.T) {
	first, second := learned(t, "seed = 1"), learned(t, "seed = 2")
	third, foreign := nervous(learned(t, "seed = 3")), learned(t, "window = \"5m\"")
	folder := filepath.Join(t.TempDir(), "model")
	store, err := model.OpenStore(folder)
	require.NoError(t, err)
	publish := func(b *model.Bundle) {
		name, err := store.Save(b, time.Now())
		require.NoError(t, err)
		require.NoError(t, store.Promote(name))
	}
	publish(first)

	var out, log collected
	in, lines := io.Pipe()
	logger := stdio.NewLogger(&log)
	s := newSession(in, &out, logger)
	s.Every(10*time.Millisecond, s.poll)
	s.start(writeFile(t, "anomaly.conf", serving(folder)))
	ended, fed, stop := make(chan error), make(chan int), make(chan struct{})
	go func() { ended <- s.Run(nil) }()
	go func() { fed <- feed(lines, stop) }()

	out.waitFor(t, `model="`+first.ID()+`"`)
	publish(second)
	out.waitFor(t, `model="`+second.ID()+`"`)
	publish(third)
	out.waitFor(t, `decision="rollback",why="to model `+second.ID())
	publish(foreign)
	log.waitFor(t, "W! the new model does not serve, the old one goes on: ")
	close(stop)
	input := intervals(<-fed)
	require.NoError(t, <-ended)
	s.Close()
	logger.Close()

	require.Equal(t, []string{first.ID(), second.ID(), third.ID(), second.ID()}, inOrder(out.String()))
	requireSameLines(t, input, out.String())
	requireOneModelEach(t, input, out.String(), first, second, third)
	require.Empty(t, s.Counts().Panics)
}

// inOrder are the models that gave verdicts, each time that it was another one.
func inOrder(out string) (models []string) {
	for _, m := range modelOf.FindAllStringSubmatch(out, -1) {
		if len(models) == 0 || models[len(models)-1] != m[1] {
			models = append(models, m[1])
		}
	}
	return models
}

// requireSameLines fails unless out is input, in the same order, but for what was
// added. One host's three lines of an interval always come out together.
func requireSameLines(t *testing.T, input, out string) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !own.MatchString(line) {
			b.WriteString(added.ReplaceAllString(line, ""))
		}
	}
	require.Equal(t, strings.Count(input, "\n"), strings.Count(b.String(), "\n"), "lines")
	require.True(t, input == b.String(), "lines were changed")
}

// requireOneModelEach fails unless each verdict in out, and what was added to the
// lines that it is about, is what the model that it names says when it is alone.
func requireOneModelEach(t *testing.T, input, out string, models ...*model.Bundle) {
	t.Helper()
	alone := map[string]map[string]string{}
	for _, b := range models {
		folder := t.TempDir()
		store, err := model.OpenStore(folder)
		require.NoError(t, err)
		name, err := store.Save(b, time.Now())
		require.NoError(t, err)
		require.NoError(t, store.Promote(name))
		r := execute(input, "-config", writeFile(t, "anomaly.conf", serving(folder)))
		require.Zero(t, r.code)
		alone[b.ID()] = verdicts(r.out)
	}
	said := verdicts(out)
	require.NotEmpty(t, said)
	for at, verdict := range said {
		id := modelOf.FindStringSubmatch(verdict)[1]
		require.Equal(t, alone[id][at], verdict)
	}
	for line := range strings.Lines(out) {
		if annotation := added.FindString(line); annotation != "" && !strings.HasPrefix(line, "ai_predictions,") {
			require.Contains(t, said[timeOf(line)], annotation[1:])
		}
	}
}
