// Command install puts programs into the bin folder of the checkout:
//
//	go run ./internal/testbed/install telegraf influxd telegraf-anomaly
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"telegraf-anomaly/internal/testbed"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(names []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := testbed.Root()
	if err != nil {
		return err
	}
	var programs []testbed.Program
	for _, name := range names {
		programs = append(programs, testbed.Program(name))
	}
	return testbed.Install(ctx, root, os.Stderr, programs...)
}
