package drift

import (
	"errors"
	"math"
	"slices"
)

const (
	// Cells is the number of values in a current window.
	Cells = 480

	parts    = 24 // a full window has values in all but two of its parts, …
	minParts = 22 // … for two hours missing at the top of a daily wave move PSI to 0.15, three to 0.6;
	minCells = 96 // and enough values for PSI's chance level, 9/96, to be far from its threshold
)

// Column is the state of one column of a [Monitor]. Values are in reference deviations, winsorised.
type Column struct {
	Values []float32 // ring: the value of cell number n is at n mod Cells
	Stamps []int32   // the cell number it was written for; MinInt32 if never
	Cell   int32     // the newest cell number
	Seen   int       // values met in it
	Hour   int64     // the running hour, since 1970
	Sum    float64   // of the values met in it
	Count  int

	PageHinkley PageHinkley
	ADWIN       ADWIN
}

func newColumn() Column {
	return Column{
		Values: make([]float32, Cells),
		Stamps: slices.Repeat([]int32{math.MinInt32}, Cells),
		Cell:   math.MinInt32,
	}
}

func (c Column) clone() Column {
	c.Values, c.Stamps = slices.Clone(c.Values), slices.Clone(c.Stamps)
	c.ADWIN.Rows = slices.Clone(c.ADWIN.Rows)
	for i, row := range c.ADWIN.Rows {
		c.ADWIN.Rows[i] = slices.Clone(row)
	}
	return c
}

// add takes a value at a time (Unix seconds) that never goes back.
func (c *Column) add(now, step int64, z float32, random *uint64) {
	c.sample(int32(now/step), z, random)
	c.average(now/3600, z)
}

// sample keeps one value of each cell, every one with the same probability (Vitter's Algorithm R for a reservoir of one).
func (c *Column) sample(cell int32, z float32, random *uint64) {
	if cell != c.Cell {
		c.Cell, c.Seen = cell, 0
	}
	if c.Seen++; splitmix64(random)%uint64(c.Seen) == 0 {
		i := ringIndex(int64(cell))
		c.Values[i], c.Stamps[i] = z, cell
	}
}

// average hands the mean of an hour to the streaming tests when the next one begins. Hours without values do not count.
func (c *Column) average(hour int64, z float32) {
	if hour != c.Hour && c.Count > 0 {
		mean := c.Sum / float64(c.Count)
		c.PageHinkley.Add(mean)
		c.ADWIN.Add(mean)
		c.Sum, c.Count = 0, 0
	}
	c.Hour = hour
	c.Sum += float64(z)
	c.Count++
}

// window returns the sorted values of the last Cells cells, and whether they cover the window evenly enough.
func (c *Column) window(now int64) (values []float64, full bool) {
	values = make([]float64, 0, Cells)
	var covered [parts]bool
	for i, stamp := range c.Stamps {
		if age := now - int64(stamp); age >= 0 && age < Cells {
			values = append(values, float64(c.Values[i]))
			covered[age*parts/Cells] = true
		}
	}
	slices.Sort(values)
	missing := 0
	for _, ok := range covered {
		if !ok {
			missing++
		}
	}
	return values, len(values) >= minCells && missing <= parts-minParts
}

// validate reports what makes a decoded column unusable.
func (c Column) validate() error {
	switch {
	case len(c.Values) != Cells || len(c.Stamps) != Cells:
		return errors.New("ring of the wrong length")
	case slices.ContainsFunc(c.Values, func(v float32) bool { return !(v >= -winsor && v <= winsor) }):
		return errors.New("a value lies outside the winsorised range")
	case c.Seen < 0 || c.Count < 0 || !(math.Abs(c.Sum) <= winsor*float64(c.Count)):
		return errors.New("running hour or cell is inconsistent")
	case !(c.PageHinkley.Statistic() <= pageHinkleyCeiling && min(c.PageHinkley.Up, c.PageHinkley.Down) >= 0):
		return errors.New("page_hinkley sum out of range")
	}
	return c.ADWIN.validate()
}

func (a ADWIN) validate() error {
	if len(a.Rows) > 40 {
		return errors.New("adwin window is impossibly long")
	}
	for k, row := range a.Rows {
		if len(row) == 0 || len(row) > adwinBuckets {
			return errors.New("adwin row has a wrong number of buckets")
		}
		limit := winsor * math.Ldexp(1, k) * (1 + 1e-9) // of the sum, with room for rounding
		for _, b := range row {
			if !(math.Abs(b.Sum) <= limit && b.SS >= 0 && b.SS <= winsor*limit) {
				return errors.New("adwin bucket is out of range")
			}
		}
	}
	return nil
}

func ringIndex(cell int64) int64 { return (cell%Cells + Cells) % Cells }

// splitmix64 is Vigna's generator (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014): its whole
// state is one number, which can be saved.
func splitmix64(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
