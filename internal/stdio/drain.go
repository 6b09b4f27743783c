package stdio

import (
	"time"

	"golang.org/x/sys/unix"
)

// drainTime is how long Drain waits. Telegraf sends SIGTERM five seconds after
// it closed our stdin.
const drainTime = 3 * time.Second

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
