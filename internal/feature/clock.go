package feature

// A group's clock may be set back, and a single time stamp may be nonsense. What
// is far from the newest bucket is believed only when it goes on like that.
const (
	farBehind     = 10     // buckets; what is less far behind is just late
	farAhead      = 10_000 // buckets; no harm in doubting the end of a gap that long: the window is empty
	confirmations = 5      // buckets, each newer than the one before, that confirm the first
)

// far reports whether bucket b cannot be taken at its word.
func far(b, newest int64) bool { return newest-b >= farBehind || b-newest > farAhead }

// clock follows the buckets of a group that are far from its newest one.
type clock struct {
	last  int64
	steps int
}

// confirms takes a far bucket and reports whether there were enough of them.
func (c *clock) confirms(b int64) bool {
	switch {
	case c.steps == 0 || b < c.last || far(b, c.last):
		*c = clock{last: b, steps: 1}
	case b > c.last:
		c.last = b
		c.steps++
	}
	return c.steps > confirmations
}
