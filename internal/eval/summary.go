package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Summary is the mean of N values and their sample standard deviation (divisor
// N − 1, NaN for one value).
type Summary struct {
	N        int
	Mean, SD float64
}

// Summarize leaves undefined (NaN) values out; without any other, mean and
// deviation are NaN.
func Summarize(values []float64) Summary {
	var defined []float64
	for _, v := range values {
		if !math.IsNaN(v) {
			defined = append(defined, v)
		}
	}
	mean, sd := stat.MeanStdDev(defined, nil)
	return Summary{N: len(defined), Mean: mean, SD: sd}
}

// OverSeeds is the mean and deviation over seeds of the macro mean over
// machines: figure[s][m] belongs to seed s and machine m, and each machine has
// the same weight. The deviation says how much the random part of the detector
// matters, not how machines differ.
func OverSeeds(figure [][]float64) Summary {
	macro := make([]float64, len(figure))
	for s, machines := range figure {
		macro[s] = Summarize(machines).Mean
	}
	return Summarize(macro)
}
