package feature

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/lp"
)

// point makes a point as lp.Decode would. Tags and fields are pairs.
func point(name string, tags []string, fields map[string]float64, t int64) *lp.Point {
	p := &lp.Point{Name: []byte(name), Time: t}
	p.Series = append(p.Series, name...)
	for i := 0; i < len(tags); i += 2 {
		p.Tags = append(p.Tags, lp.Tag{Key: []byte(tags[i]), Value: []byte(tags[i+1])})
		p.Series = fmt.Appendf(p.Series, ",%s=%s", tags[i], tags[i+1])
	}
	for key, v := range fields {
		p.Fields = append(p.Fields, lp.Field{Key: []byte(key), Value: v, Numeric: true})
	}
	return p
}

func cpu(host string, busy float64, t int64) *lp.Point {
	return point("cpu", []string{"cpu", "cpu-total", "host", host}, map[string]float64{"usage_idle": 100 - busy}, t)
}

func mem(host string, used float64, t int64) *lp.Point {
	return point("mem", []string{"host", host}, map[string]float64{"used_percent": used}, t)
}

func network(host, name string, received, sent float64, t int64) *lp.Point {
	return point("net", []string{"host", host, "interface", name}, map[string]float64{"bytes_recv": received, "bytes_sent": sent}, t)
}

// defaults is the default schema at an interval of ten seconds.
func defaults() *Schema {
	s := DefaultSchema()
	s.Interval = 10 * time.Second
	return &s
}

func newJoiner[T any](t require.TestingT, s *Schema, hold time.Duration, l Limits, emit func(*Vector, []Item[T])) *Joiner[T] {
	require.NoError(t, s.Normalize())
	j, err := NewJoiner(s, hold, l, emit)
	require.NoError(t, err)
	return j
}

func TestNewJoinerNeedsAnInterval(t *testing.T) {
	s := DefaultSchema()
	_, err := NewJoiner[int](&s, 0, DefaultLimits, nil)
	require.EqualError(t, err, "feature: the schema has no interval")
	_, err = NewSequence(&s, "")
	require.EqualError(t, err, "feature: the schema has no interval")
}

// copyOf keeps a vector beyond the call.
func copyOf(v *Vector) Vector {
	c := *v
	c.Values, c.Missing, c.Carried = slices.Clone(v.Values), slices.Clone(v.Missing), slices.Clone(v.Carried)
	c.Context, c.inWindow = slices.Clone(v.Context), slices.Clone(v.inWindow)
	return c
}

// show makes vectors comparable, NaN included.
func show(v Vector) string {
	return fmt.Sprint(v.Group.Key, v.Time, v.Values, v.Missing, v.Carried, v.Settled, v.Context)
}

// chaos draws points as no Telegraf would write them: any order, times that
// jump, repeats, values of all sorts.
func chaos(t *rapid.T) *lp.Point {
	at := rapid.OneOf(
		rapid.Int64Range(0, 40*1e9),
		rapid.Int64Range(0, 400*1e9),
		rapid.SampledFrom([]int64{math.MinInt64, -1, 0, math.MaxInt64, 1_700_000_000_000_000_000}),
	).Draw(t, "time")
	host := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "host")
	v := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 100), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -1, 0, 1 << 32, 1 << 63})).Draw(t, "value")
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return cpu(host, v, at)
	case 1:
		return mem(host, v, at)
	case 2:
		return point("disk", []string{"host", host}, map[string]float64{"used": v}, at)
	}
	return network(host, rapid.SampledFrom([]string{"lo", "eth0", "eth1"}).Draw(t, "interface"), v, v/2, at)
}

// handle is what the properties are about: the n-th point of a series.
type handle struct {
	series string
	n      int
}

