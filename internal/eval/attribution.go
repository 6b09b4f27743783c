package eval

import (
	"iter"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// HitRate is how much of the cause heads the ranking:
// |top ⌊p·|cause|⌋ ∩ cause| / |cause|, HitRate@100 for p = 1 and @150 for
// p = 1.5 (Su et al., "OmniAnomaly", KDD 2019). attribution has a value for each
// feature, higher where it is blamed more; cause marks the features to be named.
// Ties get the expected value of a random order, so that naming no one is worth
// exactly as much as guessing. NaN without a cause.
func HitRate(p float64, attribution []float64, cause []bool) float64 {
	sameLength("attributions", len(attribution), "features", len(cause))
	wanted := causes(cause)
	k, hits := int(p*float64(wanted)), 0.0
	for i, is := range cause {
		if is {
			above, equal := standing(attribution, attribution[i])
			hits += min(1, max(0, float64(k-above)/float64(equal)))
		}
	}
	return hits / float64(wanted)
}

// TopHit is 1 where one of the k most blamed features is a cause, else 0; where
// ties decide, the probability under a random order. NaN without a cause.
func TopHit(k int, attribution []float64, cause []bool) float64 {
	sameLength("attributions", len(attribution), "features", len(cause))
	if causes(cause) == 0 {
		return math.NaN()
	}
	tied, tiedCauses, slots := 0, 0, 0
	for i, a := range attribution {
		above, equal := standing(attribution, a)
		switch {
		case above+equal <= k && cause[i]:
			return 1
		case above < k && above+equal > k:
			tied, slots = equal, k-above
			tiedCauses += count(cause[i])
		}
	}
	return 1 - missAll(tied, tiedCauses, slots)
}

// missAll is the probability that none of slots features drawn from tied is one
// of the causes among them.
func missAll(tied, causes, slots int) float64 {
	p := 1.0
	for drawn := range slots {
		p *= max(0, float64(tied-causes-drawn)) / float64(tied-drawn)
	}
	return p
}

// standing counts the attributions above a value and equal to it.
func standing(attribution []float64, value float64) (above, equal int) {
	for _, a := range attribution {
		above += count(a > value)
		equal += count(a == value)
	}
	return above, equal
}

func causes(cause []bool) int {
	n := 0
	for _, is := range cause {
		n += count(is)
	}
	return n
}

// Naming says how well explanations name causes: means over Events incidents,
// each of the same weight.
type Naming struct {
	Events                 int
	HitRate100, HitRate150 float64
	Top1, Top3             float64
}

// maxEventRows bounds the cost of a long incident.
const maxEventRows = 40

// NameCauses compares explanations with the operators' causes. explain gives
// the attribution of each feature at a row, or nil if it has none; the mean over
// up to 40 rows, evenly spread over the incident, is ranked. Causes that are not
// among features cannot be named and are left out, and so are incidents that
// have no other; an incident without any explanation counts as guessed.
func NameCauses(events []Event, features []string, explain func(row int) []float64) Naming {
	var n Naming
	for _, e := range events {
		cause := mask(features, e.Cause)
		if causes(cause) == 0 {
			continue
		}
		a := meanAttribution(e, len(features), explain)
		n.Events++
		n.HitRate100 += HitRate(1, a, cause)
		n.HitRate150 += HitRate(1.5, a, cause)
		n.Top1 += TopHit(1, a, cause)
		n.Top3 += TopHit(3, a, cause)
	}
	return n.mean()
}

// NameAtRandom is the expected result of a random ranking: the row that every
// table of attributions needs.
func NameAtRandom(events []Event, features []string) Naming {
	return NameCauses(events, features, func(int) []float64 { return nil })
}

func (n Naming) mean() Naming {
	events := float64(n.Events)
	n.HitRate100 /= events
	n.HitRate150 /= events
	n.Top1 /= events
	n.Top3 /= events
	return n
}

func meanAttribution(e Event, features int, explain func(row int) []float64) []float64 {
	mean, rows := make([]float64, features), 0
	for row := range e.sample() {
		if a := explain(row); a != nil {
			floats.Add(mean, a)
			rows++
		}
	}
	if rows > 0 {
		floats.Scale(1/float64(rows), mean)
	}
	return mean
}

// sample gives up to maxEventRows rows, first and last included.
func (e Event) sample() iter.Seq[int] {
	length := e.End - e.Start
	n := min(length, maxEventRows)
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(e.Start + i*(length-1)/max(1, n-1)) {
				return
			}
		}
	}
}

func mask(features, cause []string) []bool {
	is := make([]bool, len(features))
	for i, f := range features {
		is[i] = slices.Contains(cause, f)
	}
	return is
}
