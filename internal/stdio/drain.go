package stdio

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// drainTime is how long Drain waits. Telegraf sends SIGTERM five seconds after
// it closed our stdin.
const drainTime = 3 * time.Second

// partTime is what a reader gets to see the end of a pipe.
const partTime = 50 * time.Millisecond

// Drain waits until the reader of the pipe fd has taken everything. Telegraf
// closes the pipe as soon as its child is gone: what is still in there is lost.
func Drain(fd int) { drain(fd, drainTime) }

// drain reports whether the pipe is empty, or no pipe at all, in time.
func drain(fd int, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n, err := unix.IoctlGetInt(fd, unread); err != nil || n == 0 {
			return true
		}
	}
	return false
}

// Part closes the pipes among files, and lets their readers see the end of them
// before the process is gone. Telegraf closes its side at that moment; were it
// still reading, it would log "read |0: file already closed" as an error of ours.
func Part(files ...*os.File) {
	parted := false
	for _, f := range files {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
			parted = f.Close() == nil || parted
		}
	}
	if parted {
		time.Sleep(partTime)
	}
}
