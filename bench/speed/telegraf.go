package main

import (
	"fmt"
	"os"
	"path/filepath"

	"telegraf-anomaly/internal/testbed"
)

const (
	throughput = "a line through Telegraf and one processor, time on the wall"
	sentLines  = 450_000 // outputs write every 50 ms, which must not matter
	silent     = "this project, nothing written"
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
	quiet, err := b.quiet()
	if err != nil {
		return err
	}
	missing := testbed.Telegraf.Installed(root)
	shim, noShim := build("shim", b.cache)
	own := func(config string) string { return fmt.Sprintf("%q, \"-config\", %q", b.program, config) }
	b.add(alternate(throughput, 2*b.rounds,
		contender{us, b.telegraf(root, input, own(b.config), missing)},
		contender{"cat", b.telegraf(root, input, `"cat"`, missing)},
		contender{noop, b.telegraf(root, input, fmt.Sprintf("%q", shim), first(missing, noShim))},
		contender{silent, b.telegraf(root, input, own(quiet), missing)}))
	return nil
}

// quiet is a configuration with which all is scored and nothing added: what is left
// between this project and cat is its work, the rest what Telegraf makes of more text.
func (b *bench) quiet() (config string, err error) {
	text, err := os.ReadFile(b.config)
	if err != nil {
		return "", err
	}
	config = filepath.Join(b.dir, "quiet.conf")
	return config, os.WriteFile(config, append(text, "  annotate = false\n  predictions = \"\"\n"...), 0o600)
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
