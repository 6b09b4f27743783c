package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is, with -fit, what the program is: it fits models in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-fit" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
