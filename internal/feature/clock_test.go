package feature

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBucketOf(t *testing.T) {
	for _, c := range []struct {
		name string
		time int64
		want int64
	}{
		{"on the dot", 30, 3}, {"just before half", 34, 3}, {"half", 35, 4}, {"epoch", 0, 0},
		{"before the epoch", -30, -3}, {"just above minus half", -34, -3}, {"minus half", -35, -3}, {"below minus half", -36, -4},
		{"the last nanosecond", math.MaxInt64, math.MaxInt64 / 10}, {"the first nanosecond", math.MinInt64, math.MinInt64 / 10},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, bucketOf(c.time, 10)) })
	}
}

// A bucket's own time is within half an interval of the times in it, but for the
// ends of time, where the bucket still has a time of its own.
func TestBucketOfProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int64Range(1, 1e15).Draw(t, "interval")
		at := rapid.Int64().Draw(t, "time")
		b := bucketOf(at, interval)
		own := b * interval
		require.Equal(t, b, own/interval, "no overflow")
		if off := at - own; off > interval/2 || -off > interval/2 {
			require.GreaterOrEqual(t, math.Abs(float64(at)), float64(math.MaxInt64-interval))
		}
	})
}

func TestClockConfirms(t *testing.T) {
	for _, c := range []struct {
		name    string
		buckets []int64
		want    bool
	}{
		{"six steps", []int64{1, 2, 3, 4, 5, 6}, true},
		{"five steps", []int64{1, 2, 3, 4, 5}, false},
		{"with pauses and repeats", []int64{1, 1, 2, 5, 5, 9, 20, 31}, true},
		{"one and the same", []int64{1, 1, 1, 1, 1, 1, 1, 1}, false},
		{"backwards", []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}, false},
		{"begun anew", []int64{1, 2, 3, 4, 5, 1, 2, 3, 4, 5}, false},
		{"all over the place", []int64{1, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var k clock
			got := false
			for _, b := range c.buckets {
				got = k.confirms(b)
			}
			require.Equal(t, c.want, got)
		})
	}
}
