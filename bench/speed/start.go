package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	stateHosts = 1000
	startUp    = "start to first line, ms of processor time"
	withState  = "this project, with the state of 1,000 hosts"
)

const someLine = "disk,host=web000001,path=/ used_percent=1 1767225600000000000\n"

// starting measures the processor time until the first line has passed: with a
// model, and with the state of many hosts as well. On a machine that does nothing
// else the first line does not wait longer than that.
func (b *bench) starting() error {
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	keys := fmt.Sprintf("  state = %q\n", filepath.Join(dir, "state"))
	if _, err := b.serveFleet(stateHosts, keys); err != nil {
		return err
	}
	config := filepath.Join(dir, "anomaly.conf")
	if err := os.WriteFile(config, []byte(fleetConfig+keys), 0o600); err != nil {
		return err
	}
	b.add(alternate(startUp, 3*b.rounds, contender{us, b.start(b.config)}, contender{withState, b.start(config)}))
	return nil
}

func (b *bench) start(config string) func() (float64, error) {
	return func() (float64, error) {
		c := exec.Command(b.program, "-config", config)
		in, err := c.StdinPipe()
		if err != nil {
			return 0, err
		}
		out, err := c.StdoutPipe()
		if err != nil {
			return 0, err
		}
		if err := c.Start(); err != nil {
			return 0, err
		}
		if _, err := in.Write([]byte(someLine)); err != nil {
			return 0, err
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return 0, err
		}
		took := processorTime(c.Process.Pid)
		if err := c.Process.Kill(); err != nil {
			return 0, err
		}
		_ = c.Wait() // killed: the state stays as it is
		return micros(took) / 1e3, nil
	}
}
