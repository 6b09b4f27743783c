package lp

import "bytes"

// RawTags are the tags of a line as they stand there, such as
// ",cpu=cpu0,host=web01".
type RawTags []byte

// Tags returns the tags of a line that nobody has decoded. It is not ok if there
// are escapes in its series, or no end to that.
func Tags(line []byte) (tags RawTags, ok bool) {
	end := bytes.IndexByte(line, ' ')
	if end < 0 || bytes.IndexByte(line[:end], '\\') >= 0 {
		return nil, false
	}
	if start := bytes.IndexByte(line[:end], ','); start >= 0 {
		return RawTags(line[start:end]), true
	}
	return nil, true
}

// TagPrefix returns what stands before the value of a tag, for RawTags.Value.
func TagPrefix(key string) string { return "," + key + "=" }

// Value returns what follows prefix, nil if that is not there.
func (t RawTags) Value(prefix string) []byte {
	i := bytes.Index(t, []byte(prefix))
	if i < 0 {
		return nil
	}
	value := t[i+len(prefix):]
	if end := bytes.IndexByte(value, ','); end >= 0 {
		value = value[:end]
	}
	return value
}
