package retrain

import (
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// A Policy says how models come and go.
type Policy struct {
	Schema     feature.Schema // with its interval
	Detect     detect.Options
	MinSamples int           // contexts before the first fit
	Period     time.Duration // between fits, once the model is older than that
	Accept     time.Duration // a shift that lasts this long is the new normal
	Challenger bool          // a fresh model scores beside the champion before it may replace it
}

const (
	// halfLife keeps two weekends in the reservoir, and lets the quarter before
	// last go.
	halfLife = 14 * 24 * time.Hour

	reservoirSize = 2048 // contexts per unit; the threshold's quantile needs a few thousand
	recentSize    = 288  // contexts that span Accept
	keptVersions  = 5    // in the store, per unit
	comparedRows  = 512  // newest rows of the sample, on which a fresh model is held against the serving one

	// flaggedWeight keeps an incident from becoming the new normal, and lets a
	// lasting change in, slowly.
	flaggedWeight = 0.1

	probation    = time.Hour // a fresh champion is compared with its predecessor, a challenger with the champion
	probationMin = 30        // vectors, at least
)

// youthSpan is how many times Policy.Accept something is young.
const youthSpan = 3

// Youth falls from 1 to 0 over the first days of what was born at a time, 0 for
// what is not born yet.
func (p *Policy) Youth(born, t int64) float64 {
	if p.Accept <= 0 {
		return 0
	}
	if born == 0 {
		return 1
	}
	return min(1, max(0, 1-float64(t-born)/float64(youthSpan*p.Accept)))
}

func (p *Policy) newReservoir(capacity int, seed uint64) Reservoir {
	return Reservoir{Width: len(p.Schema.Features) * feature.ContextWidth, Capacity: capacity, HalfLife: halfLife, Seed: seed}
}

func (p *Policy) newRecent() Recent {
	spacing := max(p.Schema.Interval, p.Accept/recentSize)
	return Recent{Width: len(p.Schema.Features) * feature.ContextWidth, Spacing: int64(spacing), Size: max(1, int(p.Accept/spacing))}
}
