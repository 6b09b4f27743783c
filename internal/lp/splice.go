package lp

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Splice appends line to dst with fields, a comma-led list such as
// ",a=1,b=2i", put behind its own fields. Every byte of line is kept.
func Splice(dst, line, fields []byte) []byte {
	end := fieldsEnd(line)
	dst = append(dst, line[:end]...)
	dst = append(dst, fields...)
	return append(dst, line[end:]...)
}

// fieldsEnd returns the index just behind the field section of a valid line. If
// its last word is a number it is the time stamp: a field has an equals sign, and
// what ends a string is a quote.
func fieldsEnd(line []byte) int {
	end := len(bytes.TrimRight(line, " \r\n"))
	space := bytes.LastIndexByte(line[:end], ' ')
	if space < 0 || !isInteger(line[space+1:end]) {
		return end
	}
	return len(bytes.TrimRight(line[:space], " "))
}

func isInteger(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// AppendFloat appends ",key=v" with the shortest decimal that reads back as v,
// always typed as a float. A value that line protocol cannot carry (NaN, Inf)
// is left out. key must already be escaped.
func AppendFloat(dst []byte, key string, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dst
	}
	dst = append(append(append(dst, ','), key...), '=')
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// AppendInt appends ",key=vi".
func AppendInt(dst []byte, key string, v int64) []byte {
	dst = append(append(append(dst, ','), key...), '=')
	return append(strconv.AppendInt(dst, v, 10), 'i')
}

// AppendString appends `,key="v"` with quotes and backslashes escaped and
// line ends turned into spaces.
func AppendString(dst []byte, key, v string) []byte {
	dst = append(append(append(dst, ','), key...), '=', '"')
	v = strings.ToValidUTF8(v, "\uFFFD")
	for i := 0; i < len(v); i++ {
		switch c := v[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n', '\r':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
