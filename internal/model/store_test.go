package model

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/atomicfile"
)

func newStore(t testing.TB) (*Store, string) {
	dir := filepath.Join(t.TempDir(), "a", "store")
	s, err := OpenStore(dir)
	require.NoError(t, err)
	return s, dir
}

// at is the k-th moment of a test.
func at(k int) time.Time { return time.Date(2026, 1, 1, 0, 0, k, 0, time.UTC) }

func save(t testing.TB, s *Store, b *Bundle, k int) string {
	name, err := s.Save(b, at(k))
	require.NoError(t, err)
	return name
}

func TestStore(t *testing.T) {
	s, dir := newStore(t)
	_, err := s.Current()
	require.ErrorIs(t, err, ErrNoModel)
	_, err = Load(dir)
	require.ErrorIs(t, err, ErrNoModel)

	one, two := fit(t, 1), fit(t, 2)
	first, second := save(t, s, one, 1), save(t, s, two, 2)
	require.Equal(t, "20260101T000001.000Z-"+one.ID(), first)
	_, err = Load(dir)
	require.ErrorIs(t, err, ErrNoModel, "saved is not yet current")

	require.NoError(t, s.Promote(first))
	requireServes(t, dir, one)
	require.NoError(t, s.Promote(second))
	requireServes(t, dir, two)
	require.NoError(t, s.Promote(first), "back to the one before")
	requireServes(t, dir, one)
	require.NoError(t, s.PromoteID(two.ID()))
	requireServes(t, dir, two)
	require.ErrorIs(t, s.PromoteID("ffffffff"), ErrNoModel)

	names, err := s.Versions()
	require.NoError(t, err)
	require.Equal(t, []string{first, second}, names)
	b, err := Load(filepath.Join(dir, first+suffix))
	require.NoError(t, err)
	require.Equal(t, one.ID(), b.ID(), "a version is a file like any other")
}

func requireServes(t testing.TB, dir string, want *Bundle) {
	b, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, want.ID(), b.ID())
}

func TestStoreKeepsItsFilesToItself(t *testing.T) {
	s, dir := newStore(t)
	require.NoError(t, s.Promote(save(t, s, fit(t, 1), 1)))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o750, info.Mode())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 3, "a version, the pointer to it, the lock")
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode()&0o137, "%s is %v", e.Name(), info.Mode())
	}
}

// The name tells the content, also of a bundle that was added to after it was
// made.
func TestSaveNamesWhatItWrites(t *testing.T) {
	s, _ := newStore(t)
	b := fit(t, 1)
	before := b.ID()
	b.Provenance.Metrics["ap"] = 0.75
	name := save(t, s, b, 1)
	got, err := s.Load(name)
	require.NoError(t, err)
	require.NotEqual(t, before, b.ID())
	require.Equal(t, b.ID(), got.ID())
	require.True(t, strings.HasSuffix(name, "-"+got.ID()))
}

func TestPromoteRefusesWhatCannotServe(t *testing.T) {
	s, dir := newStore(t)
	good := save(t, s, fit(t, 1), 1)
	require.NoError(t, s.Promote(good))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad"+suffix), []byte("no model"), 0o640))
	require.ErrorIs(t, s.Promote("bad"), ErrTruncated)
	require.ErrorIs(t, s.Promote("gone"), fs.ErrNotExist)
	current, err := s.Current()
	require.NoError(t, err)
	require.Equal(t, good, current)
}

