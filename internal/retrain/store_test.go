package retrain

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/state"
)

// The store keeps the newest versions, its current one serves after a restart, and
// whoever may only read writes nothing.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, policy(), dir)
	r.observe(200, 20)
	for range keptVersions + 3 {
		r.unit.Refit()
		r.observe(40, 20)
	}
	require.Empty(t, warnings(r.log))
	require.LessOrEqual(t, versions(t, dir), keptVersions+1)
	require.GreaterOrEqual(t, versions(t, dir), keptVersions)
	kept := r.unit.learner.Load(r.unit.Name, policy().Schema)
	require.Equal(t, r.unit.Champion.Bundle.ID(), kept.ID())

	other := policy().Schema
	other.Interval = time.Hour
	require.Nil(t, r.unit.learner.Load(r.unit.Name, other))
	require.Contains(t, r.log[len(r.log)-1], "another interval")

	reader := newRig(t, policy(), dir)
	reader.unit.learner.ReadOnly = true
	reader.unit.Name = "host/b"
	reader.observe(300, 20)
	require.NotNil(t, reader.unit.Champion)
	require.Nil(t, reader.unit.learner.Load("host/b", policy().Schema))
	require.NotNil(t, reader.unit.learner.Load("host/a", policy().Schema))
}

func warnings(log []string) (some []string) {
	for _, line := range log {
		if strings.HasPrefix(line, "W!") {
			some = append(some, line)
		}
	}
	return some
}

// A store that cannot be written costs no model; one that is damaged is reported.
func TestBrokenStore(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "models"), nil, 0o600))
	r := newRig(t, policy(), dir)
	r.observe(250, 20)
	require.NotNil(t, r.unit.Champion)
	require.NotEmpty(t, warnings(r.log))

	dir = t.TempDir()
	r = newRig(t, policy(), dir)
	r.observe(250, 20)
	files, err := filepath.Glob(filepath.Join(dir, "models", "*", "*-*"))
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Truncate(f, 100))
	}
	require.Nil(t, r.unit.learner.Load(r.unit.Name, policy().Schema))
	require.Contains(t, r.log[len(r.log)-1], "cannot be used")
}

// Names of units make directories inside the state directory, each its own.
func TestUnitDirectories(t *testing.T) {
	l := &Learner{Dir: "state"}
	seen := map[string]bool{}
	for _, name := range []string{"a", "A b", "..", ".", "", "../../etc", "a/b", "a%2Fb", "host\x00b", "_"} {
		d := l.dir(name)
		require.Equal(t, filepath.Join("state", "models"), filepath.Dir(d), name)
		seen[d] = true
	}
	require.GreaterOrEqual(t, len(seen), 9)
}

// Whoever worked for a second rests so long that the second was its share.
func TestShareOfACore(t *testing.T) {
	for share, rest := range map[float64]time.Duration{0: 3 * time.Second, 0.25: 3 * time.Second, 0.1: 9 * time.Second, 1: 0} {
		synctest.Test(t, func(t *testing.T) {
			l := &Learner{Share: share, busy: true}
			l.rest(time.Second)
			if rest > 0 {
				time.Sleep(rest - time.Millisecond)
				require.False(t, l.Free(), share)
			}
			time.Sleep(2 * time.Millisecond)
			require.True(t, l.Free(), share)
		})
	}
}

// One fit at a time, whoever asks, in the background; afterwards the core rests
// according to the share.
func TestOneFitAtATime(t *testing.T) {
	l := &Learner{Log: func(string, ...any) {}, Share: 1}
	units := make([]*Unit, 5)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range units {
		units[i] = NewUnit(fmt.Sprint(i), policy(), l, 1024, uint64(i))
	}
	fitting := func() (n int) {
		for _, u := range units {
			u.results.mu.Lock()
			if u.fitting && len(u.results.full) == 0 {
				n++
			}
			u.results.mu.Unlock()
		}
		return n
	}
	now := epoch
	served := func() (n int) {
		for _, u := range units {
			if u.Champion != nil {
				n++
			}
		}
		return n
	}
	for k := 0; served() < len(units); k++ {
		require.Less(t, k, 1_000_000)
		now += int64(5 * time.Minute)
		for _, u := range units {
			if u.Champion == nil {
				u.Observe(now, context(random, 20), 1, nil)
				require.LessOrEqual(t, fitting(), 1)
			}
		}
		if k > 200 {
			time.Sleep(time.Millisecond)
		}
	}
	l.Wait()
	require.Eventually(t, l.Free, 10*time.Second, time.Millisecond)
}

// A panic while fitting is a failed fit.
func TestPanicWhileFitting(t *testing.T) {
	got := new(Learner).run(&Task{Options: policy().Detect, Schema: policy().Schema}, false)
	require.ErrorContains(t, got.err, "retrain: fit failed")
}

