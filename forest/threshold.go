package forest

import (
	"fmt"
	"math"
	"slices"
)

// tie is how near to the threshold a score counts as equal to it. A score is a sum of a hundred roundings and a power,
// so that equal rows could else fall on either side.
const tie = 1e-9

// Threshold returns the (1−contamination) quantile of scores, interpolated linearly between the two nearest order
// statistics as numpy.percentile does: the score that the given share of the training rows exceeds, scikit-learn's
// −offset_. contamination is in (0, 0.5]; scores are not changed, and must not be empty or hold NaN.
func Threshold(scores []float64, contamination float64) (float64, error) {
	if !(contamination > 0 && contamination <= 0.5) {
		return 0, fmt.Errorf("forest: contamination %v, want more than 0 and at most 0.5", contamination)
	}
	if len(scores) == 0 {
		return 0, fmt.Errorf("forest: no scores to take a threshold from")
	}
	if i := slices.IndexFunc(scores, math.IsNaN); i >= 0 {
		return 0, fmt.Errorf("forest: score %d is NaN", i)
	}
	s := slices.Clone(scores)
	slices.SortFunc(s, func(a, b float64) int { // descending, so that contamination counts from the top
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	position := contamination * float64(len(s)-1)
	above := int(position)
	below := min(above+1, len(s)-1)
	return s[above] + float64((position-float64(above))*(s[below]-s[above])), nil
}

// Anomalous reports whether a score is above the threshold by more than a rounding error (1e-9). It is the one place that
// makes a verdict of a score.
func Anomalous(score, threshold float64) bool { return score > threshold+tie }
