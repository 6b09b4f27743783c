package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"telegraf-anomaly/internal/atomicfile"
)

// faultAt lets the n-th thing that is done to the disk, counting from 1, end as
// fault says, and returns how many were done.
func faultAt(t *testing.T, n int, fault func(do func() error) error) (steps *int) {
	was := atomicfile.Step
	t.Cleanup(func() { atomicfile.Step = was })
	steps = new(int)
	atomicfile.Step = func(do func() error) error {
		if *steps++; *steps == n {
			return fault(do)
		}
		return do()
	}
	return steps
}

func noFault(t *testing.T) (steps *int) { return faultAt(t, 0, nil) }

// renew is all that a learner does with a new model.
func renew(s *Store, b *Bundle, k int) error {
	name, err := s.Save(b, at(k))
	if err != nil {
		return err
	}
	if err := s.Promote(name); err != nil {
		return err
	}
	_, err = s.Prune(2)
	return err
}

// stepsOfUpdate is how many things an update does to a disk without leftovers.
func stepsOfUpdate(t *testing.T) int {
	s, _ := newStore(t)
	require.NoError(t, renew(s, fit(t, 1), 1))
	steps := noFault(t)
	require.NoError(t, renew(s, fit(t, 2), 2))
	return *steps
}

// Whichever of the things that an update does to the disk fails, and however: the
// store serves the old model or the new one, whole, the error is told, and the
// next update goes well.
func TestStoreWithAFaultAtAnyStep(t *testing.T) {
	total := stepsOfUpdate(t)
	require.Greater(t, total, 12)
	one, two := fit(t, 1), fit(t, 2)
	for _, cause := range []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE} {
		for _, done := range []bool{false, true} {
			for n := 1; n <= total; n++ {
				t.Run(fmt.Sprintf("%v at step %d done %v", cause, n, done), func(t *testing.T) {
					s, dir := newStore(t)
					require.NoError(t, renew(s, one, 1))
					faultAt(t, n, func(do func() error) error {
						if done {
							_ = do()
						}
						return cause
					})
					require.ErrorIs(t, renew(s, two, 2), cause)
					requireServesOneOf(t, dir, one, two)

					noFault(t)
					require.NoError(t, renew(s, two, 3))
					requireServes(t, dir, two)
					requireNoLeftovers(t, dir)
				})
			}
		}
	}
}

// A process that ends at any step, without a chance to tidy up, leaves the old
// model or the new one, and what it left is swept by the next one. That goes for
// a loss of power as well: what was written is made durable before it is named.
func TestStoreWithACrashAtAnyStep(t *testing.T) {
	total := stepsOfUpdate(t)
	one, two := fit(t, 1), fit(t, 2)
	crash := errors.New("crash")
	for n := 1; n <= total; n++ {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d done %v", n, done), func(t *testing.T) {
				s, dir := newStore(t)
				require.NoError(t, renew(s, one, 1))
				faultAt(t, n, func(do func() error) error {
					if done {
						_ = do()
					}
					panic(crash)
				})
				require.PanicsWithError(t, "crash", func() { _ = renew(s, two, 2) })
				requireServesOneOf(t, dir, one, two)
				names, err := s.Versions()
				require.NoError(t, err)
				for _, name := range names {
					_, err := s.Load(name)
					require.NoError(t, err, "every version is whole")
				}

				noFault(t)
				require.NoError(t, renew(s, two, 3), "the dead hold no lock")
				requireServes(t, dir, two)
				requireNoLeftovers(t, dir)
			})
		}
	}
}

func requireServesOneOf(t *testing.T, dir string, bundles ...*Bundle) {
	t.Helper()
	b, err := Load(dir)
	require.NoError(t, err)
	var ids []string
	for _, b := range bundles {
		ids = append(ids, b.ID())
	}
	require.Contains(t, ids, b.ID())
}

func requireNoLeftovers(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.LessOrEqual(t, len(entries), 5, "two or three versions, the pointer, the lock")
}
