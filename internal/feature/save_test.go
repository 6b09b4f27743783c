package feature

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/state"
)

// saved writes the Joiner to a file; the caller's part of a group is its key.
func saved(t *testing.T, j *Joiner[int]) (file string) {
	var w state.Writer
	j.Save(&w, func(w *state.Writer, g *Group) { w.Text("mine: " + g.Key) })
	file = filepath.Join(t.TempDir(), "state")
	require.NoError(t, w.Save(file, "test"))
	return file
}

func loaded(t *testing.T, file string, j *Joiner[int]) error {
	r, err := state.Read(file, "test")
	require.NoError(t, err)
	j.Load(r, time.Unix(0, 0), func(r *state.Reader, g *Group) {
		if text := r.Text(); r.Err() == nil {
			require.Equal(t, "mine: "+g.Key, text)
		}
	})
	return r.Err()
}

// A Joiner that was saved and loaded goes on as if nothing had happened.
func TestLoadGoesOnWhereSaveStopped(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := defaults()
		s.Window = time.Duration(rapid.IntRange(0, 40).Draw(rt, "window")) * s.Interval
		var points []*lp.Point
		for range rapid.IntRange(2, 80).Draw(rt, "points") {
			points = append(points, chaos(rt))
		}
		cut := rapid.IntRange(0, len(points)).Draw(rt, "cut")

		var whole, parts []string
		record := func(to *[]string) func(*Vector, []Item[int]) {
			return func(v *Vector, _ []Item[int]) { *to = append(*to, show(*v)) }
		}
		play := func(j *Joiner[int], points []*lp.Point) {
			for i, p := range points {
				j.Add(p, i, time.Unix(0, 0))
			}
			j.Flush()
		}
		all := newJoiner(t, s, 0, DefaultLimits, record(&whole))
		play(all, points[:cut])
		play(all, points[cut:])

		first, second := newJoiner(t, s, 0, DefaultLimits, record(&parts)), newJoiner(t, s, 0, DefaultLimits, record(&parts))
		play(first, points[:cut])
		require.NoError(rt, loaded(t, saved(t, first), second))
		play(second, points[cut:])
		require.Equal(rt, whole, parts)
		require.Equal(rt, groupKeys(all), groupKeys(second))
	})
}

func groupKeys(j *Joiner[int]) (keys []string) {
	j.Each(func(g *Group) { keys = append(keys, g.Key+"|"+strings.Join(g.Tags, "|")) })
	return keys
}

// A state of another shape, or none at all, is refused, whatever stands in it.
func TestLoadRefuses(t *testing.T) {
	full := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
	for k := range int64(5) {
		full.Add(mem("a", 50, k*10e9), 0, time.Time{})
		full.Add(network("a", "eth0", 1, 1, k*10e9), 0, time.Time{})
	}
	full.Flush()
	otherWindow, fewer := defaults(), defaults()
	otherWindow.Window = time.Minute
	fewer.Features = fewer.Features[:2]
	for name, s := range map[string]*Schema{"another window": otherWindow, "fewer features": fewer} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, loaded(t, saved(t, full), newJoiner(t, s, 0, DefaultLimits, func(*Vector, []Item[int]) {})), state.ErrDamaged)
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		var w state.Writer
		for _, v := range rapid.SliceOf(rapid.Int64Range(-2, 5)).Draw(rt, "values") {
			w.Int(v)
		}
		file := filepath.Join(t.TempDir(), "state")
		require.NoError(rt, w.Save(file, "test"))
		r, err := state.Read(file, "test")
		require.NoError(rt, err)
		j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
		j.Load(r, time.Time{}, func(*state.Reader, *Group) {})
		if r.Err() == nil {
			for k := range int64(3) { // what was accepted can be gone on with
				j.Add(mem("", 50, k*10e9), 0, time.Time{})
				j.Add(network("", "eth0", 1, 1, k*10e9), 0, time.Time{})
			}
			j.Flush()
		}
	})
}
