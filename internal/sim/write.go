package sim

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Format appends a row as text, with its line ends, to dst.
type Format func(dst []byte, row Row) []byte

// Stream is a host on its way to a text.
type Stream struct {
	Generator *Generator
	Format    Format

	next    Row
	waiting bool
}

// writeSize is what goes to the writer at once, more or less.
const writeSize = 64 << 10

// Write writes rows of all streams for a number of intervals, in the order of
// time and, within an interval, of streams. A stream in the middle of a reboot
// stays silent until its time has come. A later call goes on where an earlier
// one ended; streams that are written together have the same start and interval.
// Text goes out in pieces of about 64 KiB, and whole lines only.
func Write(w io.Writer, intervals int, streams ...*Stream) error {
	text := buffers.Get().(*[]byte)
	defer buffers.Put(text)
	for range intervals {
		now := earliest(streams)
		for _, s := range streams {
			if *text = s.append(*text, now); len(*text) < writeSize {
				continue
			}
			if err := flush(w, text); err != nil {
				return err
			}
		}
	}
	return flush(w, text)
}

// buffers spare a load generator, which writes one interval at a time, a new
// buffer for each.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func flush(w io.Writer, text *[]byte) error {
	_, err := w.Write(*text)
	*text = (*text)[:0]
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	return nil
}

func earliest(streams []*Stream) time.Time {
	var now time.Time
	for i, s := range streams {
		if t := s.peek().Time; i == 0 || t.Before(now) {
			now = t
		}
	}
	return now
}

func (s *Stream) peek() *Row {
	if !s.waiting {
		s.next, s.waiting = s.Generator.Next(), true
	}
	return &s.next
}

func (s *Stream) append(dst []byte, now time.Time) []byte {
	if s.peek().Time.After(now) {
		return dst
	}
	s.waiting = false
	return s.Format(dst, s.next)
}

// CSVHeader names the columns of CSV.
const CSVHeader = "time,cpu,memory,network,label,event,kind,cause\n"

// CSV is a Format: labelled rows as internal/history reads them. It leaves the
// header to the caller.
func CSV(dst []byte, row Row) []byte {
	dst = row.Time.UTC().AppendFormat(dst, time.RFC3339)
	dst = appendFixed(append(dst, ','), row.CPU, 4)
	dst = appendFixed(append(dst, ','), row.Memory, 4)
	dst = appendFixed(append(dst, ','), row.Network, 1)
	dst = strconv.AppendInt(append(dst, ','), int64(count(row.Label)), 10)
	dst = strconv.AppendInt(append(dst, ','), int64(row.Event), 10)
	dst = append(append(dst, ','), row.Kind...)
	dst = append(dst, ',')
	for i, cause := range row.Cause {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, cause...)
	}
	return append(dst, '\n')
}

// SystemMetrics gives the Format of a host whose agent puts all three features
// into one line: system_metrics,host=… cpu=…,memory=…,network=….
func SystemMetrics(host Host) Format {
	head := []byte("system_metrics,host=" + escapeTag(host.Name) + " cpu=")
	return func(dst []byte, row Row) []byte {
		dst = appendFixed(append(dst, head...), row.CPU, 4)
		dst = appendFixed(append(dst, ",memory="...), row.Memory, 4)
		dst = appendFixed(append(dst, ",network="...), row.Network, 1)
		return appendTime(dst, row.Time)
	}
}

func escapeTag(value string) string {
	return strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `).Replace(value)
}

func appendFixed(dst []byte, v float64, digits int) []byte {
	return strconv.AppendFloat(dst, v, 'f', digits, 64)
}

// appendTime ends a line of line protocol.
func appendTime(dst []byte, t time.Time) []byte {
	return append(strconv.AppendInt(append(dst, ' '), t.UnixNano(), 10), '\n')
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
