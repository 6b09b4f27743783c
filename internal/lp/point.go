package lp

import "bytes"

// A Point is one metric, reduced to what features are made of. Its slices live
// until the Point or its line is used again.
type Point struct {
	Series []byte // name and tags in their order on the line: the identity of the series
	Name   []byte
	Tags   []Tag
	Fields []Field
	Time   int64 // nanoseconds since the epoch

	decoder *decoder
}

// Tag is one tag of a Point.
type Tag struct{ Key, Value []byte }

// Field is one field of a Point. Numeric is false for strings and booleans,
// whose Value is 0.
type Field struct {
	Key     []byte
	Value   float64
	Numeric bool
}

// Tag returns the value of the tag named key, nil if there is none.
func (p *Point) Tag(key string) []byte {
	for i := range p.Tags {
		if string(p.Tags[i].Key) == key {
			return p.Tags[i].Value
		}
	}
	return nil
}

// Name returns the measurement of a line without looking at the rest. Only a
// name with escapes costs an allocation.
func Name(line []byte) []byte {
	for i, c := range line {
		switch c {
		case ',', ' ':
			if i > 0 && line[i-1] == '\\' {
				continue
			}
			return unescapeName(line[:i])
		case '\n':
			return unescapeName(line[:i])
		}
	}
	return unescapeName(line)
}

func unescapeName(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	name = bytes.ReplaceAll(name, []byte(`\,`), []byte(`,`))
	return bytes.ReplaceAll(name, []byte(`\ `), []byte(` `))
}

func series(line []byte) []byte {
	line = bytes.TrimLeft(line, " \r\n")
	return line[:fieldsAt(line)-1]
}
