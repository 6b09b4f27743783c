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
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

// reader reads a stream, but no longer than until something else is to be done. One
// goroutine both waits for a line and works on it: to hand it to another one would
// cost the line a second wait for the processor.
type reader struct {
	in       source
	buffer   []byte
	deadline time.Time   // what in has been told
	woken    atomic.Bool // somebody wants the reading goroutine
	err      error       // why the stream ended; nil for its proper end
}

func newReader(in io.Reader) *reader {
	r := &reader{buffer: make([]byte, chunkSize)}
	if f := pollable(in); f != nil {
		r.in = f
	} else {
		r.in = newPump(in)
	}
	return r
}

// open begins to read.
func (r *reader) open() {
	if p, ok := r.in.(*pump); ok {
		go p.run()
	}
}

// pollable is in as a file whose reads end at a deadline, if it is a pipe of the
// system; else nil.
func pollable(in io.Reader) *os.File {
	f, ok := in.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil
	}
	fd, err := unix.Dup(int(f.Fd())) // Go decides when it opens a file whether it can wait for it without a thread
	if err != nil {
		return nil
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// read returns what comes until a time, at the latest. It returns nothing at that
// time, or earlier if it is woken, and io.EOF where the stream ends, see err.
func (r *reader) read(until time.Time) (chunk []byte, err error) {
	if now := time.Now(); until.Before(r.deadline) || !now.Before(r.deadline) {
		r.deadline = until
		_ = r.in.SetReadDeadline(until)
	}
	if r.woken.Swap(false) {
		r.deadline = time.Time{} // it was set to the past, or is about to be
		return nil, nil
	}
	n, err := r.in.Read(r.buffer)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.deadline = time.Time{}
		return r.buffer[:n], nil
	case err != nil && !errors.Is(err, io.EOF):
		r.err, err = err, io.EOF
	}
	return r.buffer[:n], err
}

// wake ends a read, or the next one. Any goroutine may call it.
func (r *reader) wake() {
	r.woken.Store(true)
	_ = r.in.SetReadDeadline(time.Unix(1, 0))
}

func (r *reader) close() { _ = r.in.Close() }
