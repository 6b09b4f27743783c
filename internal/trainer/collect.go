// Package trainer turns a stored record into a model, and a model and a record
// into verdicts. It makes vectors with package feature and verdicts with package
// engine: training and serving cannot come apart.
package trainer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// MaxRows is how many contexts a Set holds at most: enough for any forest, and
// memory stays bounded whatever the record's length.
const MaxRows = 200_000

// A Set is a training set: contexts, complete and settled, in the record's order.
type Set struct {
	Contexts *mat.Dense
	Times    []int64 // of the rows, nanoseconds
	Schema   feature.Schema
	Seen     int // rows of which Contexts is a sample
	Groups   int
	Dropped  Counts
	From, To time.Time
	Digest   string // SHA-256 of all complete contexts, in order
}

// Collect reads a record. The schema's interval must be settled. Beyond MaxRows
// a uniform sample is kept (Vitter's algorithm R, seeded).
func Collect(ctx context.Context, src *Source, s feature.Schema, seed uint64) (*Set, error) {
	c := &collector{
		set:    &Set{Schema: s},
		width:  len(s.Features) * feature.ContextWidth,
		random: rand.New(rand.NewPCG(seed, 0x5e7)),
		groups: map[string]bool{},
		digest: sha256.New(),
		left:   Counts{},
	}
	dropped, err := Walk(ctx, src, &s, c.take)
	if err != nil {
		return nil, err
	}
	for reason, n := range c.left {
		dropped.add(reason, n)
	}
	c.set.Dropped = dropped
	return c.finish()
}

type collector struct {
	set    *Set
	width  int
	rows   []float64
	kept   []moment
	random *rand.Rand
	groups map[string]bool
	digest hash.Hash
	bytes  []byte
	left   Counts
}

// moment says where and when a kept row was in the record.
type moment struct {
	number int
	time   int64
}

func (c *collector) take(v Sample) {
	switch {
	case !v.Complete():
		c.left.add("missing", 1)
		return
	case !v.Settled:
		c.left.add("unsettled", 1)
		return
	}
	c.groups[v.Group.Key] = true
	c.note(v.Vector)
	at := moment{c.set.Seen, v.Time}
	c.set.Seen++
	if len(c.kept) < MaxRows {
		c.rows, c.kept = append(c.rows, v.Context...), append(c.kept, at)
	} else if i := c.random.IntN(c.set.Seen); i < MaxRows {
		copy(c.rows[i*c.width:], v.Context)
		c.kept[i] = at
	}
}

// note extends the digest and the time range.
func (c *collector) note(v *feature.Vector) {
	c.bytes = binary.BigEndian.AppendUint64(c.bytes[:0], uint64(v.Time))
	for _, x := range v.Context {
		c.bytes = binary.BigEndian.AppendUint64(c.bytes, math.Float64bits(x))
	}
	_, _ = c.digest.Write(c.bytes) // a hash never fails
	t := time.Unix(0, v.Time).UTC()
	if c.set.From.IsZero() || t.Before(c.set.From) {
		c.set.From = t
	}
	if t.After(c.set.To) {
		c.set.To = t
	}
}

func (c *collector) finish() (*Set, error) {
	if len(c.kept) == 0 {
		return nil, fmt.Errorf("%w: none of the record's vectors is complete (left out: %v)", detect.ErrRows, c.set.Dropped)
	}
	c.set.Contexts = mat.NewDense(len(c.kept), c.width, c.inOrder())
	for _, at := range c.kept {
		c.set.Times = append(c.set.Times, at.time)
	}
	c.set.Groups = len(c.groups)
	c.set.Digest = hex.EncodeToString(c.digest.Sum(nil))
	return c.set, nil
}

// inOrder returns the rows in the record's order, which sampling has stirred.
func (c *collector) inOrder() []float64 {
	if c.set.Seen <= MaxRows {
		return c.rows
	}
	order := make([]int, len(c.kept))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(c.kept[a].number, c.kept[b].number) })
	rows, kept := make([]float64, 0, len(c.rows)), make([]moment, 0, len(c.kept))
	for _, i := range order {
		rows = append(rows, c.rows[i*c.width:(i+1)*c.width]...)
		kept = append(kept, c.kept[i])
	}
	c.kept = kept
	return rows
}

// Before returns the part of the set before a moment; what the whole set says of
// its origin stays.
func (s *Set) Before(t time.Time) (*Set, error) {
	_, width := s.Contexts.Dims()
	part := *s
	var rows []float64
	part.Times = nil
	for i, at := range s.Times {
		if at < t.UnixNano() {
			rows = append(rows, s.Contexts.RawRowView(i)...)
			part.Times = append(part.Times, at)
		}
	}
	if len(part.Times) == 0 {
		return nil, fmt.Errorf("%w: none before %s", detect.ErrRows, t.Format(time.RFC3339))
	}
	part.Contexts = mat.NewDense(len(part.Times), width, rows)
	return &part, nil
}
