package detect

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
)

// calibrate sets the threshold from the training scores.
func (m *Model) calibrate(contexts *mat.Dense) (err error) {
	scorer := NewScorer(m)
	n, _ := contexts.Dims()
	scores := make([]float64, n)
	for i := range n {
		scores[i] = scorer.Score(contexts.RawRowView(i)).Score
	}
	m.Threshold, err = forest.Threshold(scores, m.Tail())
	return err
}

// Tail is the share of the training rows that lie above the threshold.
func (m *Model) Tail() float64 {
	if m.Options.Contamination == 0 {
		return DefaultOptions().Contamination
	}
	return m.Options.Contamination
}

const (
	fitted  = 0.7 // share of the rows that the rehearsal is fitted on
	minRest = 10  // rows of quiet that part two alarms
	week    = 7 * 24 * time.Hour
)

// budget sets the threshold so that the last 30 % of the rows would have raised
// no more than AlarmsPerWeek alarms a host and week, had the first 70 % been all
// there was to learn from. Nothing is extrapolated: where so few alarms cannot be
// told apart in so little time, the threshold is the highest held-out peak, and
// Expected, by Laplace's rule of succession, says what that is worth. What comes
// later may differ from all of it; in the stream the engine follows the rate.
func (m *Model) budget(contexts *mat.Dense, windowed bool) error {
	if m.Options.Interval <= 0 {
		return fmt.Errorf("detect: alarms_per_week needs the interval of the rows")
	}
	n, width := contexts.Dims()
	cut := int(fitted * float64(n))
	if cut < MinRows {
		return fmt.Errorf("%w for alarms_per_week: %d, want at least %d", ErrRows, n, int(math.Ceil(MinRows/fitted)))
	}
	part := contexts.Slice(0, cut, 0, width).(*mat.Dense)
	rehearsal, err := grow(part, m.Features, windowed, m.Options)
	if err != nil {
		return err
	}
	if err := rehearsal.calibrate(part); err != nil {
		return err
	}
	peaks := rehearsal.peaks(contexts.Slice(cut, n, 0, width).(*mat.Dense))
	weeks := float64(n-cut) * float64(m.Options.Interval) / float64(week)
	allowed := int(m.Options.AlarmsPerWeek * weeks)
	m.Threshold = rehearsal.Threshold
	if allowed < len(peaks) {
		m.Threshold = peaks[allowed]
	}
	m.Expected = float64(min(allowed, len(peaks))+1) / weeks
	return nil
}

// peaks are the highest scores of the alarms that rows would raise, from the
// highest down.
func (m *Model) peaks(rows *mat.Dense) (peaks []float64) {
	scorer := NewScorer(m)
	n, _ := rows.Dims()
	quiet := minRest
	for i := range n {
		v := scorer.Score(rows.RawRowView(i))
		switch {
		case !v.Anomaly:
			quiet++
			continue
		case quiet >= minRest:
			peaks = append(peaks, v.Score)
		default:
			peaks[len(peaks)-1] = max(peaks[len(peaks)-1], v.Score)
		}
		quiet = 0
	}
	slices.Sort(peaks)
	slices.Reverse(peaks)
	return peaks
}
