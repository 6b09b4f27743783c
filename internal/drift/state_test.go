package drift

import (
	"bytes"
	"encoding/gob"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMonitorSurvivesRestartAtAnyMoment(t *testing.T) {
	p := standardProfile(t, 3, "cpu", "score")
	rapid.Check(t, func(rt *rapid.T) {
		stopAt := time.Duration(rapid.IntRange(1, 5*24*60).Draw(rt, "minutes")) * time.Minute
		straight, first := newMonitor(t, p), newMonitor(t, p)
		a, b := rand.New(rand.NewPCG(4, 4)), rand.New(rand.NewPCG(4, 4))
		feed(t, straight, 0, 6*day, 7*time.Minute, normals(a, 0, 0.7))

		stopAt = stopAt.Truncate(7 * time.Minute)
		feed(t, first, 0, stopAt, 7*time.Minute, normals(b, 0, 0.7))
		second := newMonitor(t, p)
		require.NoError(t, second.Restore(throughJSON(t, first.State())))
		feed(t, second, stopAt, 6*day, 7*time.Minute, normals(b, 0, 0.7))
		require.Equal(t, straight.State(), second.State())
		require.Equal(t, straight.Check(), second.Check())
	})
}

func TestStateSurvivesGob(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	feed(t, m, 0, 4*day, time.Hour, normals(rand.New(rand.NewPCG(5, 5)), 1))
	var buffer bytes.Buffer
	require.NoError(t, gob.NewEncoder(&buffer).Encode(m.State()))
	var back State
	require.NoError(t, gob.NewDecoder(&buffer).Decode(&back))
	require.Equal(t, m.State(), back)
}

func TestStateIsACopyBothWays(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	r := rand.New(rand.NewPCG(6, 6))
	feed(t, m, 0, 2*day, 10*time.Minute, normals(r, 0))
	saved := m.State()
	text := throughJSON(t, saved)
	feed(t, m, 2*day, 4*day, 10*time.Minute, normals(r, 2))
	require.Equal(t, text, saved, "going on does not touch what was handed out")
	require.NoError(t, m.Restore(saved))
	feed(t, m, 2*day, 4*day, 10*time.Minute, normals(r, 2))
	require.Equal(t, text, saved, "nor what was handed in")
}

func TestRestoreRefusesWhatItCannotTrust(t *testing.T) {
	m := newMonitor(t, standardProfile(t, 3, "cpu"))
	feed(t, m, 0, 2*day, 10*time.Minute, normals(rand.New(rand.NewPCG(9, 9)), 0))
	before := m.State()
	nan := math.NaN()
	for name, damage := range map[string]func(*State){
		"no columns":           func(s *State) { s.Columns = nil },
		"too many columns":     func(s *State) { s.Columns = append(s.Columns, s.Columns[0]) },
		"short ring":           func(s *State) { s.Columns[0].Values = s.Columns[0].Values[1:] },
		"no stamps":            func(s *State) { s.Columns[0].Stamps = nil },
		"value out of range":   func(s *State) { s.Columns[0].Values[3] = 4 },
		"value NaN":            func(s *State) { s.Columns[0].Values[3] = float32(nan) },
		"negative count":       func(s *State) { s.Columns[0].Count = -1 },
		"negative seen":        func(s *State) { s.Columns[0].Seen = -1 },
		"sum beyond its count": func(s *State) { s.Columns[0].Sum = 1e9 },
		"sum NaN":              func(s *State) { s.Columns[0].Sum = nan },
		"page_hinkley NaN":     func(s *State) { s.Columns[0].PageHinkley.Up = nan },
		"page_hinkley < 0":     func(s *State) { s.Columns[0].PageHinkley.Down = -1 },
		"page_hinkley > top":   func(s *State) { s.Columns[0].PageHinkley.Up = 1e300 },
		"adwin row empty":      func(s *State) { s.Columns[0].ADWIN.Rows[0] = nil },
		"adwin row full":       func(s *State) { s.Columns[0].ADWIN.Rows[0] = make([]Bucket, adwinBuckets+1) },
		"adwin too long":       func(s *State) { s.Columns[0].ADWIN.Rows = make([][]Bucket, 64) },
		"adwin sum":            func(s *State) { s.Columns[0].ADWIN.Rows[0][0].Sum = math.Inf(1) },
		"adwin squares":        func(s *State) { s.Columns[0].ADWIN.Rows[0][0].SS = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := m.State()
			damage(&s)
			require.ErrorIs(t, m.Restore(s), ErrInvalid)
			require.Equal(t, before, m.State(), "unchanged on error")
		})
	}
	require.NoError(t, m.Restore(before))
}
