package eval

import (
	"math"
	"slices"
	"time"
)

// Budgeted is what a score can do within a budget of false alarms.
type Budgeted struct {
	Recall            float64 // share of incidents found
	Threshold         float64 // rows above it are flagged
	FalseAlarmsPerDay float64
	NormalFlagged     float64 // share of the rows outside incidents that are flagged
}

const (
	// maxNormalFlagged keeps one endless alarm from passing as a single one.
	maxNormalFlagged = 0.02
	gridSteps        = 26
	gridDecades      = 3
)

// RecallAtBudget is the best event recall at no more than perDay false alarms a
// day and no more than 2 % of normal rows flagged ("ER@1" for one a day). The
// threshold is an oracle's, so the figure says what the ranking is worth before
// anybody has calibrated it. It is searched on a fixed grid, because the number
// of alarms does not fall evenly with the threshold and an oracle with more
// tries would look better: the scores that 2 %·10^(−3k/26), k = 0..26, of the
// normal rows exceed, and the highest normal score. Of equals the one with
// fewer false alarms is taken. Without incidents Recall is NaN; without a normal
// row the threshold is −Inf.
func RecallAtBudget(score []float64, events []Event, interval time.Duration, perDay float64) Budgeted {
	inside := Rows(events, len(score))
	normal := normalScores(score, inside)
	best := Budgeted{Recall: math.NaN()}
	for i, threshold := range grid(normal) {
		b := budgeted(score, events, inside, interval, threshold)
		affordable := b.FalseAlarmsPerDay <= perDay && b.NormalFlagged <= maxNormalFlagged
		if i == 0 || affordable && better(b, best) {
			best = b
		}
	}
	return best
}

func better(a, b Budgeted) bool {
	return a.Recall > b.Recall || a.Recall == b.Recall && a.FalseAlarmsPerDay < b.FalseAlarmsPerDay
}

func budgeted(score []float64, events []Event, inside []bool, interval time.Duration, threshold float64) Budgeted {
	flag := Flags(score, threshold)
	c := Confuse(flag, inside)
	b := Budgeted{
		Recall:            EventRecall(flag, events),
		Threshold:         threshold,
		FalseAlarmsPerDay: FalseAlarmsPerDay(flag, events, interval),
	}
	if c.FP > 0 {
		b.NormalFlagged = ratio(c.FP, c.FP+c.TN)
	}
	return b
}

// grid begins with the one threshold that always keeps the budget: no normal
// row is above it.
func grid(descending []float64) []float64 {
	if len(descending) == 0 {
		return []float64{math.Inf(-1)}
	}
	thresholds := []float64{descending[0]}
	for k := gridSteps; k >= 0; k-- {
		share := maxNormalFlagged * math.Pow(10, -gridDecades*float64(k)/gridSteps)
		thresholds = append(thresholds, descending[int(share*float64(len(descending)))])
	}
	return slices.Compact(thresholds)
}

func normalScores(score []float64, inside []bool) []float64 {
	var normal []float64
	for _, row := range descending(score) {
		if !inside[row] {
			normal = append(normal, rankable(score[row]))
		}
	}
	return normal
}
