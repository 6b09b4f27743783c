package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// The share of training rows above the threshold is the contamination.
func TestContamination(t *testing.T) {
	x := host(t, 2000, 3, 1, nil)
	for _, c := range []float64{0.003, 0.01, 0.1} {
		o := DefaultOptions()
		o.Contamination = c
		m := fit(t, x, o)
		require.Equal(t, c, m.Tail())
		require.Zero(t, m.Expected)
		scorer, above := NewScorer(m), 0
		for i := range 2000 {
			if scorer.Score(x.RawRowView(i)).Anomaly {
				above++
			}
		}
		require.InDelta(t, c*2000, above, 1)
	}
}

func budgeted(perWeek float64) Options {
	o := DefaultOptions()
	o.AlarmsPerWeek, o.Interval = perWeek, time.Minute
	return o
}

// A model of the first part, with the threshold that was found, keeps the budget
// on the part that was held out, and would break it with the next lower peak.
func TestBudgetHoldsOnHeldOutRows(t *testing.T) {
	const rows = 6000
	x := host(t, rows, 2, 3, nil)
	cut := int(fitted * rows)
	weeks := float64(rows-cut) * float64(time.Minute) / float64(week)
	rehearsal, err := grow(x.Slice(0, cut, 0, 8).(*mat.Dense), names(2), true, budgeted(1))
	require.NoError(t, err)
	require.NoError(t, rehearsal.calibrate(x.Slice(0, cut, 0, 8).(*mat.Dense)))
	peaks := rehearsal.peaks(x.Slice(cut, rows, 0, 8).(*mat.Dense))
	require.Greater(t, len(peaks), 2)
	for allowed := range len(peaks) {
		m := fit(t, x, budgeted((float64(allowed)+0.5)/weeks))
		require.Equal(t, peaks[allowed], m.Threshold)
		require.InDelta(t, float64(allowed+1)/weeks, m.Expected, 1e-9)
	}
	m := fit(t, x, budgeted(1e6))
	require.Equal(t, rehearsal.Threshold, m.Threshold, "a budget that is never spent leaves the quantile")
}

// A stricter budget never lowers the threshold.
func TestBudgetIsMonotone(t *testing.T) {
	x := host(t, 3000, 2, 4, nil)
	last := 0.0
	for _, perWeek := range []float64{1000, 100, 30, 10, 3, 1, 0.1} {
		m := fit(t, x, budgeted(perWeek))
		require.GreaterOrEqual(t, m.Threshold, last)
		require.NoError(t, m.Validate(names(2)))
		last = m.Threshold
	}
}

func TestBudgetNeedsRows(t *testing.T) {
	_, err := Fit(host(t, 20, 2, 1, nil), names(2), true, budgeted(1))
	require.ErrorIs(t, err, ErrRows)
	require.ErrorContains(t, err, "want at least 23")
	_, err = Fit(host(t, 23, 2, 1, nil), names(2), true, budgeted(1))
	require.NoError(t, err)
}

// Rows above the threshold that follow each other are one alarm.
func TestPeaksMergeWhatIsOneAlarm(t *testing.T) {
	x := host(t, 1000, 2, 5, nil)
	m := fit(t, x, DefaultOptions())
	calm, odd := x.RawRowView(500), at(x.RawRowView(500), 0, 0, 1000)
	odder := at(x.RawRowView(500), 0, 0, 1e6)
	rows := mat.NewDense(40, 8, nil)
	for i := range 40 {
		rows.SetRow(i, calm)
	}
	rows.SetRow(3, odd)
	rows.SetRow(5, odder)
	rows.SetRow(5+minRest, odd) // nine quiet rows: still the same
	rows.SetRow(6+2*minRest, odd)
	s := NewScorer(m)
	require.Equal(t, []float64{s.Score(odder).Score, s.Score(odd).Score}, m.peaks(rows))
}