func TestHostileNames(t *testing.T) {
	s, dir := newStore(t)
	outside := filepath.Join(filepath.Dir(dir), "outside"+suffix)
	require.NoError(t, os.WriteFile(outside, encoded(t, fit(t, 1)), 0o640))
	for _, name := range []string{"", ".", "..", "../outside", "a/b", "/etc/passwd", ".hidden", strings.Repeat("x", 1000), "x\x00y"} {
		_, err := s.Load(name)
		require.Error(t, err, "%q", name)
		require.Error(t, s.Promote(name), "%q", name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, currentFile), []byte(name+"\n"), 0o640))
		_, err = Load(dir)
		require.Error(t, err, "a pointer to %q", name)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	require.NoError(t, os.WriteFile(big, nil, 0o640))
	require.NoError(t, os.Truncate(big, MaxSize+1))
	_, err := Load(big)
	require.ErrorIs(t, err, ErrInvalid)
	require.EqualError(t, err, "model: file is well-formed but not a valid model: "+big+" is larger than 67108864 bytes")

	damaged := filepath.Join(dir, "damaged")
	data := encoded(t, fit(t, 1))
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(damaged, data, 0o640))
	_, err = Load(damaged)
	require.EqualError(t, err, damaged+": model: file is damaged, its SHA-256 does not match")

	_, err = Load(filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name    string
		keep    int
		current int // which is current, counting from 1; 0 for none
		removed []int
	}{
		{"some", 2, 5, []int{1, 2, 3}},
		{"an old current one stays", 2, 1, []int{2, 3}},
		{"no current one", 2, 0, []int{1, 2, 3}},
		{"all but the current one", 0, 3, []int{1, 2, 4, 5}},
		{"fewer than none", -1, 3, []int{1, 2, 4, 5}},
		{"nothing", 5, 5, nil},
		{"more than there are", 9, 5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := newStore(t)
			names := []string{""}
			b := fit(t, 1)
			for k := 1; k <= 5; k++ {
				names = append(names, save(t, s, b, k))
			}
			if c.current > 0 {
				require.NoError(t, s.Promote(names[c.current]))
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o640))
			removed, err := s.Prune(c.keep)
			require.NoError(t, err)
			var want []string
			for _, k := range c.removed {
				want = append(want, names[k])
			}
			require.Equal(t, want, removed)
			left, err := s.Versions()
			require.NoError(t, err)
			require.Len(t, left, 5-len(want))
			require.FileExists(t, filepath.Join(dir, "notes.txt"))
		})
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	s, dir := newStore(t)
	b := fit(t, 1)
	name := save(t, s, b, 1)
	was := lockWait
	lockWait = 50 * time.Millisecond
	defer func() { lockWait = was }()

	unlock, err := atomicfile.Lock(filepath.Join(dir, lockFile))
	require.NoError(t, err)
	for what, write := range map[string]func() error{
		"save":    func() error { _, err := s.Save(b, at(2)); return err },
		"promote": func() error { return s.Promote(name) },
		"prune":   func() error { _, err := s.Prune(1); return err },
	} {
		require.ErrorIs(t, write(), atomicfile.ErrLocked, what)
	}
	lockWait = time.Minute
	time.AfterFunc(20*time.Millisecond, unlock)
	require.NoError(t, s.Promote(name))
}

