package retrain

import "golang.org/x/sys/unix"

// yield lowers the priority of the thread that calls it. It is a wish.
func yield() { _ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 10) }
