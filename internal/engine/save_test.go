package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/retrain"
	"telegraf-anomaly/internal/state"
)

// An engine that was saved and loaded gives the same verdicts from then on as one
// that went on.
func TestSaveAndLoad(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprint("shared ", shared), func(t *testing.T) {
			for seed := range uint64(5) {
				saveAndLoad(t, seed, shared)
			}
		})
	}
}

func saveAndLoad(t *testing.T, seed uint64, shared bool) {
	random := rand.New(rand.NewPCG(seed, 0))
	configured := func() Config {
		c := learning()
		c.Shared, c.MinSamples = shared, 40
		c.Detect.Trees, c.Detect.SampleSize = 5, 16
		c.AlarmsPerWeek = []float64{0, 5000}[seed%2]
		c.Alarm = AlarmRule{N: 1, M: 2, Clear: 2}
		c.Learner.Dir = t.TempDir()
		c.Learner.Now = func() time.Time { return epoch }
		return c
	}
	c := configured()
	one := newRig(t, c)
	play := func(from, to int, rigs ...*rig) {
		for k := from; k < to; k++ {
			for _, host := range []string{"a", "b"} {
				values := usual(random, 1)
				if random.IntN(30) == 0 {
					values = strange
				}
				for _, r := range rigs {
					r.vector(host, k, values)
				}
			}
		}
		for _, r := range rigs {
			r.engine.Flush(minute(to))
		}
	}
	cut := 1 + random.IntN(150)
	play(0, cut, one)

	c2 := c
	learner := retrain.Learner{Sync: true, Log: c.Learner.Log, Now: c.Learner.Now, Dir: t.TempDir()}
	c2.Learner = &learner
	file := filepath.Join(t.TempDir(), "state")
	var w state.Writer
	require.True(t, one.engine.Save(&w))
	require.NoError(t, w.Save(file, c.Owner()))
	require.NoError(t, os.CopyFS(learner.Dir, os.DirFS(c.Learner.Dir)))
	c2.Schema.Interval = 0 // it is in the state
	two := newRig(t, c2)
	reader, err := state.Read(file, c2.Owner())
	require.NoError(t, err)
	require.NoError(t, two.engine.Load(reader, minute(cut)))

	before := len(one.verdicts)
	play(cut, cut+60, one, two)
	require.Len(t, two.verdicts, len(one.verdicts)-before)
	for i, p := range one.verdicts[before:] {
		require.Equal(t, p.fields, two.verdicts[i].fields, "%s %v, cut at %d", p.tags["host"], p.time, cut)
	}
}

// A kill loses the minutes since the newest save. The verdicts of a host that is
// judged by itself are, from the second window on, those of an uninterrupted run. Under
// the model of all hosts, whose measure of a host moves with every vector, a score
// differs by what two vectors of a day are worth, and one verdict of hundreds may.
func TestKill(t *testing.T) {
	for _, c := range []struct {
		shared bool
		score  float64 // apart, at most
		differ int     // verdicts of 900, at most
	}{{false, 0, 0}, {true, 0.03, 3}} {
		t.Run(fmt.Sprint("shared ", c.shared), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 0))
			config := learning()
			config.Shared, config.Learner.Dir = c.shared, t.TempDir()
			one := newRig(t, config)
			play := func(from, to int, rigs ...*rig) {
				for k := from; k < to; k++ {
					for _, host := range []string{"a", "b", "c"} {
						values := usual(random, 1)
						if k > 1500 && random.IntN(50) == 0 {
							values = strange
						}
						for _, r := range rigs {
							r.vector(host, k, values)
						}
					}
				}
			}
			const saved, lost, window, more = 1500, 2, 15, 300 // then comes another model
			play(0, saved, one)
			file := filepath.Join(t.TempDir(), "state")
			var w state.Writer
			require.True(t, one.engine.Save(&w))
			require.NoError(t, w.Save(file, config.Owner()))
			play(saved, saved+lost, one)

			reader, err := state.Read(file, config.Owner())
			require.NoError(t, err)
			config.Learner = &retrain.Learner{Sync: true, Log: config.Learner.Log, Dir: config.Learner.Dir}
			two := newRig(t, config)
			require.NoError(t, two.engine.Load(reader, minute(saved+lost)))
			play(saved+lost, saved+lost+window, one, two)
			before, after := len(one.verdicts), len(two.verdicts)
			play(saved+lost+window, saved+lost+window+more, one, two)
			require.Len(t, two.verdicts[after:], 3*more)
			alarms, differ := 0, 0
			for i, want := range one.verdicts[before:] {
				got := two.verdicts[after+i]
				require.Equal(t, want.fields[FieldModel], got.fields[FieldModel], want.time)
				require.InDelta(t, want.float(FieldScore), got.float(FieldScore), c.score, want.time)
				if want.alarm() {
					alarms++
				}
				if want.alarm() != got.alarm() {
					differ++
				}
			}
			require.LessOrEqual(t, differ, c.differ)
			require.Greater(t, alarms, 10)
			t.Logf("%d alarms, %d verdicts of %d differ", alarms, differ, 3*more)
		})
	}
}

