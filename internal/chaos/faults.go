package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"telegraf-anomaly/internal/testbed"
)

// The loads: about 10 and about 1,000 lines a second.
var (
	little = load{hosts: 1, interval: 100 * time.Millisecond, single: true}
	much   = load{hosts: 4, interval: 50 * time.Millisecond}
)

// script lists all faults. They last as long as an operator may need to notice,
// or, in a hurry, for a few seconds.
func script(long bool) []fault {
	moment, minute := 3*time.Second, 5*time.Second
	if long {
		moment, minute = 10*time.Second, time.Minute
	}
	// A stall may cost the 8 MiB that items wait in, and what learning takes meanwhile,
	// which is as much in the run where nothing happens.
	const stalled = 16 << 20
	// While a configuration is read again there are two engines, with all their models.
	const twice = 48 << 20
	return []fault{
		{name: "nothing, to compare with", load: much, do: wait(moment, 1)},
		{name: "kill -9 at 10 metrics/s", load: little, do: kill, lose: 2},
		{name: "kill -9 at 1,000 metrics/s", load: much, do: kill, lose: 200},
		{name: "processor stopped (SIGSTOP)", load: much, do: freeze((*rig).processor, minute), grow: stalled},
		{name: "Telegraf stopped: stdout stalled, stderr unread", load: much, do: freeze(telegraf, minute), grow: stalled},
		{name: "stdout stalled, stdin goes on", load: much, with: piped, do: freeze((*rig).reader, minute), grow: stalled},
		{name: "stderr full and unread", load: much, with: deaf, do: chatter(minute), grow: twice},
		{name: "binary replaced by rename, Telegraf reloaded", load: much, do: replace},
		{name: "binary removed, processor killed, put back", load: much, do: remove(moment), lose: -1, gone: true, back: 5 * time.Second},
		{name: "Telegraf reloaded three times (SIGHUP)", load: much, do: reload(3), back: 2 * time.Second},
		{name: "InfluxDB down", load: much, do: databaseDown(moment)},
		{name: "state directory full", load: much, with: ownDisk, do: fullDisk(moment)},
		{name: "state directory read-only", load: much, with: ownDisk, do: readOnly(moment)},
		{name: "clock an hour ahead, then right", load: much, do: clock(time.Hour, moment)},
		{name: "clock an hour behind, then right", load: much, do: clock(-time.Hour, moment)},
		{name: "aggregators, processors run twice", load: much, with: aggregated, do: wait(moment, 2)},
		{name: "two processors on one state directory", load: much, with: doubled, do: wait(moment, 2)},
	}
}

func kill(_ context.Context, r *rig) (spell, error) {
	pid, err := r.processor()
	if err != nil {
		return spell{}, err
	}
	now := time.Now()
	return spell{now, now}, syscall.Kill(pid, syscall.SIGKILL)
}

func telegraf(r *rig) (int, error) { return r.telegraf.Pid(), nil }

// freeze stops a process for a while.
func freeze(whom func(*rig) (int, error), d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (s spell, err error) {
		pid, err := whom(r)
		if err != nil {
			return s, err
		}
		s.from = time.Now()
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return s, fmt.Errorf("chaos: %w", err)
		}
		sleep(ctx, d)
		_, latest := r.ledger.complete()
		err = syscall.Kill(pid, syscall.SIGCONT)
		if s.to = time.Now(); s.to.Sub(latest) < d/2 {
			return s, errors.New("chaos: lines came out all the same")
		}
		return s, err
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// piped has a cat between the processor and Telegraf, that can be stopped.
func piped(s *setup) { s.command = `"sh", "-c", "DIR/processor -config DIR/anomaly.conf | cat"` }

// reader is that cat: whose stdin is the pipe of the processor's stdout.
func (r *rig) reader() (int, error) {
	pid, err := r.processor()
	if err != nil {
		return 0, err
	}
	pipe := opened(pid, 1)
	for other := range relatives(r.telegraf.Pid()) {
		if other != pid && opened(other, 0) == pipe {
			return other, nil
		}
	}
	return 0, errors.New("chaos: nobody reads the processor's stdout")
}

// deaf has the processor's stderr end in a pipe that nobody reads.
func deaf(s *setup) {
	s.command = `"sh", "-c", "exec DIR/processor -config DIR/anomaly.conf 2<>DIR/stderr"`
}

// chatter makes the processor talk until its stderr is full, and beyond.
func chatter(d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		pid, err := r.processor()
		if err != nil {
			return spell{}, err
		}
		pipe, err := os.OpenFile(filepath.Join(r.dir, "stderr"), os.O_RDWR, 0)
		if err != nil {
			return spell{}, fmt.Errorf("chaos: %w", err)
		}
		defer pipe.Close()
		if _, err := unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
			return spell{}, fmt.Errorf("chaos: %w", err)
		}
		from := time.Now()
		for time.Since(from) < d && ctx.Err() == nil {
			if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
				return spell{}, fmt.Errorf("chaos: %w", err)
			}
			sleep(ctx, 400*time.Millisecond) // each time all models are read again, which must not be what is measured
		}
		if waiting, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ); err != nil || waiting < 4096-300 {
			return spell{}, errors.Join(fmt.Errorf("chaos: only %d bytes wait in stderr", waiting), err)
		}
		return spell{from, time.Now()}, nil
	}
}