// A unit that was saved and loaded goes on as if nothing had happened, a fit that
// was wanted or under way included.
func TestSaveAndLoad(t *testing.T) {
	for _, n := range []int{10, 199, 200, 201, 450, 900} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := t.TempDir()
			one := newRig(t, policy(), dir)
			one.observe(n, 20)
			var w state.Writer
			one.unit.Save(&w)
			one.unit.Decisions = nil // a fit that was done is taken up before
			two := newRig(t, policy(), dir)
			if b := two.unit.learner.Load("host/a", policy().Schema); b != nil {
				two.unit.Serve(b, false)
			}
			two.unit.learner.Dir = ""
			reader := reread(t, &w)
			two.unit.Load(reader)
			require.NoError(t, reader.Err())
			two.time = one.time
			two.random = rand.New(rand.NewPCG(5, 5))
			one.random = rand.New(rand.NewPCG(5, 5))
			one.decisions = nil
			require.Equal(t, one.observe(300, 20), two.observe(300, 20))
			require.Equal(t, one.decisions, two.decisions)
			require.Equal(t, one.unit.sample.Entries, two.unit.sample.Entries)
			require.Equal(t, one.unit.recent.Entries, two.unit.recent.Entries)
		})
	}
}

// A restart in the middle of a probation does not end it: the model that turns out
// to be nervous still goes back, to one of the unit's own or to the given one.
func TestProbationOutlivesARestart(t *testing.T) {
	for _, given := range []*model.Bundle{nil, fitted(t, 600, 0, 1)} {
		dir := t.TempDir()
		start := func() *rig {
			r := newRig(t, policy(), dir)
			if r.unit.Given = given; given != nil {
				r.unit.Serve(given, true)
			}
			if b := r.unit.learner.Load("host/a", policy().Schema); b != nil {
				r.unit.Serve(b, false)
			}
			return r
		}
		one := start()
		one.unit.results.put(result{Outcome: Outcome{Bundle: kept(t, one.unit, fitted(t, 600, 0, 3))}, forced: true})
		one.observe(1, 20)
		if given == nil {
			one.unit.results.put(result{Outcome: Outcome{Bundle: kept(t, one.unit, fitted(t, 600, 0, 4))}, forced: true})
		}
		one.observe(20, 20)
		require.Equal(t, RolePredecessor, one.unit.Role)
		before := one.unit.Shadow.Bundle.ID()
		one.unit.Champion.Flagged = 20
		var w state.Writer
		one.unit.Save(&w)

		two := start()
		two.unit.Load(reread(t, &w))
		two.time = one.time
		require.Equal(t, RolePredecessor, two.unit.Role)
		two.observe(probationMin, 20)
		require.Equal(t, []string{RolledBack}, two.what())
		require.Equal(t, before, two.unit.Champion.Bundle.ID())
		require.Equal(t, given != nil, two.unit.Champion.Given)
	}
}

func reread(t testing.TB, w *state.Writer) *state.Reader {
	file := filepath.Join(t.TempDir(), "state")
	require.NoError(t, w.Save(file, ""))
	r, err := state.Read(file, "")
	require.NoError(t, err)
	return r
}

// A fit that is under way while the state is saved is asked for again, and keeps
// its right to serve.
func TestFitUnderWayIsNotForgotten(t *testing.T) {
	r := newRig(t, policy(), "")
	r.observe(240, 20)
	r.unit.fitting, r.unit.forced = true, true
	var w state.Writer
	r.unit.Save(&w)
	again := newRig(t, policy(), "")
	again.unit.Load(reread(t, &w))
	require.True(t, again.unit.wanted)
	require.True(t, again.unit.accepted)
}

// A state of other features is refused.
func TestLoadRefusesOtherWidths(t *testing.T) {
	r := newRig(t, policy(), "")
	r.observe(50, 20)
	var w state.Writer
	r.unit.Save(&w)
	p := policy()
	p.Schema.Features = p.Schema.Features[:1]
	reader := reread(t, &w)
	newRig(t, p, "").unit.Load(reader)
	require.ErrorIs(t, reader.Err(), state.ErrDamaged)
}

// Whoever goes back to the given model does not serve, after a restart, what it
// went back from.
func TestRollbackToTheGivenModelOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, policy(), dir)
	given := fitted(t, 600, 0, 1)
	r.unit.Serve(given, true)
	r.unit.promote(r.time, kept(t, r.unit, nervous(fitted(t, 600, 0, 2))), "for a test")
	require.NotNil(t, r.unit.learner.Load("host/a", policy().Schema))
	r.observe(probationMin, 20)
	require.Equal(t, []string{Promoted, RolledBack}, r.what())
	require.Same(t, given, r.unit.Champion.Bundle)
	require.Nil(t, r.unit.learner.Load("host/a", policy().Schema))
	require.NotContains(t, strings.Join(r.log, "\n"), "W! ")
}

// kept saves a model in the unit's store.
func kept(t *testing.T, u *Unit, b *model.Bundle) *model.Bundle {
	t.Helper()
	u.learner.save(u.Name, b)
	return b
}