// Whatever comes, every handle comes back once, those of a series in their order,
// no more of them wait than may, an interval is judged once, and no number that
// comes out is anything but a number.
func TestJoinerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Groups: rapid.IntRange(1, 4).Draw(t, "groups"), Held: rapid.IntRange(0, 8).Draw(t, "held"), Idle: time.Minute}
		s := defaults()
		s.Window = time.Duration(rapid.IntRange(0, 60).Draw(t, "window")) * s.Interval
		s.Missing = rapid.SampledFrom([]string{Skip, Carry, Median}).Draw(t, "missing")

		added, returned := map[string]int{}, map[string]int{}
		waiting := 0
		giveBack := func(h handle) {
			require.Equal(t, returned[h.series], h.n, "order of %s", h.series)
			returned[h.series]++
		}
		judged := map[string]bool{}
		var j *Joiner[handle]
		evicted, resynced := uint64(0), uint64(0)
		j = newJoiner(t, s, time.Duration(rapid.IntRange(0, 1).Draw(t, "hold"))*time.Second, limits, func(v *Vector, items []Item[handle]) {
			if j.Counts.Evicted > evicted || j.Counts.Resynced > resynced {
				evicted, resynced = j.Counts.Evicted, j.Counts.Resynced
				clear(judged)
			}
			key := fmt.Sprint(v.Group.Key, v.Time)
			require.False(t, judged[key], "second vector of %s", key)
			judged[key] = true
			requireSound(t, v)
			for _, item := range items {
				giveBack(item.Handle)
				waiting--
			}
		})
		now := time.Unix(1000, 0)
		for range rapid.IntRange(1, 60).Draw(t, "points") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause")) * time.Millisecond)
			next := j.Expire(now)
			require.True(t, next.IsZero() || next.After(now))
			p := chaos(t)
			h := handle{string(p.Series), added[string(p.Series)]}
			added[h.series]++
			waiting++
			if !j.Add(p, h, now) {
				giveBack(h)
				waiting--
			}
			require.LessOrEqual(t, waiting, limits.Held)
			require.LessOrEqual(t, j.Groups(), limits.Groups)
		}
		j.Flush()
		require.Equal(t, added, returned)
		require.True(t, j.Expire(now.Add(time.Hour)).IsZero())
	})
}

func requireSound(t require.TestingT, v *Vector) {
	for f, missing := range v.Missing {
		require.Equal(t, missing, math.IsNaN(v.Values[f]))
		require.False(t, v.Values[f] < 0, "none of these features can be negative")
	}
	if v.Complete() {
		for i, x := range v.Context {
			require.False(t, math.IsNaN(x) || math.IsInf(x, 0), "context %d is %v", i, x)
		}
	}
}

// A group of the default schema with two interfaces, told in whatever order
// within each interval, gives the same vectors to the last bit.
func TestVectorsDoNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		intervals := rapid.IntRange(3, 12).Draw(t, "intervals")
		value := rapid.Float64Range(0, 100)
		var stream, stirred [][]*lp.Point
		eth0, eth1 := 0.0, 0.0
		for k := range intervals {
			at := int64(k+1) * 10e9
			eth0 += rapid.Float64Range(0, 1e9).Draw(t, "bytes")
			eth1 += rapid.Float64Range(0, 1e9).Draw(t, "bytes")
			points := []*lp.Point{
				cpu("a", value.Draw(t, "cpu"), at), mem("a", value.Draw(t, "mem"), at+1e6),
				network("a", "eth0", eth0, eth0/3, at-2e6), network("a", "eth1", eth1, eth1/7, at),
			}
			if k%4 == 3 && rapid.Bool().Draw(t, "lossy") { // a series that was not awaited may be too late
				points = slices.Delete(points, 3, 4)
			}
			stream = append(stream, points)
			stirred = append(stirred, rapid.Permutation(points).Draw(t, "order"))
		}
		require.Equal(t, vectors(t, defaults(), stream), vectors(t, defaults(), stirred))
	})
}

// vectors plays intervals to a fresh Joiner.
func vectors(t require.TestingT, s *Schema, stream [][]*lp.Point) (all []string) {
	j := newJoiner(t, s, 0, DefaultLimits, func(v *Vector, _ []Item[int]) { all = append(all, show(*v)) })
	for _, points := range stream {
		for i, p := range points {
			j.Add(p, i, time.Time{})
		}
	}
	j.Flush()
	return all
}

