package stdio

import "golang.org/x/sys/unix"

// unread asks a pipe how much is in it.
const unread = unix.TIOCINQ
