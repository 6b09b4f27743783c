package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTime is how long a program may take to end by itself. Telegraf gives its
// own children five seconds.
const stopTime = 12 * time.Second

// A Process is a program that runs, in a process group of its own: Ctrl-C reaches
// its owner only, who then stops everything in order. On Linux it ends when its
// owner dies, however that comes.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error
}

// Start starts c. What it writes to stderr, and to stdout unless that goes
// elsewhere, is added to the file log.
func Start(c *exec.Cmd, log string) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	defer out.Close()
	c.Stderr = out
	if c.Stdout == nil {
		c.Stdout = out
	}
	c.SysProcAttr = ownGroup()
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	p := &Process{cmd: c, log: log, done: make(chan struct{})}
	go func() {
		p.err = c.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait returns when the process has ended, with an error unless that was with
// status 0.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Usage returns the processor time that the process and its children took. It
// must have ended.
func (p *Process) Usage() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Pid returns the process id, which is also that of the group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process alone.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Interrupt does what Ctrl-C in a terminal does: it sends SIGINT to the process
// and to all its children.
func (p *Process) Interrupt() error { return syscall.Kill(-p.Pid(), syscall.SIGINT) }

// Stop asks the process to end and returns when it has. One that does not end is
// killed, with its children, which is an error.
func (p *Process) Stop() error {
	_ = p.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-p.done:
		return p.err
	case <-time.After(stopTime):
	}
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
	<-p.done
	return fmt.Errorf("testbed: %s did not stop within %v and was killed; see %s", p.cmd.Path, stopTime, p.log)
}

// Log returns what the process wrote so far, and what those before it wrote into
// the same file.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
