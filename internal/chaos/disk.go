package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telegraf-anomaly/internal/testbed"
)

// databaseDown ends InfluxDB, and starts it again where it was.
func databaseDown(d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		from := time.Now()
		if err := r.db.Stop(); err != nil {
			return spell{}, err
		}
		sleep(ctx, d)
		dir := filepath.Join(r.dir, "influxdb")
		again, err := testbed.Start(exec.Command(testbed.InfluxDB.Path(r.root), "-config", filepath.Join(dir, "influxdb.conf")), filepath.Join(dir, "influxdb.log"))
		if err != nil {
			return spell{}, err
		}
		r.db.Process = again
		err = testbed.Until(ctx, "InfluxDB to be back", func() bool {
			_, err := r.db.Query(ctx, "", "SHOW DATABASES")
			return err == nil
		})
		return spell{from, time.Now()}, err
	}
}

// A spoiler takes away the means to write the state, and gives them back.
type spoiler func(r *rig) (mend func() error, err error)

func fullDisk(d time.Duration) func(context.Context, *rig) (spell, error) { return spoil(fill, d) }

func readOnly(d time.Duration) func(context.Context, *rig) (spell, error) { return spoil(protect, d) }

// spoil lets the processor write its state where that is impossible, and again
// where it is possible.
func spoil(how spoiler, d time.Duration) func(context.Context, *rig) (spell, error) {
	return func(ctx context.Context, r *rig) (spell, error) {
		mend, err := how(r)
		if err != nil {
			return spell{}, err
		}
		from, before := time.Now(), r.failures()
		if err := errors.Join(r.save(ctx), r.quiet(ctx, d)); err != nil {
			return spell{}, errors.Join(err, mend())
		}
		if r.failures() == before {
			return spell{}, errors.Join(errors.New("chaos: the state could be written after all"), mend())
		}
		if err := mend(); err != nil {
			return spell{}, err
		}
		old := r.age()
		if err := r.save(ctx); err != nil {
			return spell{}, err
		}
		err = testbed.Until(ctx, "the state to be written again", func() bool { return r.age() != old })
		return spell{from, time.Now()}, err
	}
}

func (r *rig) quiet(ctx context.Context, d time.Duration) error {
	sleep(ctx, d)
	return ctx.Err()
}

func (r *rig) failures() int { return strings.Count(r.telegraf.Log(), "the state could not be saved") }

// age is when the state was written last.
func (r *rig) age() time.Time {
	info, err := os.Stat(filepath.Join(r.dir, "state", "stream.state"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// ownDisk wants the state on a disk that can be filled.
func ownDisk(s *setup) { s.smallDisk = true }

// smallDisk mounts a small disk for the state, where the user may.
func (r *rig) smallDisk() {
	state := filepath.Join(r.dir, "state")
	r.tmpfs = unix.Mount("tmpfs", state, "tmpfs", 0, "size=16m") == nil
	if r.tmpfs {
		r.undo = append(r.undo, func() { _ = unix.Unmount(state, unix.MNT_DETACH) })
	}
}

// fill leaves no room on the disk. Without the right to mount one that can be
// filled, no file of the processor may grow: the error is another, the effect is
// not.
func fill(r *rig) (mend func() error, err error) {
	if r.tmpfs {
		file := filepath.Join(r.dir, "state", "filler")
		f, err := os.Create(file)
		if err != nil {
			return nil, fmt.Errorf("chaos: %w", err)
		}
		defer f.Close()
		for chunk := make([]byte, 4096); err == nil; {
			_, err = f.Write(chunk)
		}
		return func() error { return os.Remove(file) }, nil
	}
	pid, err := r.processor()
	if err != nil {
		return nil, err
	}
	var was unix.Rlimit
	limit := func(l unix.Rlimit) error { return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &l, nil) }
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &was); err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	return func() error { return limit(was) }, limit(unix.Rlimit{Cur: 512, Max: was.Max})
}

// protect makes the state directory read-only: root, whom modes do not stop, by
// mounting it over itself.
func protect(r *rig) (mend func() error, err error) {
	state := filepath.Join(r.dir, "state")
	if r.tmpfs {
		if err := unix.Mount(state, state, "", unix.MS_BIND, ""); err != nil {
			return nil, fmt.Errorf("chaos: %w", err)
		}
		return func() error { return unix.Unmount(state, unix.MNT_DETACH) }, unix.Mount("", state, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return func() error { return os.Chmod(state, 0o750) }, os.Chmod(state, 0o550)
}