// A crashed writer's leftovers go with the next write, and a failure to remove
// them holds up nobody for ever.
func TestLeftovers(t *testing.T) {
	s, dir := newStore(t)
	left := filepath.Join(dir, ".tmp-x-1")
	require.NoError(t, os.WriteFile(left, nil, 0o640))
	save(t, s, fit(t, 1), 1)
	require.NoFileExists(t, left)

	require.NoError(t, os.MkdirAll(filepath.Join(left, "not empty"), 0o750))
	_, err := s.Save(fit(t, 1), at(2))
	require.Error(t, err)
	require.NoError(t, os.RemoveAll(left))
	save(t, s, fit(t, 1), 3)
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o640))
	_, err := OpenStore(filepath.Join(file, "store"))
	require.ErrorIs(t, err, syscall.ENOTDIR)

	s := &Store{filepath.Join(t.TempDir(), "gone")}
	_, err = s.Save(fit(t, 1), at(1))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, s.Promote("x"), fs.ErrNotExist)
	_, err = s.Prune(1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = s.Versions()
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A disk that is full: files of this process may not grow beyond a page. The old
// model serves on, and the error says which file could not be written.
func TestFullDisk(t *testing.T) {
	dir := os.Getenv("FULL_DISK")
	if dir == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
		cmd.Env = append(os.Environ(), "FULL_DISK="+t.TempDir())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	s, err := OpenStore(dir)
	require.NoError(t, err)
	one, two := fit(t, 1), fit(t, 2)
	require.NoError(t, s.Promote(save(t, s, one, 1)))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
	for range 3 {
		name, err := s.Save(two, at(2))
		require.Empty(t, name)
		require.ErrorIs(t, err, syscall.EFBIG)
		require.ErrorContains(t, err, "model: write "+s.path("20260101T000002.000Z-"+two.ID())+": ")
		requireServes(t, dir, one)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 3, "nothing is left behind")
}

// Readers never see anything but a whole model, whatever two writers do.
func TestReadersAndWriters(t *testing.T) {
	s, dir := newStore(t)
	bundles := []*Bundle{fit(t, 1), fit(t, 2)}
	require.NoError(t, s.Promote(save(t, s, bundles[0], 0)))
	var done atomic.Bool
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for k := range 8 {
				name, err := s.Save(bundles[w], at(1+2*k+w))
				assert.NoError(t, err)
				if err := s.Promote(name); err != nil {
					assert.ErrorIs(t, err, fs.ErrNotExist, "the other one may have pruned it")
				}
				_, err = s.Prune(1)
				assert.NoError(t, err)
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				b, err := Load(dir)
				if assert.NoError(t, err) {
					assert.Contains(t, []string{bundles[0].ID(), bundles[1].ID()}, b.ID())
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
}

// A process killed at any moment of saving and promoting leaves a store whose
// current version is whole.
func TestKill(t *testing.T) {
	if dir := os.Getenv("SAVE_FOR_EVER"); dir != "" {
		saveForEver(t, dir)
	}
	kills := 25
	if testing.Short() {
		kills = 5
	}
	if n, err := strconv.Atoi(os.Getenv("KILLS")); err == nil { // as `make overload` has it
		kills = n
	}
	s, dir := newStore(t)
	require.NoError(t, s.Promote(save(t, s, fit(t, 1), 0)))
	served := map[string]bool{}
	for k := range kills {
		before, err := s.Current()
		require.NoError(t, err)
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "SAVE_FOR_EVER="+dir)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { now, err := s.Current(); return err == nil && now != before }, 20*time.Second, time.Millisecond)
		time.Sleep(time.Duration(k*379%1000) * 20 * time.Microsecond)
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		require.Error(t, cmd.Wait())

		b, err := Load(dir)
		require.NoError(t, err)
		served[b.ID()] = true
		names, err := s.Versions()
		require.NoError(t, err)
		for _, name := range names {
			_, err := s.Load(name)
			require.NoError(t, err, "every version is whole")
		}
		_, err = s.Prune(2)
		require.NoError(t, err, "the dead hold no lock")
		left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
		require.NoError(t, err)
		require.Empty(t, left, "and their temporary files are swept")
	}
	t.Logf("%d different models served after %d kills", len(served), kills)
}

func saveForEver(t *testing.T, dir string) {
	s, err := OpenStore(dir)
	bundles := []*Bundle{fit(t, 1), fit(t, 2), fit(t, 3)}
	for k := 0; err == nil; k++ {
		var name string
		if name, err = s.Save(bundles[k%3], time.Now()); err == nil {
			err = s.Promote(name)
		}
	}
	panic(fmt.Sprint("saving failed: ", err))
}

// A retired store has versions and none that serves.
func TestRetire(t *testing.T) {
	s, _ := newStore(t)
	require.NoError(t, s.Retire(), "there is nothing to retire")
	name := save(t, s, fit(t, 1), 1)
	require.NoError(t, s.Promote(name))
	require.NoError(t, s.Retire())
	_, err := s.Current()
	require.ErrorIs(t, err, ErrNoModel)
	names, err := s.Versions()
	require.NoError(t, err)
	require.Equal(t, []string{name}, names)
}
