package detect

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Band is the range in which the training set lay, with the unit in which
// distances from it are measured.
type Band struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	Unit float64 `json:"unit"`
}

// maxDistance bounds what one value can add, so that a broken sensor does not
// drown everything else.
const maxDistance = 100

// Distance is how far x is outside the band, in units: 0 inside, 100 at most.
func (b Band) Distance(x float64) float64 {
	d := math.Max(b.Low-x, x-b.High)
	if !(d > 0) {
		return 0
	}
	return math.Min(d/b.Unit, maxDistance)
}

// rangeBand spans the middle 99.8 % of the values; distances count in their
// deviation, or in a share of the band where that is wider. For a constant
// feature a unit is a twentieth of its value, so that a new value counts as such.
func rangeBand(values []float64) Band {
	low, high := quantiles(values, 0.001, 0.999)
	_, deviation := meanDeviation(values)
	unit := math.Max(deviation, 0.02*(high-low))
	if !(unit > tiny*math.Abs(high)) {
		unit = math.Max(0.05*math.Abs(high), tiny)
	}
	return Band{Low: low, High: high, Unit: unit}
}

// clamp bounds the size of x. What overflowed on its way here is as large as it
// gets: the deviation of a window with 1e300 in it may be NaN.
func clamp(x, size float64) float64 {
	if math.IsNaN(x) {
		return size
	}
	return math.Max(-size, math.Min(x, size))
}

func meanDeviation(x []float64) (mean, deviation float64) {
	mean = stat.Mean(x, nil)
	return mean, math.Sqrt(stat.MomentAbout(2, x, mean, nil))
}

// quantiles interpolates linearly between order statistics, as numpy.percentile.
func quantiles(x []float64, low, high float64) (float64, float64) {
	s := sorted(x)
	return quantile(s, low), quantile(s, high)
}

func median(x []float64) float64 {
	return quantile(sorted(x), 0.5)
}

func quantile(sorted []float64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + float64((h-float64(i))*(sorted[i+1]-sorted[i]))
}

// sorted returns a sorted copy. It allocates that and no more: garbage of a fit is
// time of the stream.
func sorted(x []float64) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return s
}
