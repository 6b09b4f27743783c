package stdio

import (
	"io"
	"os"
	"sync/atomic"
	"time"
)

// A pump makes a source of a stream whose reads cannot be given up: a file, or
// whatever a test has.
type pump struct {
	in       io.Reader
	deadline atomic.Pointer[time.Time]
	moved    chan struct{} // the deadline was
	comes    chan []byte   // what was read; closed where the stream ends
	taken    chan struct{} // all of that was
	done     chan struct{}
	rest     []byte // of what came
	err      error  // why the stream ended, valid once comes is closed
}

func newPump(in io.Reader) *pump {
	return &pump{in: in, moved: make(chan struct{}, 1), comes: make(chan []byte), taken: make(chan struct{}), done: make(chan struct{})}
}

// run reads until the stream ends, or for some time after Close: a Read that waits
// cannot be called back.
func (p *pump) run() {
	defer close(p.comes)
	memory := make([]byte, chunkSize)
	for p.err == nil {
		n, err := p.in.Read(memory)
		p.err = err
		if n == 0 {
			continue
		}
		select {
		case p.comes <- memory[:n]:
		case <-p.done:
			return
		}
		select {
		case <-p.taken:
		case <-p.done:
			return
		}
	}
}

// Read takes what run has read, until the deadline.
func (p *pump) Read(to []byte) (int, error) {
	for len(p.rest) == 0 {
		timer := time.NewTimer(time.Until(*p.deadline.Load()))
		select {
		case chunk, ok := <-p.comes:
			if !ok {
				return 0, p.err
			}
			p.rest = chunk
		case <-timer.C:
			return 0, os.ErrDeadlineExceeded
		case <-p.moved:
		}
		timer.Stop()
	}
	n := copy(to, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		p.taken <- struct{}{}
	}
	return n, nil
}

// SetReadDeadline holds for a Read that waits, too.
func (p *pump) SetReadDeadline(t time.Time) error {
	p.deadline.Store(&t)
	select {
	case p.moved <- struct{}{}:
	default:
	}
	return nil
}

func (p *pump) Close() error {
	close(p.done)
	return nil
}
