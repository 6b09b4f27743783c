package feature

import (
	"fmt"
	"math"
)

// A Sequence makes the vectors of one group from rows that hold the features
// already, as a CSV file does: what a Joiner does behind the joining.
type Sequence struct {
	Counts Counts

	schema *Schema
	shape  shape
	group  Group
	bucket int64
	begun  bool
	vector *Vector
}

// NewSequence returns a Sequence for a normalized schema with an interval. key
// names the group.
func NewSequence(s *Schema, key string) (*Sequence, error) {
	if s.Interval <= 0 {
		return nil, fmt.Errorf("feature: the schema has no interval")
	}
	tags := make([]string, len(s.GroupBy))
	if len(tags) > 0 {
		tags[0] = key
	}
	return &Sequence{
		schema: s, shape: newShape(s.Window, s.Interval), group: Group{Key: key, Tags: tags}, vector: newVector(len(s.Features)),
	}, nil
}

// Add returns the vector of a row, whose values are in the schema's order, NaN
// where missing, and already in the feature's unit. It returns nil for a second
// row of an interval and for one that comes too late. The vector is reused.
func (q *Sequence) Add(time int64, values []float64) *Vector {
	b := bucketOf(time, int64(q.schema.Interval))
	if q.begun && b <= q.bucket {
		if b == q.bucket {
			q.Counts.Duplicate++
		} else {
			q.Counts.Late++
		}
		return nil
	}
	q.bucket, q.begun = b, true
	for f, x := range values {
		q.vector.Values[f], q.vector.Missing[f] = x, math.IsNaN(x)
		if !math.IsNaN(x) {
			ok := false
			if q.vector.Values[f], ok = q.schema.Features[f].bounded(x); !ok {
				q.Counts.Invalid++
			}
			q.vector.Missing[f] = !ok
		}
	}
	q.Counts.Vectors++
	q.group.advance(q.schema, q.shape, b, false, q.vector)
	return q.vector
}
