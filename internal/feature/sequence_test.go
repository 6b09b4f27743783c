package feature

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Rows that hold the features make the vectors that points make.
func TestSequenceEqualsJoiner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := defaults()
		s.Features = s.Features[:2]
		s.Missing = rapid.SampledFrom([]string{Skip, Carry}).Draw(t, "missing")
		var joined, rows []string
		j := newJoiner(t, s, 0, DefaultLimits, func(v *Vector, _ []Item[int]) { joined = append(joined, show(*v)) })
		q, err := NewSequence(s, "a")
		require.NoError(t, err)
		at := int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			at += rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 30}).Draw(t, "step") * 10e9
			busy, used := rapid.Float64Range(-1, 101).Draw(t, "cpu"), rapid.Float64Range(-1, 101).Draw(t, "mem")
			idle := 100 - busy
			j.Add(cpu("a", busy, at), 0, time.Time{})
			j.Add(mem("a", used, at), 0, time.Time{})
			rows = append(rows, show(*q.Add(at, []float64{100 - idle, used + 0})))
		}
		j.Flush()
		require.Equal(t, joined, rows)
		require.Equal(t, j.Counts.Invalid, q.Counts.Invalid)
		require.Equal(t, j.Counts.Vectors, q.Counts.Vectors)
	})
}

func TestSequence(t *testing.T) {
	s := defaults()
	s.GroupBy = []string{"host", "site"}
	s.Missing = Skip
	q, err := NewSequence(s, "a")
	require.NoError(t, err)
	v := q.Add(10e9, []float64{5, math.NaN(), 700})
	require.Equal(t, []bool{false, true, false}, v.Missing)
	require.Equal(t, []string{"a", ""}, v.Group.Tags)
	require.Nil(t, q.Add(10e9, []float64{1, 2, 3}), "said already")
	require.Nil(t, q.Add(5e9-1, []float64{1, 2, 3}), "too late")
	v = q.Add(20e9, []float64{105, 100.05, -2})
	require.Equal(t, []bool{true, false, true}, v.Missing)
	require.Equal(t, 100.0, v.Values[1], "clamped")
	require.Equal(t, Counts{Vectors: 2, Duplicate: 1, Late: 1, Invalid: 2}, q.Counts)
}
