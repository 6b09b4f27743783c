package engine

import (
	"math"
	"time"
)

const (
	week = 7 * 24 * time.Hour

	priorWeeks = 1.0 / 7          // what the training set says counts as much as a day of the stream
	priorPeaks = 10               // and as this many peaks
	memory     = 4 * week         // after which what was seen counts half
	calm       = 10               // intervals below the base that end a cluster
	capExcess  = 5                // in mean excesses: an incident is not what the tail looks like
	highest    = -1.0 / (1 << 10) // bits: a score of almost 1, which a threshold must not reach
)

// A budget raises a model's threshold so that about PerWeek clusters of high
// scores a week exceed it. Peaks over a base, here the model's own threshold,
// are taken to be exponential, the middle of the generalized Pareto family
// (Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, ch. 4):
//
//	threshold = base + (mean excess) * ln(clusters per week / PerWeek)
//
// It follows the stream, since the tail of training scores keeps no promise.
type budget struct {
	Base     float64 // bits
	Rate     float64 // clusters a week that the training set lets expect
	Excess   float64 // mean excess of the training set, bits
	Weeks    float64 // observed, fading
	Clusters float64 // peaks in them
	Sum      float64 // of their excesses
	Peak     float64 // of the cluster under way; 0: none
	Last     int64   // time of the newest exceedance
	Newest   int64   // time of the newest vector
}

// threshold in bits for perWeek alarms.
func (b *budget) threshold(perWeek float64) float64 {
	rate := (b.Rate*priorWeeks + b.Clusters) / (priorWeeks + b.Weeks)
	return math.Min(b.Base+b.mean()*math.Log(math.Max(1, rate/perWeek)), math.Max(b.Base, highest))
}

func (b *budget) mean() float64 { return (b.Excess*priorPeaks + b.Sum) / (priorPeaks + b.Clusters) }

// observe takes the score of one vector.
func (b *budget) observe(t int64, bits float64, interval time.Duration) {
	if d := t - b.Newest; b.Newest != 0 && d > 0 {
		d = min(d, int64(calm)*int64(interval))
		fade := math.Exp2(-float64(d) / float64(memory))
		b.Weeks = b.Weeks*fade + float64(d)/float64(week)
		b.Clusters, b.Sum = b.Clusters*fade, b.Sum*fade
	}
	b.Newest = t
	if bits > b.Base {
		b.Peak, b.Last = math.Max(b.Peak, bits-b.Base), t
		return
	}
	if b.Peak > 0 && t-b.Last > int64(calm)*int64(interval) {
		b.Sum += math.Min(b.Peak, capExcess*b.mean())
		b.Clusters++
		b.Peak = 0
	}
}
