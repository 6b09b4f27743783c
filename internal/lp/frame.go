package lp

import "bytes"

const (
	// MaxLine is the longest line that is looked at, in bytes. A longer one is
	// handed on in pieces: memory stays bounded whatever the peer sends.
	MaxLine = 1 << 20

	firstBuffer = 128 << 10
)

// A Framer cuts a byte stream into lines. A newline inside a quoted string
// field does not end a line: Telegraf writes such newlines unescaped.
//
// Fill it with Write, then call Next until it reports ok == false.
// The zero value is ready to use. A Framer is not safe for concurrent use.
type Framer struct {
	buf  []byte
	next int  // start of the first line that was not returned yet
	scan int  // everything before it was searched for the end of that line
	cut  int  // end of that line if its open quote turns out to be a plain error; 0 if none
	over bool // inside a line longer than MaxLine
}

// Write adds the bytes that follow in the stream. It invalidates the slices
// that Next returned. It never fails.
func (f *Framer) Write(p []byte) (int, error) {
	if f.next > 0 {
		f.shift()
	}
	if f.buf == nil {
		f.buf = make([]byte, 0, max(firstBuffer, len(p)))
	}
	f.buf = append(f.buf, p...)
	return len(p), nil
}

func (f *Framer) shift() {
	n := copy(f.buf, f.buf[f.next:])
	f.buf = f.buf[:n]
	f.scan -= f.next
	if f.cut > 0 {
		f.cut -= f.next
	}
	f.next = 0
}

// Next returns the next line, its newline included. whole is false for a piece
// of a line longer than MaxLine, which must be handed on unread.
//
// With idle set no more bytes are expected soon: a line whose quote is still
// open is then taken to end at its first newline, so that one malformed line
// cannot hold back those behind it.
func (f *Framer) Next(idle bool) (line []byte, whole, ok bool) {
	for {
		i := bytes.IndexByte(f.buf[f.scan:], '\n')
		if i < 0 {
			f.scan = len(f.buf)
			return f.unfinished(idle)
		}
		end := f.scan + i + 1
		f.scan = end
		if f.over || !openString(f.buf[f.next:end]) {
			whole, f.over = !f.over, false
			return f.take(end), whole, true
		}
		if f.cut == 0 {
			f.cut = end
		}
	}
}

// Empty reports whether every byte written was returned.
func (f *Framer) Empty() bool { return f.next == len(f.buf) && !f.over }

func (f *Framer) unfinished(idle bool) ([]byte, bool, bool) {
	size := len(f.buf) - f.next
	switch {
	case f.cut > 0 && (idle || size > MaxLine):
		return f.take(f.cut), true, true
	case size > MaxLine || (f.over && size > 0):
		f.over = true
		return f.take(len(f.buf)), false, true
	}
	return nil, false, false
}

func (f *Framer) take(end int) []byte {
	line := f.buf[f.next:end]
	f.next, f.scan, f.cut = end, end, 0
	return line
}

// openString reports whether line ends inside a quoted string field. A string
// starts with a quote right behind an equals sign of the field section.
func openString(line []byte) bool {
	if bytes.IndexByte(line, '"') < 0 || line[0] == '#' {
		return false
	}
	open := false
	for i := fieldsAt(line); i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			if open || line[i-1] == '=' {
				open = !open
			}
		}
	}
	return open
}

// fieldsAt returns the index of the first byte of the field section, or
// len(line) if there is none.
func fieldsAt(line []byte) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ' ':
			return i + 1
		}
	}
	return len(line)
}

// Waiting reports whether a line with an open quote waits for more bytes.
func (f *Framer) Waiting() bool { return f.cut > 0 }
