package forest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Errors of [Forest.UnmarshalBinary]; callers branch on them with errors.Is.
var (
	ErrTruncated = errors.New("forest: section is truncated")
	ErrVersion   = errors.New("forest: section has an unknown format version")
	ErrFormat    = errors.New("forest: section is malformed")
)

const (
	version      = 1
	hasCovers    = 1       // flag: leaves carry a cover apart from their samples
	leafBytes    = 2       // at least: tag, samples
	innerBytes   = 5       // at least: column, threshold
	negativeZero = 1 << 31 // a second way to write zero
)

// MarshalBinary returns the encoding that [Forest.UnmarshalBinary] describes. The error is always nil.
func (f *Forest) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// AppendBinary appends the encoding that [Forest.UnmarshalBinary] describes to b. The error is always nil.
func (f *Forest) AppendBinary(b []byte) ([]byte, error) {
	flags := 0
	if f.covers != nil {
		flags = hasCovers
	}
	b = appendHeader(b, f.columns, f.sampleSize, f.trees, flags)
	for _, root := range f.roots[:f.trees] {
		b = f.appendSubtree(b, root)
	}
	return b, nil
}

func (f *Forest) appendSubtree(b []byte, i int32) []byte {
	if samples := f.samples[i]; samples > 0 {
		b = appendLeaf(b, int(samples))
		if f.covers != nil {
			b = binary.AppendUvarint(b, uint64(f.covers[i]-samples))
		}
		return b
	}
	n := f.nodes[i]
	b = appendSplit(b, n.column(), n.threshold())
	b = f.appendSubtree(b, i+n.left())
	return f.appendSubtree(b, i+n.left()+1)
}

func appendHeader(b []byte, columns, sampleSize, trees, flags int) []byte {
	b = append(b, version)
	for _, v := range []int{columns, sampleSize, trees, flags} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}

func appendLeaf(b []byte, samples int) []byte {
	return binary.AppendUvarint(append(b, 0), uint64(samples))
}

func appendSplit(b []byte, column int, threshold float32) []byte {
	b = binary.AppendUvarint(b, uint64(column)+1)
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(threshold))
}

// UnmarshalBinary replaces f by the forest encoded in b, which must hold one section and nothing else:
//
//	version      1 byte, 1
//	columns      uvarint, 1 to 65,536
//	sampleSize   uvarint, 1 to 32,768
//	trees        uvarint, 1 to 16,384
//	flags        uvarint, 0 or 1 (leaves have covers)
//	trees times  one tree, its nodes in depth-first preorder:
//	  inner node   uvarint column+1, then the threshold as 4 bytes, float32, little endian, finite, not −0
//	  leaf         uvarint 0, uvarint samples, with flag 1 also uvarint cover−samples
//
// An unsigned varint is encoding/binary's, in its shortest form. Preorder needs no pointers, so that no cycle can be
// written; a tree ends where its preorder is complete. At most 32 edges lead to a leaf, 1 <= samples, and the covers of a
// tree's leaves sum to at most sampleSize. Flag 1 is set only if some cover differs. So every forest has exactly one
// encoding, and every section that is accepted is the encoding of its forest.
//
// Counts are checked against the length of b before anything is allocated. Decoding allocates at most 4 bytes for each
// byte of b, 12 for each tree and 256 KiB, and recursion is bounded by the depth. On error f is untouched, and the error
// wraps [ErrTruncated], [ErrVersion] or [ErrFormat]. A checksum is the business of the file around the section.
func (f *Forest) UnmarshalBinary(b []byte) error {
	decoded, err := decode(b)
	if err == nil {
		*f = *decoded
	}
	return err
}

type decoder struct {
	rest  []byte
	flags int
	*builder
}

func decode(b []byte) (*Forest, error) {
	if len(b) == 0 {
		return nil, ErrTruncated
	}
	if b[0] != version {
		return nil, fmt.Errorf("%w: %d, this program reads %d", ErrVersion, b[0], version)
	}
	d := decoder{rest: b[1:]}
	trees, err := d.header()
	if err != nil {
		return nil, err
	}
	for t := range trees {
		if err := d.subtree(d.root(), 0); err != nil {
			return nil, fmt.Errorf("tree %d: %w", t, err)
		}
	}
	switch {
	case len(d.rest) > 0:
		return nil, fmt.Errorf("%w: %d bytes after the last tree", ErrFormat, len(d.rest))
	case d.flags == hasCovers && slices.Equal(d.f.covers, d.f.samples):
		return nil, fmt.Errorf("%w: flag for covers that equal the samples", ErrFormat)
	}
	return d.finish(), nil
}

// header reads the counts, checks them, and makes room for the most nodes that the rest can hold: n leaves and n − trees
// inner nodes.
func (d *decoder) header() (trees int, err error) {
	var columns, sampleSize int
	for _, field := range []struct {
		value *int
		limit uint64
	}{{&columns, MaxColumns}, {&sampleSize, MaxSampleSize}, {&trees, MaxTrees}, {&d.flags, hasCovers}} {
		if *field.value, err = d.uvarint(field.limit); err != nil {
			return 0, err
		}
	}
	if err := checkShape(columns, sampleSize, trees); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if trees*leafBytes > len(d.rest) {
		return 0, fmt.Errorf("%w: %d trees in %d bytes", ErrTruncated, trees, len(d.rest))
	}
	leaves := (len(d.rest) + innerBytes*trees) / (innerBytes + leafBytes)
	d.builder = newBuilder(columns, sampleSize, trees, 2*leaves-trees, d.flags == hasCovers)
	return trees, nil
}

func (d *decoder) subtree(slot int32, depth int) error {
	tag, err := d.uvarint(uint64(d.f.columns))
	if err != nil {
		return err
	}
	if tag == 0 {
		return d.readLeaf(slot, depth)
	}
	if len(d.rest) < 4 {
		return ErrTruncated
	}
	pattern := binary.LittleEndian.Uint32(d.rest)
	threshold := math.Float32frombits(pattern)
	if d.rest = d.rest[4:]; pattern == negativeZero {
		return fmt.Errorf("%w: threshold is negative zero", ErrFormat)
	}
	left, err := d.split(slot, depth, tag-1, threshold)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := d.subtree(left, depth+1); err != nil {
		return err
	}
	return d.subtree(left+1, depth+1)
}

func (d *decoder) readLeaf(slot int32, depth int) error {
	samples, err := d.uvarint(MaxSampleSize)
	if err != nil {
		return err
	}
	more := 0
	if d.flags == hasCovers {
		if more, err = d.uvarint(MaxSampleSize); err != nil {
			return err
		}
	}
	if err := d.leaf(slot, depth, samples, samples+more); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}

// uvarint reads a number of at most limit.
func (d *decoder) uvarint(limit uint64) (int, error) {
	v, n := binary.Uvarint(d.rest)
	switch {
	case n == 0:
		return 0, ErrTruncated
	case n < 0 || v > limit:
		return 0, fmt.Errorf("%w: number beyond %d", ErrFormat, limit)
	case n > 1 && d.rest[n-1] == 0:
		return 0, fmt.Errorf("%w: number %d is not in its shortest form", ErrFormat, v)
	}
	d.rest = d.rest[n:]
	return int(v), nil
}
