package tap

import (
	"io"
	"sync"
)

// A queue is a writer that never waits: it keeps what its reader has yet to take.
type queue struct {
	mu      sync.Mutex
	more    sync.Cond
	waiting []byte
	closed  bool
	err     error // of the writer behind
	done    chan struct{}
}

func newQueue(to io.Writer) *queue {
	q := &queue{done: make(chan struct{})}
	q.more.L = &q.mu
	go q.run(to)
	return q
}

func (q *queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return 0, q.err
	}
	q.waiting = append(q.waiting, p...)
	q.more.Signal()
	return len(p), nil
}

// Close waits until all is written, and tells what went wrong with it.
func (q *queue) Close() error {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	<-q.done
	return q.err
}

func (q *queue) run(to io.Writer) {
	defer close(q.done)
	var batch []byte
	for {
		q.mu.Lock()
		for len(q.waiting) == 0 && !q.closed {
			q.more.Wait()
		}
		batch, q.waiting = q.waiting, batch[:0]
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if _, err := to.Write(batch); err != nil {
			q.mu.Lock()
			q.err = err
			q.mu.Unlock()
			return
		}
	}
}
