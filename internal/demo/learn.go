package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"telegraf-anomaly/internal/testbed"
)

// learn lets the processor read the hosts' past, which fills its state directory
// with models, and stores what it said.
func (s *Stack) learn(ctx context.Context) error {
	pairs := []string{"/var/lib/telegraf/anomaly", s.path("state")}
	if s.options.Shared { // what a gateway would have: the defaults, but for how soon
		pairs = append(pairs, "min_samples = 1440", "min_samples = 10000\n  scope = \"shared\"", "  alarms_per_week = 0.0\n  alarm = \"2 of 3\"\n", "")
	}
	if err := s.relocate("anomaly.conf", pairs...); err != nil {
		return err
	}
	if s.options.Center.Past == 0 {
		return nil
	}
	began := time.Now()
	history, err := s.history()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, testbed.Anomaly.Path(s.options.Root), "-config", s.path("anomaly.conf"), "-test", history)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	lines, stored := 0, error(nil)
	for past := bufio.NewScanner(out); ; {
		batch, n := next(past)
		if n == 0 {
			break
		}
		if lines += n; stored == nil {
			stored = s.write(ctx, bytes.NewReader(batch))
		}
	}
	if err := errors.Join(command.Wait(), stored); err != nil {
		return fmt.Errorf("demo: learning from the past: %w\n%s", err, said.Bytes())
	}
	s.options.Say("learned from %v of metrics in %.1f s: a model per host, %d points stored", s.options.Center.Past, time.Since(began).Seconds(), lines)
	return nil
}

// history writes the past into a file.
func (s *Stack) history() (name string, err error) {
	name = s.path("history.influx")
	f, err := os.Create(filepath.Clean(name))
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	return name, errors.Join(s.Center.History(w, s.learnedUntil()), w.Flush(), f.Close())
}

// learnedUntil is the moment that this run takes for now.
func (s *Stack) learnedUntil() time.Time { return s.began }

const batchLines = 5000

// next collects lines as `telegraf-anomaly -test` prints them, without the "> "
// in front. The program's own metrics stay out: they speak of a run that is over.
func next(past *bufio.Scanner) (batch []byte, n int) {
	for n < batchLines && past.Scan() {
		line := bytes.TrimPrefix(past.Bytes(), []byte("> "))
		if bytes.HasPrefix(line, []byte("anomaly_processor")) {
			continue
		}
		batch = append(append(batch, line...), '\n')
		n++
	}
	return batch, n
}
