package history

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// lines gives the lines of a text that may be compressed, in bounded memory.
type lines struct {
	text   *bufio.Reader
	number int  // of the line given last
	open   bool // it has no end
}

// maxLine holds some ten thousand columns; whoever has more than that in a line
// has lost a line break.
const maxLine = 1 << 20

var errLongLine = errors.New("line over 1 MiB")

// errOpenLine is a last line that lacks its end: half a number is a number, too.
var errOpenLine = errors.New("the line has no end, the file may be cut here")

func newLines(r io.Reader) (*lines, error) {
	text := bufio.NewReaderSize(r, maxLine)
	if magic, _ := text.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(text)
		if err != nil {
			return nil, cut(err)
		}
		text = bufio.NewReaderSize(unzipped, maxLine)
	}
	return &lines{text: text}, dropMark(text)
}

func dropMark(text *bufio.Reader) error {
	mark, _ := text.Peek(3)
	if bytes.HasPrefix(mark, []byte{0xff, 0xfe}) || bytes.HasPrefix(mark, []byte{0xfe, 0xff}) {
		return errors.New("text is UTF-16: save it as UTF-8")
	}
	if bytes.Equal(mark, []byte("\ufeff")) {
		_, err := text.Discard(len(mark))
		return err
	}
	return nil
}

// next gives a line without its end and without blanks around it, valid until
// the next call; io.EOF after the last one. A line that is too long is passed
// over with errLongLine.
func (l *lines) next() ([]byte, error) {
	l.number++
	line, err := l.text.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, l.passOver()
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		l.open, err = true, nil
	}
	return trim(line), cut(err)
}

func (l *lines) passOver() error {
	for {
		_, err := l.text.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			return errLongLine
		default:
			return cut(err)
		}
	}
}

// peek gives whole lines ahead, as many as the buffer holds, without taking
// them; io.EOF if there is nothing but blanks.
func (l *lines) peek() ([][]byte, error) {
	ahead, err := l.text.Peek(maxLine)
	if !errors.Is(err, io.EOF) {
		if err != nil && len(ahead) == 0 {
			return nil, cut(err)
		}
		ahead = ahead[:bytes.LastIndexByte(ahead, '\n')+1]
	}
	if len(bytes.TrimSpace(ahead)) == 0 && errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	return bytes.Split(ahead, []byte{'\n'}), nil
}

// trim leaves tabs alone: they may separate empty cells.
func trim(line []byte) []byte { return bytes.Trim(line, " \r\n") }

func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("file is cut short, copy it again: %w", err)
	}
	return err
}
