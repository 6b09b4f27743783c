package main

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"telegraf-anomaly/internal/atomicfile"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// A disk that is full for two hours costs no line and no score, is told of now and
// then, and is written to as soon as it has room again.
func TestStateOnAFullDisk(t *testing.T) {
	was := atomicfile.Step
	t.Cleanup(func() { atomicfile.Step = was })
	synctest.Test(t, func(t *testing.T) {
		s := newSoak(t, anomaly.ScopeGroup, 1)
		s.hour()
		s.hour() // there is a model now
		saved := filepath.Join(s.stateDir, stateFile)
		require.FileExists(t, saved)
		before := versionAt(saved)

		tries := 0
		s.calmly(func() {
			atomicfile.Step = func(func() error) error { tries++; return unix.ENOSPC }
		})
		scored := s.out.scored
		s.hour()
		s.hour()
		require.GreaterOrEqual(t, s.out.scored-scored, 2*3*360-3, "it goes on scoring")
		require.Equal(t, before, versionAt(saved))
		require.GreaterOrEqual(t, tries, 50, "it tries again")
		told := strings.Count(s.log.String(), "W! the state could not be saved, will try again: write "+saved+": no space left on device")
		require.Positive(t, told)
		require.LessOrEqual(t, told, 120, "once a minute at most")

		s.calmly(func() { atomicfile.Step = was })
		s.hour()
		require.NotEqual(t, before, versionAt(saved))
		s.end()
		require.Equal(t, s.sent.lines, s.out.lines)
		require.Zero(t, s.Counts().Panics)
	})
}

// calmly changes something while nothing is under way.
func (s *soak) calmly(change func()) {
	synctest.Wait()
	change()
}