// Counters that are reset, wrap, stop, jump and come back give a rate that is
// never negative and never above what the line carries.
func TestRatesArePlausible(t *testing.T) {
	const line = 1e9 // bytes per second
	rapid.Check(t, func(t *rapid.T) {
		s := defaults()
		s.Features = []Feature{{Name: "network", Measurement: "net", Fields: []string{"bytes_recv"}, Kind: Counter}}
		j := newJoiner(t, s, time.Second, DefaultLimits, func(v *Vector, _ []Item[int]) {
			if !v.Missing[0] {
				require.GreaterOrEqual(t, v.Values[0], 0.0)
				require.LessOrEqual(t, v.Values[0], 2*line*1.0001, "two interfaces")
			}
		})
		counters := map[string]float64{"eth0": 0, "eth1": 0}
		last := map[string]int64{}
		at := int64(0)
		for k := range rapid.IntRange(1, 40).Draw(t, "intervals") {
			at += rapid.SampledFrom([]int64{1, 1, 1, 1, 1, 3, 7, 100}).Draw(t, "step") * 10e9
			for name := range counters {
				counters[name] += rapid.Float64Range(0, line).Draw(t, "rate") * float64(at-last[name]) / 1e9
				last[name] = at
				switch rapid.IntRange(0, 9).Draw(t, "event") {
				case 0:
					counters[name] = 0
				case 1:
					counters[name] = math.Mod(counters[name], 1<<32)
				case 2:
					continue // not heard of in this interval
				}
				j.Expire(time.Unix(0, at))
				j.Add(network("a", name, counters[name], 0, at), k, time.Unix(0, at))
			}
		}
		j.Flush()
	})
}

// Add tells bad numbers from good ones also where no line could hold them.
func TestNotANumberIsNoValue(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) { t.Fatal("there is nothing to make a vector of") })
		require.False(t, j.Add(mem("a", bad, 10e9), 1, time.Time{}))
		j.Flush()
	}
}

func TestTooBigIsInvalid(t *testing.T) {
	s := defaults()
	s.Features, s.Missing = []Feature{{Name: "x", Measurement: "mem", Fields: []string{"used_percent"}}}, Skip
	missing := 0
	j := newJoiner(t, s, 0, DefaultLimits, func(v *Vector, _ []Item[int]) {
		if v.Missing[0] {
			missing++
		}
	})
	for k, v := range []float64{biggest, -biggest, 2 * biggest, -2 * biggest, math.MaxFloat64} {
		j.Add(mem("a", v, int64(k)*10e9), k, time.Time{})
	}
	j.Flush()
	require.Equal(t, 3, missing)
	require.Equal(t, uint64(3), j.Counts.Invalid)
}

// Names that change all the time do not pile up, whether they ever bring a
// value or not.
func TestSeriesAreForgotten(t *testing.T) {
	for name, make := range map[string]func(k int, at int64) *lp.Point{
		"with values": func(k int, at int64) *lp.Point { return network("a", "x"+strconv.Itoa(k), 1, 1, at) },
		"without values": func(k int, at int64) *lp.Point {
			return point("mem", []string{"host", "a", "x", strconv.Itoa(k)}, nil, at)
		},
		"always late": func(k int, _ int64) *lp.Point { return network("a", "x"+strconv.Itoa(k), 1, 1, -10e9) },
	} {
		t.Run(name, func(t *testing.T) {
			j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
			for k := range 500 {
				at := int64(k) * 10e9
				j.Add(mem("a", 50, at), k, time.Time{})
				j.Add(make(k, at), k, time.Time{})
			}
			require.Less(t, len(j.groups["a"].sorted), 2*forgetAfter)
		})
	}
}

func TestSeriesAreCapped(t *testing.T) {
	j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
	for k := range maxSeries + 5 {
		require.Equal(t, k < maxSeries, j.Add(network("a", "x"+strconv.Itoa(k), 1, 1, 10e9), k, time.Time{}))
	}
	require.Equal(t, uint64(5), j.Counts.Refused)
	require.True(t, j.Add(network("a", "x7", 1, 1, 10e9), 0, time.Time{}), "known ones go on")
}

func TestEachGoesFromLeastRecentlySeen(t *testing.T) {
	j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
	for _, host := range []string{"a", "b", "c", "a"} {
		j.Add(mem(host, 50, 10e9), 0, time.Time{})
	}
	var keys []string
	j.Each(func(g *Group) { keys = append(keys, g.Key) })
	require.Equal(t, []string{"b", "c", "a"}, keys)
	require.Equal(t, 3, j.Groups())
}

// A receiver that fails half-way through its items gets back what it had not
// marked as done, and the rest.
func TestAbandon(t *testing.T) {
	j := newJoiner(t, defaults(), 0, DefaultLimits, func(_ *Vector, items []Item[int]) {
		items[0].Done = true
		panic("receiver fails")
	})
	for k, host := range []string{"b", "a", "a", "a"} {
		require.True(t, j.Add(network(host, "x"+strconv.Itoa(k), 1, 1, 10e9), k, time.Time{}))
	}
	require.Panics(t, func() { j.Add(mem("a", 1, 20e9), 4, time.Time{}) })
	require.Equal(t, []int{0, 2, 3}, j.Abandon(), "1 was done, 4 was not taken")
}