// There is nothing to save before the interval is known.
func TestNothingToSave(t *testing.T) {
	c := learning()
	c.Schema.Interval = 0
	require.False(t, newRig(t, c).engine.Save(new(state.Writer)))
}

// A state that is cut off, of another interval, or of another way of learning is
// refused; nothing panics.
func TestLoadRefuses(t *testing.T) {
	saved := func(c Config) *state.Writer {
		r := newRig(t, c)
		r.usual("a", 0, 30)
		w := new(state.Writer)
		require.True(t, r.engine.Save(w))
		return w
	}
	load := func(c Config, w *state.Writer) error {
		file := filepath.Join(t.TempDir(), "state")
		require.NoError(t, w.Save(file, "x"))
		r, err := state.Read(file, "x")
		require.NoError(t, err)
		return newRig(t, c).engine.Load(r, epoch)
	}
	own, shared, fixed, hourly, two := learning(), learning(), given(fitted(t, 1)), learning(), learning()
	shared.Shared = true
	hourly.Schema.Interval = time.Hour
	two.Schema.Features = two.Schema.Features[:2]
	require.NoError(t, load(own, saved(own)))
	require.NoError(t, load(shared, saved(shared)))
	require.NoError(t, load(fixed, saved(fixed)))
	require.ErrorIs(t, load(hourly, saved(own)), state.ErrOther)
	require.ErrorIs(t, load(fixed, saved(own)), state.ErrOther)
	require.ErrorIs(t, load(shared, saved(own)), state.ErrOther)
	require.ErrorIs(t, load(fixed, saved(shared)), state.ErrOther)
	require.ErrorIs(t, load(two, saved(own)), state.ErrDamaged)
	for _, c := range []Config{own, shared} {
		c.Schema.Interval = 0
		require.ErrorIs(t, load(c, new(state.Writer)), state.ErrDamaged)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := new(state.Writer)
		w.Int(int64(rapid.SampledFrom([]time.Duration{0, -1, time.Minute, time.Hour}).Draw(rt, "interval")))
		for _, v := range rapid.SliceOf(rapid.Int64Range(-2, 4)).Draw(rt, "values") {
			w.Int(v)
		}
		c := learning()
		c.Shared = rapid.Bool().Draw(rt, "shared")
		_ = load(c, w)
	})
}

// Cut anywhere, a state is damaged, not a panic.
func TestLoadOfACutState(t *testing.T) {
	c := learning()
	c.Learner.Dir, c.MinSamples = t.TempDir(), 20
	r := newRig(t, c)
	r.usual("a", 0, 40)
	w := new(state.Writer)
	require.True(t, r.engine.Save(w))
	file := filepath.Join(t.TempDir(), "state")
	require.NoError(t, w.Save(file, ""))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	body := data[17 : len(data)-32]
	for n := 0; n < len(body); n += 1 + n/20 {
		cut := new(state.Writer)
		cut.Text(string(body[:n]))
		require.NoError(t, cut.Save(file, ""))
		reader, err := state.Read(file, "")
		require.NoError(t, err)
		reader.Count(1) // the length of the text; what follows is the state itself
		require.Error(t, newRig(t, c).engine.Load(reader, epoch), n)
	}
}
