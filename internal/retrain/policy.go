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

func (p *Policy) newReservoir(capacity int, seed uint64) Reservoir {
	return Reservoir{Width: len(p.Schema.Features) * feature.ContextWidth, Capacity: capacity, HalfLife: halfLife, Seed: seed}
}

func (p *Policy) newRecent() Recent {
	spacing := max(p.Schema.Interval, p.Accept/recentSize)
	return Recent{Width: len(p.Schema.Features) * feature.ContextWidth, Spacing: int64(spacing), Size: max(1, int(p.Accept/spacing))}
}
