package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"telegraf-anomaly/internal/stdio"
)

// runTest prints what would be emitted for a file, each line led by "> " as
// telegraf --test does. What it learns goes to the state directory.
func runTest(configFile, input string, stdin io.Reader, stdout, stderr io.Writer) int {
	in := stdin
	if input != "-" {
		f, err := os.Open(input)
		if err != nil {
			fmt.Fprintf(stderr, "telegraf-anomaly: %v\n", err)
			return usageExit
		}
		defer f.Close()
		in = f
	}
	log := stdio.NewLogger(stderr)
	defer log.Close()
	s := newSession(in, &prefixer{w: stdout}, log)
	s.sync = true
	s.start(configFile)
	if err := s.Run(nil); err != nil || s.fault != "" {
		return 1
	}
	s.Close()
	return 0
}

// prefixer leads every line with "> ". It is given whole lines only.
type prefixer struct{ w io.Writer }

func (p *prefixer) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if _, err := fmt.Fprintf(p.w, "> %s", line); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
