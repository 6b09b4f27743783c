package testbed

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// passageConfig has cat end on a closed stdin only: Telegraf forgets what a
// command that ended by itself wrote last.
const passageConfig = `
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

// A Passage is what it took a Telegraf to send lines through its processor.
type Passage struct {
	Lines int
	Wall  time.Duration // from the first line's end to the last's
	CPU   time.Duration // of Telegraf and its children
}

// Pass sends the lines of a file through a Telegraf with a processor, whose command
// is in TOML: quoted words with commas between. Files are put into dir. Points that
// the processor adds are work, but do not count. It fails unless every line comes
// out within minutes.
func Pass(root, dir, input, command string) (p Passage, err error) {
	text, err := os.ReadFile(input)
	if err != nil {
		return p, err
	}
	config := filepath.Join(dir, "telegraf.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, passageConfig, input, command), 0o600); err != nil {
		return p, err
	}
	c := TelegrafCommand(root, config)
	out, written, err := os.Pipe()
	if err != nil {
		return p, err
	}
	defer out.Close()
	c.Stdout = written
	telegraf, err := Start(c, LogOf(config))
	written.Close()
	if err != nil {
		return p, err
	}
	stop := func() { _ = telegraf.Signal(os.Interrupt) }
	defer time.AfterFunc(3*time.Minute, stop).Stop()
	watch := stopwatch{want: bytes.Count(text, []byte("\n")), stop: stop}
	if _, err := io.Copy(&watch, out); err != nil {
		return p, err
	}
	if err := telegraf.Wait(); err != nil {
		return p, fmt.Errorf("%w: %s", err, telegraf.Log())
	}
	if watch.lines < watch.want {
		return p, fmt.Errorf("testbed: %d of %d lines came out of Telegraf", watch.lines, watch.want)
	}
	return Passage{Lines: watch.lines, Wall: watch.last.Sub(watch.first), CPU: telegraf.Usage()}, nil
}

// A stopwatch takes the time from the first line to the one that is wanted last.
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
		w.line(line)
	}
	w.rest = append([]byte(nil), w.rest...)
	return len(p), nil
}

func (w *stopwatch) line(line []byte) {
	if bytes.HasPrefix(line, []byte("ai_predictions")) || bytes.HasPrefix(line, []byte("anomaly_")) {
		return
	}
	if w.lines++; w.lines == 1 {
		w.first = time.Now()
	}
	if w.lines == w.want {
		w.last = time.Now()
		w.stop()
	}
}
