package stdio

import (
	"io"
	"time"
)

// A pump makes a source of a stream that the system cannot wait for, as tests have it.
type pump struct {
	in    io.Reader
	runs  bool
	woken chan struct{}
	comes chan []byte   // what was read; closed where the stream ends
	taken chan struct{} // all of that was
	done  chan struct{}
	rest  []byte // of what came
	err   error  // why the stream ended, valid once comes is closed
}

func newPump(in io.Reader) *pump {
	return &pump{in: in, woken: make(chan struct{}, 1), comes: make(chan []byte), taken: make(chan struct{}), done: make(chan struct{})}
}

// run reads until the stream ends, or for some time after close: a Read that waits
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

func (p *pump) read(to []byte, until time.Time) (int, error) {
	if !p.runs {
		p.runs = true
		go p.run()
	}
	if len(p.rest) == 0 {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		select {
		case chunk, ok := <-p.comes:
			if !ok {
				return 0, p.err
			}
			p.rest = chunk
		case <-timer.C:
			return 0, nil
		case <-p.woken:
			return 0, nil
		}
	}
	n := copy(to, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		p.taken <- struct{}{}
	}
	return n, nil
}

func (p *pump) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p *pump) close() { close(p.done) }
