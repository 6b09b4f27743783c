package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"telegraf-anomaly/internal/testbed"
)

const (
	throughput = "a line through Telegraf and one processor, time on the wall"
	sentLines  = 150_000
	added      = "what this project writes, without its work"
)

// telegrafConfig has cat end on a closed stdin only: Telegraf forgets what a
// command that ended by itself wrote last.
const telegrafConfig = `
[agent]
  flush_interval = "50ms"
  metric_buffer_limit = 1000000
  omit_hostname = true
  skip_processors_after_aggregators = true
[[inputs.execd]]
  command = ["sh", "-c", "cat %s; exec cat"]
  data_format = "influx"
  restart_delay = "1h"
[[processors.execd]]
  namepass = ["cpu", "mem", "net"]
  command = [%s]
[[outputs.file]]
  files = ["stdout"]
  data_format = "influx"
`

// throughTelegraf compares processors inside a real Telegraf. Only a throughput
// shows whether Telegraf waits for its processor, so this is time on the wall,
// which other work disturbs; the best of many rounds counts.
func (b *bench) throughTelegraf(root string) error {
	text, err := lines(1, sentLines/17, nil)
	if err != nil {
		return err
	}
	input := filepath.Join(b.dir, "in.influx")
	if err := os.WriteFile(input, text, 0o600); err != nil {
		return err
	}
	missing := testbed.Telegraf.Installed(root)
	shim, noShim := build("shim", b.cache)
	replay, noReplay := b.replay(input, count(text))
	b.add(alternate(throughput, 2*b.rounds,
		contender{us, b.telegraf(root, input, count(text), fmt.Sprintf("%q, \"-config\", %q", b.program, b.config), missing)},
		contender{"cat", b.telegraf(root, input, count(text), `"cat"`, missing)},
		contender{noop, b.telegraf(root, input, count(text), fmt.Sprintf("%q", shim), first(missing, noShim))},
		contender{added, b.telegraf(root, input, count(text), replay, first(missing, noReplay))}))
	return nil
}

// replay returns the command of a program that writes what this project makes of
// the input, and does nothing else.
func (b *bench) replay(input string, lines int) (command string, err error) {
	program, err := build("replay", b.cache)
	if err != nil {
		return "", err
	}
	in, err := os.Open(input)
	if err != nil {
		return "", err
	}
	defer in.Close()
	c := exec.Command(b.program, "-config", b.config)
	c.Stdin = in
	out, err := c.Output()
	if err != nil {
		return "", err
	}
	output := filepath.Join(b.dir, "out.influx")
	return fmt.Sprintf("%q, %q, %q", program, output, fmt.Sprint(lines)), os.WriteFile(output, out, 0o600)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// telegraf measures how long a Telegraf needs for a line of a file.
func (b *bench) telegraf(root, input string, want int, command string, why error) func() (float64, error) {
	return func() (float64, error) {
		if why != nil {
			return 0, why
		}
		config := filepath.Join(b.dir, "telegraf.conf")
		if err := os.WriteFile(config, fmt.Appendf(nil, telegrafConfig, input, command), 0o600); err != nil {
			return 0, err
		}
		c := testbed.TelegrafCommand(root, config)
		return timed(c, testbed.LogOf(config), want)
	}
}

// timed counts what a Telegraf writes until it is as much as went in. Points that
// the processor adds are work, but do not count.
func timed(c *exec.Cmd, log string, want int) (float64, error) {
	out, written, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	c.Stdout = written
	telegraf, err := testbed.Start(c, log)
	written.Close()
	if err != nil {
		return 0, err
	}
	defer time.AfterFunc(2*time.Minute, func() { _ = telegraf.Signal(os.Interrupt) }).Stop()
	watch := stopwatch{want: want, stop: func() { _ = telegraf.Signal(os.Interrupt) }}
	if _, err := io.Copy(&watch, out); err != nil {
		return 0, err
	}
	if err := telegraf.Wait(); err != nil {
		return 0, err
	}
	if watch.lines < want {
		return 0, fmt.Errorf("%d of %d lines came out", watch.lines, want)
	}
	return micros(watch.last.Sub(watch.first)) / float64(want), nil
}

// A stopwatch takes the time from the first line to the last.
type stopwatch struct {
	want, lines int
	first, last time.Time
	stop        func()
	rest        []byte
}

func (w *stopwatch) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			break
		}
		w.rest = rest
		if bytes.HasPrefix(line, []byte("ai_predictions")) || bytes.HasPrefix(line, []byte("anomaly_")) {
			continue
		}
		if w.lines++; w.lines == 1 {
			w.first = time.Now()
		}
		if w.lines == w.want {
			w.last = time.Now()
			w.stop()
		}
	}
	w.rest = append([]byte(nil), w.rest...)
	return len(p), nil
}
