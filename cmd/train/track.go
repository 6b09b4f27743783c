package main

import (
	"time"
)

type trackFlags struct{}

func (trackFlags) track(*fitting, time.Time) error { return nil }

type trackCmd struct{}

// Run is a stub.
func (c *trackCmd) Run(t *terminal) error { return nil }

type parityCmd struct{}

// Run is a stub.
func (c *parityCmd) Run(t *terminal) error { return nil }
