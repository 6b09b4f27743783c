package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// A filter is a program between two pipes.
type filter struct {
	who     string
	command []string
	why     error
	lines   int // that are enough for the clock
}

// noop is who does nothing, on the shim that Telegraf offers for that.
const noop = "no-op on Telegraf's shim"

// cost is the processor time per line of a text, what it takes to start and end
// left out.
func (f *filter) cost(text []byte) func() (float64, error) {
	part := head(text, f.lines)
	return func() (float64, error) {
		nothing, err := f.run(nil)
		if err != nil {
			return 0, err
		}
		all, err := f.run(part)
		return micros(all-nothing) / float64(count(part)), err
	}
}

// head returns the first lines of a text.
func head(text []byte, lines int) []byte {
	n := 0
	for line := range bytes.Lines(text) {
		if lines--; lines < 0 {
			break
		}
		n += len(line)
	}
	return text[:n]
}

// run returns what the program takes for a text, which must come out whole.
func (f *filter) run(text []byte) (time.Duration, error) {
	if f.why != nil {
		return 0, f.why
	}
	c := exec.Command(f.command[0], f.command[1:]...)
	c.Stdin = bytes.NewReader(text)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return 0, err
	}
	var lines lineCounter
	_, err = io.Copy(&lines, out)
	if err == nil {
		err = c.Wait()
	}
	if want := count(text); err == nil && int(lines) < want {
		err = fmt.Errorf("%d of %d lines came out: %s", lines, want, lastLine(said.Bytes()))
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), err
}

type lineCounter int

func (n *lineCounter) Write(p []byte) (int, error) {
	*n += lineCounter(count(p))
	return len(p), nil
}

// A mix is a text that some kinds of lines make.
type mix struct {
	what   string
	wanted func(line []byte) bool
}

func starts(prefixes ...string) func(line []byte) bool {
	return func(line []byte) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(string(line), p) {
				return true
			}
		}
		return false
	}
}

// What lines are measured.
const (
	lineOther  = "a line of another measurement"
	lineCore   = "a line of a single core"
	lineMix    = "a line of the stock mix"
	lineScored = "a line that is scored"
)

var mixes = []mix{
	{lineOther, starts("disk,", "system,")},
	{lineCore, starts("cpu,cpu=cpu0", "cpu,cpu=cpu1", "cpu,cpu=cpu2", "cpu,cpu=cpu3", "cpu,cpu=cpu4", "cpu,cpu=cpu5", "cpu,cpu=cpu6", "cpu,cpu=cpu7")},
	{lineMix, nil},
	{lineScored, func(line []byte) bool {
		return starts("cpu,cpu=cpu-total", "mem,", "net,")(line) && !bytes.Contains(line, []byte("interface=lo"))
	}},
}

// filters are everybody who hands lines on, this project first.
func (b *bench) filters() []filter {
	shim, why := build("shim", b.cache)
	return []filter{
		{us, []string{b.program, "-config", b.config}, nil, 400_000},
		{"cat", []string{"cat"}, nil, 400_000},
		{noop, []string{shim}, why, 20_000},
	}
}

// linewise compares them on each kind of line.
func (b *bench) linewise() error {
	filters := b.filters()
	for _, m := range mixes {
		once, err := lines(1, 2000, m.wanted)
		if err != nil {
			return err
		}
		text := once
		if m.what == lineOther || m.what == lineCore { // what is not looked at may come again
			text = bytes.Repeat(once, 1+filters[0].lines/count(once))
		} else if n := 2000 * filters[0].lines / count(once); n > 0 {
			if text, err = lines(1, n, m.wanted); err != nil {
				return err
			}
		}
		var contenders []contender
		for i := range filters {
			contenders = append(contenders, contender{filters[i].who, filters[i].cost(text)})
		}
		b.add(alternate(m.what, b.rounds, contenders...))
	}
	return nil
}