// replace upgrades the processor as the documents say.
func replace(ctx context.Context, r *rig) (spell, error) {
	old, err := r.processor()
	if err != nil {
		return spell{}, err
	}
	from := time.Now()
	fresh := r.program() + ".new"
	if err := errors.Join(copyFile(testbed.Anomaly.Path(r.root), fresh), os.Rename(fresh, r.program())); err != nil {
		return spell{}, fmt.Errorf("chaos: %w", err)
	}
	sleep(ctx, settle)
	if now, err := r.processor(); err != nil || now != old {
		return spell{}, errors.Join(fmt.Errorf("chaos: process %d instead of %d after the replacement", now, old), err)
	}
	at, err := r.hangUp(ctx)
	return spell{from, at}, err
}

// hangUp has Telegraf read its configuration again and returns when that began.
// What the test's own input has read at that moment would be lost with it, so it
// gets a pause to hand everything on; meanwhile the hosts go on.
func (r *rig) hangUp(ctx context.Context) (at time.Time, err error) {
	old := r.processors()
	r.feed.pause.Lock()
	sleep(ctx, 200*time.Millisecond)
	at = time.Now()
	err = r.telegraf.Signal(syscall.SIGHUP)
	sleep(ctx, 200*time.Millisecond)
	r.feed.pause.Unlock()
	if err != nil {
		return at, fmt.Errorf("chaos: %w", err)
	}
	return at, testbed.Until(ctx, "a new processor", func() bool {
		pids := r.processors()
		return len(pids) == 1 && (len(old) == 0 || pids[0] != old[0])
	})
}

// remove takes the binary away and kills the processor: Telegraf does not try
// again, and every line that is routed to it is lost until a reload.
func remove(d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		if err := os.Remove(r.program()); err != nil {
			return spell{}, fmt.Errorf("chaos: %w", err)
		}
		s, err := kill(ctx, r)
		if err != nil {
			return s, err
		}
		sleep(ctx, d)
		if err := copyFile(testbed.Anomaly.Path(r.root), r.program()); err != nil {
			return s, err
		}
		s.to, err = r.hangUp(ctx)
		return s, err
	}
}

func reload(times int) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (s spell, err error) {
		s.from = time.Now()
		for range times {
			if s.to, err = r.hangUp(ctx); err != nil {
				return s, err
			}
			sleep(ctx, settle)
		}
		return s, nil
	}
}

// wait only waits, with a number of processors running.
func wait(d time.Duration, processors int) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		from := time.Now()
		sleep(ctx, d)
		if n := len(r.processors()); n != processors {
			return spell{}, fmt.Errorf("chaos: %d processors run, want %d", n, processors)
		}
		return spell{from, time.Now()}, nil
	}
}

func clock(by, d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		from := time.Now()
		r.feed.shift.Store(int64(by))
		sleep(ctx, d)
		r.feed.shift.Store(0)
		return spell{from, time.Now()}, nil
	}
}

const aggregator = `
[[aggregators.basicstats]]
  namepass = ["mem"]
  period = "300ms"
  grace = "1h"
  drop_original = false
  stats = ["mean"]
`

func aggregated(s *setup) { s.skip, s.processor = false, aggregator }

func doubled(s *setup) { s.processor = strings.ReplaceAll(processorBlock, "COMMAND", s.command) }
