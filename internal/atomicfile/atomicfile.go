// Package atomicfile replaces files so that after a crash at any moment a reader
// finds the whole old content or the whole new one.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const temporary = ".tmp-"

// Step does one thing to the disk. Only tests change it, to make the n-th one fail.
var Step = func(do func() error) error { return do() }

// Write replaces the file at path: temporary file in the same directory, fsync,
// rename, fsync of the directory. An error names the file; after one of the last
// step the new content is in place, but may not survive a loss of power.
func Write(path string, data []byte, mode os.FileMode) error {
	dir := filepath.Dir(path)
	var f *os.File
	err := Step(func() (err error) {
		f, err = os.CreateTemp(dir, temporary+filepath.Base(path)+"-*")
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for _, do := range []func() error{
		func() error { _, err := f.Write(data); return err },
		func() error { return f.Chmod(mode) },
		f.Sync,
		f.Close,
		func() error { return os.Rename(f.Name(), path) },
	} {
		if err := Step(do); err != nil {
			_ = f.Close()           // once more does no harm
			_ = os.Remove(f.Name()) // Sweep finds what stays
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := SyncDir(dir); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// SyncDir makes renames and removals in dir durable, where the file system can.
func SyncDir(dir string) error {
	return Step(func() error {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		err = d.Sync()
		if errors.Is(err, unix.EINVAL) {
			err = nil // not every file system knows what that means
		}
		return errors.Join(err, d.Close())
	})
}

// Sweep removes temporary files that a crash left in dir. Call it only while
// nobody else writes there.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporary) {
			err = errors.Join(err, Step(func() error { return os.Remove(filepath.Join(dir, e.Name())) }))
		}
	}
	return err
}
