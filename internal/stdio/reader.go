package stdio

import (
	"errors"
	"io"
)

const chunkSize = 64 << 10 // a pipe's capacity

// reader pumps a stream into a channel, so that one can wait for time as well.
// Two chunks go round: one is being read while the other is being worked on.
type reader struct {
	in     io.Reader
	chunks chan []byte   // what was read; closed where the stream ends
	free   chan []byte   // chunks that were worked on
	done   chan struct{} // closed when nobody takes chunks any more
	err    error         // why the stream ended; nil for its proper end. Valid once chunks is closed
}

func newReader(in io.Reader) *reader {
	r := &reader{in: in, chunks: make(chan []byte, 1), free: make(chan []byte, 2), done: make(chan struct{})}
	r.free <- make([]byte, chunkSize)
	r.free <- make([]byte, chunkSize)
	return r
}

// pump reads until the stream ends. It returns some time after done is closed: a
// Read that waits cannot be called back.
func (r *reader) pump() {
	defer close(r.chunks)
	for {
		var chunk []byte
		select {
		case chunk = <-r.free:
		case <-r.done:
			return
		}
		n, err := r.in.Read(chunk[:chunkSize])
		select {
		case r.chunks <- chunk[:n]:
		case <-r.done:
			return
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				r.err = err
			}
			return
		}
	}
}
