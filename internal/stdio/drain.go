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
func Drain(fd int) {
	for end := time.Now().Add(drainTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n, err := unix.IoctlGetInt(fd, unix.TIOCINQ); err != nil || n == 0 {
			return
		}
	}
}
