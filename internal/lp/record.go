package lp

import (
	"strconv"
	"strings"
)

// A Value is one field of a Record: a float, an integer or a string. Its key
// must be a plain word.
type Value struct {
	Key   string
	kind  byte
	float float64
	int   int64
	text  string
}

// Float makes a float value.
func Float(key string, v float64) Value { return Value{Key: key, kind: 'f', float: v} }

// Int makes an integer value.
func Int(key string, v int64) Value { return Value{Key: key, kind: 'i', int: v} }

// String makes a string value.
func String(key, v string) Value { return Value{Key: key, kind: 's', text: v} }

// Any returns the value as float64, int64 or string.
func (v *Value) Any() any {
	switch v.kind {
	case 'f':
		return v.float
	case 'i':
		return v.int
	}
	return v.text
}

// AppendValues appends ",key=value" for each value, as Splice takes it.
func AppendValues(dst []byte, values []Value) []byte {
	for i := range values {
		switch v := &values[i]; v.kind {
		case 'f':
			dst = AppendFloat(dst, v.Key, v.float)
		case 'i':
			dst = AppendInt(dst, v.Key, v.int)
		default:
			dst = AppendString(dst, v.Key, v.text)
		}
	}
	return dst
}

// A Record is a metric of our own.
type Record struct {
	Name   string
	Tags   [][2]string // in sorted order of their keys; empty values are left out
	Fields []Value     // at least one that is not NaN or infinite
	Time   int64
}

// AppendRecord appends r as a line, or nothing if none of its fields can be
// written.
func AppendRecord(dst []byte, r *Record) []byte {
	before := len(dst)
	dst = appendEscaped(dst, r.Name, nameSpecials)
	for _, t := range r.Tags {
		dst = appendTag(dst, t[0], t[1])
	}
	start := len(dst)
	dst = AppendValues(dst, r.Fields)
	if len(dst) == start {
		return dst[:before]
	}
	dst[start] = ' ' // where the list leads with a comma
	return append(strconv.AppendInt(append(dst, ' '), r.Time, 10), '\n')
}

func appendTag(dst []byte, key, value string) []byte {
	before := len(dst)
	dst = append(appendEscaped(append(dst, ','), key, tagSpecials), '=')
	start := len(dst)
	if dst = appendEscaped(dst, value, tagSpecials); len(dst) == start {
		return dst[:before]
	}
	return dst
}

// What a backslash must go before.
const (
	nameSpecials = " ,"
	tagSpecials  = " ,="
)

// appendEscaped appends a measurement, tag key or tag value. What line protocol
// cannot hold is changed: a control character becomes a space, and a backslash
// at the end is dropped, as Telegraf does it.
func appendEscaped(dst []byte, s, specials string) []byte {
	s = strings.TrimRight(strings.ToValidUTF8(s, "\uFFFD"), `\`)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		if strings.IndexByte(specials, c) >= 0 {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}
