package lp

import "bytes"

const (
	// MaxLine is the longest line that is looked at, in bytes. A longer one is
	// handed on in pieces: memory stays bounded whatever the peer sends.
	MaxLine = 1 << 20

	firstBuffer = 128 << 10
)

// A Framer cuts a byte stream into lines. A newline inside a quoted string
// field does not end a line: Telegraf writes such newlines unescaped. How the
// stream was cut into writes makes no difference to the lines.
//
// Fill it with Write, then call Next until it reports ok == false.
// The zero value is ready to use. A Framer is not safe for concurrent use.
type Framer struct {
	buf   []byte
	next  int  // start of the first line that was not returned yet
	row   int  // start of the stretch that the next newline ends; behind next only inside a string
	scan  int  // everything before it was searched for that newline
	open  bool // a string is open at row
	cut   int  // end of the line if its open quote turns out to be a plain error; 0 if none
	plain int  // lines that start before it end at their first newline, whatever their quotes
	over  bool // inside a line longer than MaxLine
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
	f.row, f.scan = f.row-f.next, f.scan-f.next
	f.cut, f.plain = max(0, f.cut-f.next), max(0, f.plain-f.next)
	f.next = 0
}

// Next returns the next line, its newline included. whole is false for a piece
// of a line longer than MaxLine, which must be handed on unread.
//
// With idle set no more bytes are expected soon: a line whose quote is still
// open is then taken to end at its first newline, and so are all that follow it
// so far: one malformed line cannot hold back those behind it.
func (f *Framer) Next(idle bool) (line []byte, whole, ok bool) {
	for {
		i := bytes.IndexByte(f.buf[f.scan:], '\n')
		if i < 0 {
			f.scan = len(f.buf)
			return f.unfinished(idle)
		}
		end := f.scan + i + 1
		switch {
		case f.over || end-f.next > MaxLine:
			if f.cut > 0 {
				return f.giveUp(f.next + MaxLine), true, true
			}
			f.over = false
			return f.take(end), false, true
		case f.endsAt(end):
			return f.take(end), true, true
		}
		f.row, f.scan = end, end
		if f.cut == 0 {
			f.cut = end
		}
	}
}

// endsAt reports whether the newline before end ends the line.
func (f *Framer) endsAt(end int) bool {
	if f.row < f.plain {
		return true
	}
	f.open = openString(f.buf[f.row:end], f.open)
	return !f.open
}

func (f *Framer) unfinished(idle bool) ([]byte, bool, bool) {
	size := len(f.buf) - f.next
	switch {
	case f.cut > 0 && size > MaxLine:
		return f.giveUp(f.next + MaxLine), true, true
	case f.cut > 0 && idle:
		return f.giveUp(len(f.buf)), true, true
	case size > MaxLine || (f.over && size > 0):
		f.over = true
		return f.take(len(f.buf)), false, true
	}
	return nil, false, false
}

// giveUp stops looking for the end of an open string. Without plain, a stream of
// open quotes would be searched anew from every line.
func (f *Framer) giveUp(plain int) []byte {
	f.plain = plain
	return f.take(f.cut)
}

func (f *Framer) take(end int) []byte {
	line := f.buf[f.next:end]
	f.next, f.row, f.scan = end, end, end
	f.open, f.cut = false, 0
	return line
}

// Waiting reports whether a line with an open quote waits for more bytes.
func (f *Framer) Waiting() bool { return f.cut > 0 }

// Inside reports whether the last piece that was returned lacks the end of its
// line: nothing else may be written before that.
func (f *Framer) Inside() bool { return f.over }

// Empty reports whether every byte written was returned.
func (f *Framer) Empty() bool { return f.next == len(f.buf) }

// openString reports whether a string field is open at the end of text, which is
// what stands between two newlines. inside says that it begins in a string.
func openString(text []byte, inside bool) bool {
	start := 0 // of what was not looked at yet
	if !inside {
		if bytes.IndexByte(text, '"') < 0 {
			return false
		}
		start = fieldsAt(text)
	}
	for {
		i := bytes.IndexByte(text[start:], '"')
		if i < 0 {
			return inside
		}
		if inside {
			inside = endsEscaped(text[start : start+i])
		} else {
			inside = endsKey(text[:start+i])
		}
		start += i + 1
	}
}

// endsEscaped reports whether b ends in a backslash that escapes what follows.
func endsEscaped(b []byte) bool {
	return (len(b)-len(bytes.TrimRight(b, `\`)))%2 == 1
}

// endsKey reports whether b ends with the equals sign of a field.
func endsKey(b []byte) bool {
	key, ok := bytes.CutSuffix(b, []byte("="))
	return ok && !endsEscaped(key)
}

// fieldsAt returns the index of the first byte of the field section, or
// len(line) if there is none.
func fieldsAt(line []byte) int {
	i := len(line) - len(bytes.TrimLeft(line, " "))
	if i < len(line) && line[i] == '#' {
		return len(line)
	}
	for {
		space := bytes.IndexByte(line[i:], ' ')
		if space < 0 {
			return len(line)
		}
		i += space + 1
		if line[i-2] != '\\' { // line protocol has no escaped backslash there: the one before a space escapes the space
			return i
		}
	}
}
