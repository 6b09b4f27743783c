// Command tap starts the processor in Telegraf's place and measures how long it
// keeps each line:
//
//	tap REPORT MEASUREMENT PROGRAM [ARGUMENT …]
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"telegraf-anomaly/internal/tap"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "E! tap:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("want a report file, a measurement and a program")
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // the end of stdin ends the program, and that ends us
	c := exec.Command(args[2], args[3:]...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	t := tap.New(args[1])
	entered := make(chan error, 1)
	go func() { entered <- errors.Join(t.Enter(in, os.Stdin), in.Close()) }()
	err = errors.Join(t.Leave(os.Stdout, out), <-entered, c.Wait())
	text, e := json.Marshal(t.Report())
	if e != nil {
		return e
	}
	return errors.Join(err, os.WriteFile(args[0], text, 0o644))
}
