package lp

import "strconv"

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
	Fields []Value     // at least one
	Time   int64
}

// AppendRecord appends r as a line.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, Escape(r.Name)...)
	for _, t := range r.Tags {
		if t[1] != "" {
			dst = append(append(dst, ','), Escape(t[0])...)
			dst = append(append(dst, '='), Escape(t[1])...)
		}
	}
	dst = append(dst, ' ')
	start := len(dst)
	dst = AppendValues(dst, r.Fields)
	dst = append(dst[:start], dst[start+1:]...) // the list leads with a comma
	dst = append(dst, ' ')
	return append(strconv.AppendInt(dst, r.Time, 10), '\n')
}
