package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// content returns what is in a directory, "name=text" each.
func content(t require.TestingT, dir string) (files []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		files = append(files, e.Name()+"="+string(text))
	}
	return files
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"first", "", "second, longer"} {
		require.NoError(t, Write(path, []byte(text), 0o640))
		require.Equal(t, []string{"f=" + text}, content(t, dir))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode())
}

// failing lets the n-th step fail, counting from 1; done says that the step was
// done all the same.
func failing(t *testing.T, n int, err error, done bool) (steps *int) {
	was := Step
	t.Cleanup(func() { Step = was })
	steps = new(int)
	Step = func(do func() error) error {
		if *steps++; *steps != n {
			return do()
		}
		if done {
			_ = do()
		}
		return err
	}
	return steps
}

// stepsOfWrite is how many things Write does to the disk.
const stepsOfWrite = 7

// Whichever step fails, in whichever way, the file is the old one or the new
// one, nothing else is left behind, and the error says which file.
func TestWriteFails(t *testing.T) {
	for _, cause := range []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE, unix.EDQUOT} {
		for n := 1; n <= stepsOfWrite; n++ {
			for _, done := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v at step %d done %v", cause, n, done), func(t *testing.T) {
					dir := t.TempDir()
					path := filepath.Join(dir, "f")
					require.NoError(t, Write(path, []byte("old"), 0o640))
					steps := failing(t, n, cause, done)
					err := Write(path, []byte("new"), 0o640)
					require.ErrorIs(t, err, cause)
					require.ErrorContains(t, err, "write "+path+": ")
					require.Equal(t, n, *steps, "nothing is done after a failure")

					want := "f=old"
					if n == stepsOfWrite || (n == stepsOfWrite-1 && done) {
						want = "f=new"
					}
					var files []string
					for _, f := range content(t, dir) {
						if n != 1 || !strings.HasPrefix(f, temporary) { // a file whose making failed is not known
							files = append(files, f)
						}
					}
					require.Equal(t, []string{want}, files)

					Step = func(do func() error) error { return do() }
					require.NoError(t, Sweep(dir))
					require.Equal(t, []string{want}, content(t, dir))
					require.NoError(t, Write(path, []byte("again"), 0o640), "what failed once may go well later")
					require.Equal(t, []string{"f=again"}, content(t, dir))
				})
			}
		}
	}
	failing(t, 0, nil, false)
	steps := failing(t, 0, nil, false)
	require.NoError(t, Write(filepath.Join(t.TempDir(), "f"), nil, 0o640))
	require.Equal(t, stepsOfWrite, *steps)
}

func TestWriteWithoutDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "f")
	err := Write(path, nil, 0o640)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "write "+path)
	require.ErrorIs(t, SyncDir(filepath.Dir(path)), os.ErrNotExist)
	require.ErrorIs(t, Sweep(filepath.Dir(path)), os.ErrNotExist)
}

func TestWriteOverADirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "f"), 0o750))
	require.Error(t, Write(filepath.Join(dir, "f"), nil, 0o640))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

// A real disk that is full: files of this process may not grow beyond a page.
func TestWriteToAFullDisk(t *testing.T) {
	if os.Getenv("FULL_DISK") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteToAFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), "FULL_DISK="+t.TempDir())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	dir := os.Getenv("FULL_DISK")
	path := filepath.Join(dir, "f")
	require.NoError(t, Write(path, []byte("old"), 0o640))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}))
	err := Write(path, make([]byte, 1<<16), 0o640)
	require.ErrorIs(t, err, unix.EFBIG)
	require.ErrorContains(t, err, "write "+path+": ")
	require.Equal(t, []string{"f=old"}, content(t, dir))
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f", ".hidden", temporary + "f-1", temporary + "g-22"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o640))
	}
	require.NoError(t, Sweep(dir))
	require.Equal(t, []string{".hidden=", "f="}, content(t, dir))

	require.NoError(t, os.WriteFile(filepath.Join(dir, temporary+"f-3"), nil, 0o640))
	failing(t, 1, unix.EROFS, false)
	require.ErrorIs(t, Sweep(dir), unix.EROFS)
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(path)
	require.NoError(t, err)
	_, err = Lock(path)
	require.ErrorIs(t, err, ErrLocked)
	require.EqualError(t, err, path+": locked by another process")
	unlock()
	unlock, err = Lock(path)
	require.NoError(t, err)
	unlock()

	_, err = Lock(filepath.Join(path, "no"))
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrLocked)
}

// A process that is killed at any moment of a Write leaves the old content or
// the new one; its lock ends with it.
func TestKill(t *testing.T) {
	if dir := os.Getenv("WRITE_FOR_EVER"); dir != "" {
		writeForEver(dir)
	}
	kills := 60
	if testing.Short() {
		kills = 10
	}
	dir := t.TempDir()
	newest := 0
	for k := range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "WRITE_FOR_EVER="+dir)
		require.NoError(t, cmd.Start())
		path := filepath.Join(dir, "f")
		require.Eventually(t, func() bool { n, err := readNumber(path); return err == nil && n > newest }, 10*time.Second, time.Millisecond)
		time.Sleep(time.Duration(k*37%1000) * 3 * time.Microsecond)
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		require.Error(t, cmd.Wait())

		n, err := readNumber(path)
		require.NoError(t, err)
		newest = n
		unlock, err := Lock(filepath.Join(dir, "lock"))
		require.NoError(t, err, "the dead hold no lock")
		require.NoError(t, Sweep(dir))
		require.Len(t, content(t, dir), 2, "the file and the lock")
		unlock()
	}
}

// writeForEver writes ever greater numbers, each many times over.
func writeForEver(dir string) {
	unlock, err := Lock(filepath.Join(dir, "lock"))
	for err == nil {
		path := filepath.Join(dir, "f")
		n, _ := readNumber(path)
		err = Write(path, []byte(strings.Repeat(strconv.Itoa(n+1)+"\n", 5000)), 0o640)
	}
	unlock()
	panic(err)
}

var errTorn = errors.New("torn file")

// readNumber returns the number in the file, which must be there 5000 times.
func readNumber(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if strings.Repeat(first+"\n", 5000) != string(text) {
		return 0, errTorn
	}
	return strconv.Atoi(first)
}
