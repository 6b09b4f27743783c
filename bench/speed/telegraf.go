package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"telegraf-anomaly/internal/testbed"
)

const (
	throughput = "a line through Telegraf and one processor, time on the wall"
	sentLines  = 150_000
	added      = "what this project writes, without its work"
)

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
		contender{us, b.telegraf(root, input, fmt.Sprintf("%q, \"-config\", %q", b.program, b.config), missing)},
		contender{"cat", b.telegraf(root, input, `"cat"`, missing)},
		contender{noop, b.telegraf(root, input, fmt.Sprintf("%q", shim), first(missing, noShim))},
		contender{added, b.telegraf(root, input, replay, first(missing, noReplay))}))
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
func (b *bench) telegraf(root, input, command string, why error) func() (float64, error) {
	return func() (float64, error) {
		if why != nil {
			return 0, why
		}
		p, err := testbed.Pass(root, b.dir, input, command)
		return micros(p.Wall) / float64(max(1, p.Lines)), err
	}
}
