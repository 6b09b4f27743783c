package stdio

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxRecord  = 1 << 10 // bytes; Telegraf's reader of stderr dies of lines above 64 KiB
	perSecond  = 10      // records
	queueDepth = 64      // records that wait for a slow stderr; more are dropped
	closeWait  = time.Second
)

// A Logger writes records that Telegraf understands: one line each, at most
// 1 KiB, led by "E! ", "W! ", "I! " or "D! ". It never blocks its caller: when
// nobody reads stderr, records are dropped and counted.
type Logger struct {
	queue chan string
	done  chan struct{}

	mu      sync.Mutex
	second  int64
	written int
	dropped int
	last    map[string]time.Time
}

// NewLogger starts a logger on w.
func NewLogger(w io.Writer) *Logger {
	l := &Logger{queue: make(chan string, queueDepth), done: make(chan struct{}), last: map[string]time.Time{}}
	go l.write(w, l.queue)
	return l
}

func (l *Logger) write(w io.Writer, queue <-chan string) {
	defer close(l.done)
	for record := range queue {
		_, _ = io.WriteString(w, record) // there is nowhere left to complain
	}
}

// Logf writes one record; the format starts with its level.
func (l *Logger) Logf(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := time.Now().Unix(); second != l.second {
		l.second, l.written = second, 0
	}
	if l.written++; l.written > perSecond {
		l.dropped++
		return
	}
	l.send(fmt.Sprintf(format, arguments...))
}

// Minutely writes a record unless one with the same key was written less than a
// minute ago.
func (l *Logger) Minutely(key, format string, arguments ...any) {
	now := time.Now()
	l.mu.Lock()
	recent := now.Sub(l.last[key]) < time.Minute
	if !recent {
		l.last[key] = now
	}
	l.mu.Unlock()
	if !recent {
		l.Logf(format, arguments...)
	}
}

// Dropped returns how many records were not written.
func (l *Logger) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

func (l *Logger) send(record string) {
	select {
	case l.queue <- line(record):
	default:
		l.dropped++
	}
}

// line makes one line of at most maxRecord bytes.
func line(record string) string {
	record = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, record)
	const more = "...\n"
	if len(record) < maxRecord {
		return record + "\n"
	}
	end := maxRecord - len(more)
	for !utf8.RuneStart(record[end]) {
		end--
	}
	return record[:end] + more
}

// Close waits, for at most a second, until everything is written.
func (l *Logger) Close() {
	l.mu.Lock()
	if l.queue != nil {
		close(l.queue)
		l.queue = nil // later records are dropped
	}
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(closeWait):
	}
}
