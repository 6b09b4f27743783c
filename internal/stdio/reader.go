package stdio

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const chunkSize = 64 << 10 // a pipe's capacity

// A source is a stream whose reads can be given up.
type source interface {
	// read takes what comes until a time, at the latest. It takes nothing at that time, or
	// earlier if it is woken; where the stream ends it returns io.EOF.
	read(to []byte, until time.Time) (int, error)
	// wake ends a read, or the next one. Any goroutine may call it.
	wake()
	close()
}

// reader reads a stream, but no longer than until something else is to be done. One
// goroutine both waits for a line and works on it: to hand it to another one would
// cost the line a second wait for the processor.
type reader struct {
	source
	buffer []byte
	err    error // why the stream ended; nil for its proper end
}

func newReader(in io.Reader) *reader {
	r := &reader{buffer: make([]byte, chunkSize)}
	if d := newDescriptor(in); d != nil {
		r.source = d
	} else {
		r.source = newPump(in)
	}
	return r
}

// next returns what comes until a time, at the latest. It returns nothing at that
// time, or earlier if it is woken, and io.EOF where the stream ends, see err.
func (r *reader) next(until time.Time) (chunk []byte, err error) {
	n, err := r.read(r.buffer, until)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err, err = err, io.EOF
	}
	return r.buffer[:n], err
}

// gathering is how long lines may gather once some have come. Telegraf writes them one
// by one: to be woken for each costs both sides more than to work on it.
const gathering = 200 * time.Microsecond

// A descriptor is a stream of the system. It is waited for with poll, not by Go's
// runtime, which each write to the pipe would wake, even while nobody waits.
type descriptor struct {
	in     *os.File
	bell   [2]*os.File    // a pipe, of which read waits, too
	waits  [2]unix.PollFd // for in and for bell
	silent atomic.Bool    // nothing is in bell
	busy   bool           // something came the last time
}

// newDescriptor returns nil if in is not a stream of the system.
func newDescriptor(in io.Reader) *descriptor {
	f, ok := in.(*os.File)
	if !ok {
		return nil
	}
	out, into, err := os.Pipe()
	if err != nil {
		return nil
	}
	d := &descriptor{in: f, bell: [2]*os.File{out, into}}
	for i, f := range []*os.File{f, out} {
		d.waits[i] = unix.PollFd{Fd: int32(f.Fd()), Events: unix.POLLIN}
	}
	d.silent.Store(true)
	return d
}

func (d *descriptor) read(to []byte, until time.Time) (n int, err error) {
	if d.busy {
		t := unix.NsecToTimeval(int64(gathering))
		_, _ = unix.Select(0, nil, nil, nil, &t) // as a sleep, which Go's would round up to a millisecond
	}
	wait := max(0, time.Until(until)+time.Millisecond-1) / time.Millisecond
	switch _, err = unix.Poll(d.waits[:], int(wait)); {
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, err
	case d.waits[1].Revents != 0:
		d.silent.Store(true) // before the byte is taken: another wake puts in another one
		_, err = d.bell[0].Read(to[:1])
	case d.waits[0].Revents != 0:
		n, err = d.in.Read(to)
	}
	d.busy = n > 0 && n < len(to)
	return n, err
}

func (d *descriptor) wake() {
	if d.silent.Swap(false) {
		_, _ = d.bell[1].Write([]byte{0}) // in vain if nobody reads any more
	}
}

func (d *descriptor) close() {
	_, _ = d.bell[0].Close(), d.bell[1].Close()
}
