// Package trainer turns a stored record into a model, and a model and a record
// into verdicts. It makes vectors with package feature and verdicts with package
// engine: training and serving cannot come apart.
package trainer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/lp"
)

// MaxRows is how many contexts a Set holds at most: enough for any forest, and
// memory stays bounded whatever the record's length.
const MaxRows = 200_000

// A Set is a training set: contexts, complete and warm.
type Set struct {
	Contexts *mat.Dense
	Schema   feature.Schema // with the interval that was found
	Groups   int
	Dropped  map[string]int // rows left out, by reason
	From, To time.Time
	Digest   string // SHA-256 of all complete contexts, in order
}

// Collect reads a record. The schema's interval, if 0, is taken from the record.
// Beyond MaxRows a uniform sample is kept (Vitter's algorithm R, seeded).
func Collect(r *history.Record, s feature.Schema, seed uint64) (*Set, error) {
	if err := settle(r, &s); err != nil {
		return nil, err
	}
	c := &collector{
		set:    &Set{Schema: s, Dropped: map[string]int{}},
		width:  len(s.Features) * feature.ContextWidth,
		random: rand.New(rand.NewPCG(seed, 0x5e7)),
		groups: map[string]bool{},
		digest: sha256.New(),
	}
	if err := c.feed.open(r, &s, c.take); err != nil {
		return nil, err
	}
	if err := r.Read(&c.feed); err != nil {
		return nil, err
	}
	c.feed.flush()
	return c.finish(r)
}

// settle fills the schema's interval in.
func settle(r *history.Record, s *feature.Schema) (err error) {
	if s.Interval == 0 {
		if s.Interval, err = r.Interval(); err != nil {
			return err
		}
	}
	if s.Interval == 0 { // a table without time: rows are what they are
		if s.Window > 0 {
			return fmt.Errorf("trainer: the file has no time column, so there is no past to look at; use --window 0")
		}
		s.Interval = time.Second
	}
	return nil
}

type collector struct {
	feed   feed
	set    *Set
	width  int
	rows   []float64
	seen   int
	random *rand.Rand
	groups map[string]bool
	digest interface {
		Write([]byte) (int, error)
		Sum([]byte) []byte
	}
	bytes []byte
}

func (c *collector) take(v *feature.Vector) {
	switch {
	case !v.Complete():
		c.set.Dropped["missing"]++
		return
	case !v.Settled:
		c.set.Dropped["warming"]++
		return
	}
	c.groups[v.Group.Key] = true
	c.note(v)
	c.seen++
	if c.seen <= MaxRows {
		c.rows = append(c.rows, v.Context...)
	} else if i := c.random.IntN(c.seen); i < MaxRows {
		copy(c.rows[i*c.width:], v.Context)
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

func (c *collector) finish(r *history.Record) (*Set, error) {
	if n := r.Report.Bad; n > 0 {
		c.set.Dropped["unreadable"] = n
	}
	if n := c.feed.late(); n > 0 {
		c.set.Dropped["late or duplicate"] = n
	}
	if len(c.rows) == 0 {
		return nil, fmt.Errorf("trainer: no complete vector in the record (left out: %v)", c.set.Dropped)
	}
	c.set.Contexts = mat.NewDense(len(c.rows)/c.width, c.width, c.rows)
	c.set.Groups = len(c.groups)
	c.set.Digest = hex.EncodeToString(c.digest.Sum(nil))
	return c.set, nil
}

// feed is a history.Sink that makes vectors.
type feed struct {
	joiner   *feature.Joiner[struct{}]
	sequence *feature.Sequence
	row      int64
	schema   *feature.Schema
	take     func(*feature.Vector)
}

func (f *feed) open(r *history.Record, s *feature.Schema, take func(*feature.Vector)) (err error) {
	f.schema, f.take = s, take
	if r.CSV {
		f.sequence, err = feature.NewSequence(s, "")
		return err
	}
	f.joiner, err = feature.NewJoiner(s, 0, feature.DefaultLimits, func(v *feature.Vector, _ []feature.Item[struct{}]) { take(v) })
	return err
}

func (f *feed) Point(p *lp.Point) error {
	f.joiner.Add(p, struct{}{}, time.Time{})
	return nil
}

func (f *feed) Row(r history.Row) error {
	if v := f.sequence.Add(rowTime(r, f.row, f.schema), r.Values); v != nil {
		f.take(v)
	}
	f.row++
	return nil
}

// rowTime stands in for the time that a table need not have.
func rowTime(r history.Row, number int64, s *feature.Schema) int64 {
	if r.Time.IsZero() {
		return number * int64(s.Interval)
	}
	return r.Time.UnixNano()
}

func (f *feed) flush() {
	if f.joiner != nil {
		f.joiner.Flush()
	}
}

func (f *feed) late() int {
	if f.joiner != nil {
		return int(f.joiner.Counts.Late + f.joiner.Counts.Duplicate)
	}
	return int(f.sequence.Counts.Late + f.sequence.Counts.Duplicate)
}
