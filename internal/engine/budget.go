package engine

import (
	"math"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
)

// A budget raises a model's threshold so that few alarms are left:
//
//	threshold = base + excess * (margin + youth + extra)
//
// base is the model's own threshold and excess how fast the tail of its training
// scores falls, both in bits. The first days of a host bring much that is new, so
// youth starts high and vanishes. And since no tail keeps its promise for ever,
// extra grows by a step with every alarm and fades: whatever the scores do, alarms
// that go on get rarer (after Gibbs and Candès, "Adaptive conformal inference
// under distribution shift", NeurIPS 2021).
type budget struct {
	Base   float64
	Excess float64
	Extra  float64 // mean excesses
	Regime int     // of the unit: a change that was accepted settles old scores
	Newest int64   // time of the newest vector
}

// What a budget adds, in mean excesses, for one alarm a week. docs/LEARNING.md
// shows how recall and false alarms depend on it.
const (
	margin    = 3
	youth     = 26
	alarmStep = 1.5
	maxExtra  = 3
	forget    = 42 * time.Hour // after which half of extra is left
	minExcess = 0.01           // bits
)

// begin takes from a model what its training scores say about the tail.
func (b *budget) begin(m *model.Bundle) {
	b.Base = detect.ToBits(m.Detector.Threshold)
	grid := m.Profile.References[len(m.Profile.References)-1].Grid
	low, high := grid[len(grid)*97/100], grid[len(grid)-1]
	b.Excess = math.Max((detect.ToBits(high)-detect.ToBits(low))/math.Log(5), minExcess)
}

// threshold in bits, for perWeek alarms of a unit whose youth runs from 1 to 0 in
// three days. The first of them, in which every hour is new, bears most of it.
// Twice the alarms are had for ln 2 excesses less.
func (b *budget) threshold(perWeek, young float64) float64 {
	return b.Base + b.Excess*math.Max(0, margin-math.Log(perWeek)+float64(youth*young*young*young)+b.Extra)
}

// pass lets time pass up to a vector. What came before an accepted change does
// not count.
func (b *budget) pass(t int64, regime int) {
	if d := t - b.Newest; b.Newest != 0 && d > 0 {
		b.Extra *= math.Exp2(-float64(d) / float64(forget))
	}
	if regime != b.Regime {
		b.Regime, b.Extra = regime, 0
	}
	b.Newest = t
}

// alarmed notes that an incident began.
func (b *budget) alarmed(young float64) {
	if young == 0 {
		b.Extra = math.Min(b.Extra+alarmStep, maxExtra)
	}
}
