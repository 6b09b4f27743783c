package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/drift"
	"telegraf-anomaly/internal/feature"
)

// Errors that Decode wraps.
var (
	ErrTruncated = errors.New("model: file is cut off")
	ErrMagic     = errors.New("model: not a model file")
	ErrNewer     = errors.New("model: file format is newer than this program")
	ErrDigest    = errors.New("model: file is damaged, its SHA-256 does not match")
	ErrInvalid   = errors.New("model: file is well-formed but not a valid model")
)

const (
	magic   = "tg-anom\n"
	version = 1

	// MaxSize bounds a model file: a larger one is refused unread.
	MaxSize = 64 << 20

	headerSize = len(magic) + 4 + 4 + 4

	// What a model of a thousand features needs, and a hostile file may not
	// exceed: decoding JSON costs many times its size, brackets most of all.
	maxMetadata = 16 << 20
	maxBrackets = 1 << 16
)

// metadata is the JSON part of the file.
type metadata struct {
	Schema     feature.Schema `json:"schema"`
	Detector   *detect.Model  `json:"detector"`
	Provenance Provenance     `json:"provenance"`
	Profile    drift.Profile  `json:"profile"`
	Probes     []Probe        `json:"probes"`
}

// Encode writes the model file that Decode reads.
func (b *Bundle) Encode() ([]byte, error) {
	meta, err := json.Marshal(metadata{b.Schema, b.Detector, b.Provenance, b.Profile, b.Probes})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	trees, err := b.Detector.Forest.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	size := headerSize + len(meta) + len(trees) + sha256.Size
	if len(meta) > maxMetadata || size > MaxSize {
		return nil, fmt.Errorf("model: %d bytes of metadata and %d of trees are too much for a model file; use fewer features or trees", len(meta), len(trees))
	}
	data := make([]byte, 0, size)
	data = append(data, magic...)
	data = binary.BigEndian.AppendUint32(data, version)
	data = binary.BigEndian.AppendUint32(data, uint32(len(meta)))
	data = binary.BigEndian.AppendUint32(data, uint32(len(trees)))
	data = append(append(data, meta...), trees...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// Decode reads a model file:
//
//	8 bytes   magic "tg-anom\n"
//	4 bytes   format version, big-endian as all numbers here
//	4 bytes   length of the metadata
//	4 bytes   length of the forest
//	…         metadata: JSON (schema, detector, provenance, profile, probes), no unknown keys
//	…         forest, see forest.Forest.UnmarshalBinary
//	32 bytes  SHA-256 of everything before
//
// Lengths are checked against the size of data before anything is allocated, and
// decoding allocates at most 40 bytes for each byte of metadata. The probes are
// computed and compared. Errors wrap ErrTruncated, ErrMagic, ErrNewer, ErrDigest
// or ErrInvalid.
func Decode(data []byte) (*Bundle, error) {
	text, trees, err := sections(data)
	if err != nil {
		return nil, err
	}
	m, err := decodeMetadata(text)
	if err != nil {
		return nil, err
	}
	m.Detector.Forest = new(forest.Forest)
	if err := m.Detector.Forest.UnmarshalBinary(trees); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	b := &Bundle{Schema: m.Schema, Detector: m.Detector, Provenance: m.Provenance, Profile: m.Profile, Probes: m.Probes, id: contentID(data)}
	if err := b.Verify(); err != nil {
		return nil, err
	}
	return b, nil
}

func decodeMetadata(text []byte) (m metadata, err error) {
	if n := bytes.Count(text, []byte("{")) + bytes.Count(text, []byte("[")); len(text) > maxMetadata || n > maxBrackets {
		return m, fmt.Errorf("%w: %d bytes of metadata with %d brackets are too much", ErrInvalid, len(text), n)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: metadata: %w", ErrInvalid, err)
	}
	switch {
	case d.InputOffset() != int64(len(text)):
		return m, fmt.Errorf("%w: %d bytes behind the metadata", ErrInvalid, int64(len(text))-d.InputOffset())
	case m.Detector == nil:
		return m, fmt.Errorf("%w: no detector", ErrInvalid)
	}
	return m, nil
}

// sections checks the frame of a file and returns what it holds.
func sections(data []byte) (meta, trees []byte, err error) {
	if len(data) < headerSize+sha256.Size {
		return nil, nil, fmt.Errorf("%w: %d bytes", ErrTruncated, len(data))
	}
	if string(data[:len(magic)]) != magic {
		return nil, nil, ErrMagic
	}
	head := data[len(magic):]
	if v := binary.BigEndian.Uint32(head); v > version {
		return nil, nil, fmt.Errorf("%w: version %d, this program reads up to %d; upgrade it or fit the model again", ErrNewer, v, version)
	} else if v == 0 {
		return nil, nil, fmt.Errorf("%w: version 0", ErrMagic)
	}
	metaSize, treeSize := int64(binary.BigEndian.Uint32(head[4:])), int64(binary.BigEndian.Uint32(head[8:]))
	body := int64(len(data) - headerSize - sha256.Size)
	if metaSize+treeSize > body {
		return nil, nil, fmt.Errorf("%w: %d bytes, its header asks for %d", ErrTruncated, len(data), int64(len(data))+metaSize+treeSize-body)
	}
	end := len(data) - sha256.Size
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) || metaSize+treeSize != body {
		return nil, nil, ErrDigest
	}
	return data[headerSize : headerSize+int(metaSize)], data[headerSize+int(metaSize) : end], nil
}
