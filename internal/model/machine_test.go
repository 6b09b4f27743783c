package model

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/atomicfile"
)

// storeMachine is a store and what it has to hold.
type storeMachine struct {
	*Store
	bundles  []*Bundle
	clock    int
	versions []string        // oldest first
	damaged  map[string]bool // of these
	current  string          // "": none
}

func (m *storeMachine) some(t *rapid.T) *Bundle {
	return m.bundles[rapid.IntRange(0, len(m.bundles)-1).Draw(t, "bundle")]
}

func (m *storeMachine) Save(t *rapid.T) {
	m.clock++
	name, err := m.Store.Save(m.some(t), at(m.clock))
	require.NoError(t, err)
	m.versions = append(m.versions, name)
}

func (m *storeMachine) Promote(t *rapid.T) {
	name := rapid.SampledFrom(append([]string{"none"}, m.versions...)).Draw(t, "version")
	err := m.Store.Promote(name)
	if name == "none" || m.damaged[name] {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	m.current = name
}

func (m *storeMachine) Prune(t *rapid.T) {
	keep := rapid.IntRange(0, 4).Draw(t, "keep")
	_, err := m.Store.Prune(keep)
	require.NoError(t, err)
	old := m.versions[:max(0, len(m.versions)-keep)]
	m.versions = slices.DeleteFunc(slices.Clone(m.versions), func(name string) bool { return slices.Contains(old, name) && name != m.current })
}

// Damage flips a bit of a version that does not serve.
func (m *storeMachine) Damage(t *rapid.T) {
	others := slices.DeleteFunc(slices.Clone(m.versions), func(name string) bool { return name == m.current || m.damaged[name] })
	if len(others) == 0 {
		t.Skip("none but the current one")
	}
	name := rapid.SampledFrom(others).Draw(t, "version")
	data, err := os.ReadFile(m.path(name))
	require.NoError(t, err)
	data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] ^= 1
	require.NoError(t, os.WriteFile(m.path(name), data, 0o640))
	m.damaged[name] = true
}

// Crash ends a process in the middle of an update. What is there afterwards is
// the old or the new: nobody can know which.
func (m *storeMachine) Crash(t *rapid.T) {
	b, n, done := m.some(t), rapid.IntRange(1, 18).Draw(t, "step"), rapid.Bool().Draw(t, "done")
	require.NoError(t, atomicfile.Sweep(m.dir)) // a panic in there would leave the lock to a process that lives on
	was := atomicfile.Step
	defer func() { atomicfile.Step = was }()
	atomicfile.Step = func(do func() error) error {
		if n--; n != 0 {
			return do()
		}
		if done {
			_ = do()
		}
		panic("crash")
	}
	m.clock++
	before := m.current
	func() {
		defer func() { _ = recover() }()
		_ = renew(m.Store, b, m.clock)
	}()
	var err error
	m.versions, err = m.Versions()
	require.NoError(t, err)
	m.current, err = m.Current()
	if before != "" || err == nil {
		require.NoError(t, err)
		require.Contains(t, m.versions, m.current)
		return
	}
	require.ErrorIs(t, err, ErrNoModel)
}

// Reopen is what the next process does.
func (m *storeMachine) Reopen(t *rapid.T) {
	s, err := OpenStore(m.dir)
	require.NoError(t, err)
	m.Store = s
}

// Check holds the store against the model of it.
func (m *storeMachine) Check(t *rapid.T) {
	names, err := m.Versions()
	require.NoError(t, err)
	require.ElementsMatch(t, m.versions, names)
	b, err := Load(m.dir)
	if m.current == "" {
		require.ErrorIs(t, err, ErrNoModel)
		return
	}
	require.NoError(t, err)
	require.Regexp(t, "-"+b.ID()+"$", m.current)
	for _, name := range names {
		_, err := m.Load(name)
		require.Equal(t, m.damaged[name], err != nil, "%s: %v", name, err)
	}
}

// Whatever is done to a store, in whatever order, crashes and damages included:
// what serves is what was made current last, and whole.
func TestStoreIsAsItsModel(t *testing.T) {
	bundles := []*Bundle{fit(t, 1), fit(t, 2), fit(t, 3)}
	fast := "/dev/shm" // where fsync costs nothing
	if _, err := os.Stat(fast); err != nil {
		fast = ""
	}
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(fast, "store")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		s, err := OpenStore(filepath.Join(dir, "s"))
		require.NoError(t, err)
		m := &storeMachine{Store: s, bundles: bundles, damaged: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"save": m.Save, "promote": m.Promote, "prune": m.Prune, "damage": m.Damage, "crash": m.Crash, "reopen": m.Reopen, "": m.Check,
		})
	})
}
