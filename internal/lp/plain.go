package lp

import (
	"math"
	"strconv"
)

// Bytes by what they may be part of in a plain line.
const (
	wordChar  = 1 << iota // measurement, tag or field key
	digitChar             // number
)

var classes = func() (c [256]byte) {
	for b := '!'; b <= '~'; b++ {
		c[b] = wordChar
	}
	for _, b := range `",=\` {
		c[b] = 0
	}
	for b := '0'; b <= '9'; b++ {
		c[b] |= digitChar
	}
	return c
}()

// plain decodes a line of the kind that Telegraf's inputs write most: printable
// ASCII without escapes, fields that are integers or decimal fractions, a time
// stamp of at most 19 digits. It reports false for every other line, be it valid
// or not, and then p is undefined. What it decodes it decodes as lineprotocol
// does, at a fifth of the time.
func (p *Point) plain(line []byte) bool {
	s := scanner{line: line}
	if !s.word() || line[0] == '#' {
		return false
	}
	p.Name, p.Tags, p.Fields = s.token(), p.Tags[:0], p.Fields[:0]
	for s.eat(',') {
		if !s.pair() {
			return false
		}
		p.Tags = append(p.Tags, Tag{s.key, s.token()})
	}
	p.Series = line[:s.next]
	if !s.eat(' ') {
		return false
	}
	for {
		v, ok := s.field()
		if !ok {
			return false
		}
		p.Fields = append(p.Fields, Field{Key: s.key, Value: v, Numeric: true})
		if !s.eat(',') {
			break
		}
	}
	return s.eat(' ') && s.time(&p.Time)
}

// A scanner reads a plain line from left to right. Its methods report false
// where the line is not plain.
type scanner struct {
	line  []byte
	start int // of the newest token
	next  int
	key   []byte
}

func (s *scanner) token() []byte { return s.line[s.start:s.next:s.next] }

// eat reads the byte c if it is the next one.
func (s *scanner) eat(c byte) bool {
	if s.next < len(s.line) && s.line[s.next] == c {
		s.next++
		return true
	}
	return false
}

// word reads a token.
func (s *scanner) word() bool {
	line, i := s.line, s.next
	for i < len(line) && classes[line[i]]&wordChar != 0 {
		i++
	}
	s.start, s.next = s.next, i
	return i > s.start
}

// pair reads a tag.
func (s *scanner) pair() bool {
	if !s.word() {
		return false
	}
	s.key = s.token()
	return s.eat('=') && s.word()
}

// field reads key and number.
func (s *scanner) field() (v float64, ok bool) {
	if !s.word() {
		return 0, false
	}
	s.key = s.token()
	return s.number()
}

// digits reads digits and puts them behind those of n.
func (s *scanner) digits(n uint64) (_ uint64, count int) {
	line, i := s.line, s.next
	for i < len(line) && classes[line[i]]&digitChar != 0 {
		n = 10*n + uint64(line[i]-'0')
		i++
	}
	count = i - s.next
	s.next = i
	return n, count
}

// Numbers of so many digits do not overflow.
const (
	safeInt  = 18
	safeUint = 19
)

// number reads an equals sign and a number.
func (s *scanner) number() (v float64, ok bool) {
	if !s.eat('=') {
		return 0, false
	}
	s.start = s.next
	negative := s.eat('-')
	n, whole := s.digits(0)
	if whole == 0 {
		return 0, false
	}
	if s.eat('i') {
		v = float64(int64(n))
		if negative {
			v = float64(-int64(n))
		}
		return v, whole <= safeInt
	}
	fraction := 0
	if s.eat('.') {
		if n, fraction = s.digits(n); fraction == 0 {
			return 0, false
		}
	}
	return s.decimal(n, whole, fraction, negative)
}

// decimal returns the value of a number of which everything is known but how
// long it is. Both parts of a short one are exact, so their quotient is the
// nearest float64.
func (s *scanner) decimal(n uint64, whole, fraction int, negative bool) (v float64, ok bool) {
	if whole+fraction > safeUint || n > 1<<53 {
		v, err := strconv.ParseFloat(string(s.token()), 64)
		return v, err == nil
	}
	v = float64(n)
	if fraction > 0 {
		v /= powers[fraction]
	}
	if negative {
		v = -v
	}
	return v, true
}

// powers of ten that a float64 holds exactly.
var powers = func() (p [safeUint + 1]float64) {
	for i, x := 0, 1.0; i < len(p); i, x = i+1, 10*x {
		p[i] = x
	}
	return p
}()

// time reads the time stamp and the end of the line.
func (s *scanner) time(t *int64) bool {
	n, count := s.digits(0)
	*t = int64(n)
	s.eat('\n')
	return count > 0 && count <= safeUint && n <= math.MaxInt64 && s.next == len(s.line)
}
