package drift

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat"
)

// Thresholds of the window tests: each is Cohen's medium effect, d = 0.5, in the test's own unit (see the package
// comment).
const (
	KSThreshold          = 0.2
	PSIThreshold         = 0.25
	WassersteinThreshold = 0.5
)

// KolmogorovSmirnov returns the largest distance between the empirical distribution functions of two samples,
//
//	D = sup_x |F_reference(x) − F_current(x)|,
//
// in [0,1]; 0 for equal samples, NaN if one is empty. Both are sorted in increasing order and finite.
//
// Above [KSThreshold] it counts as drift. By chance alone D is about 0.87·√(1/m + 1/n), 0.04 for a window of 480
// independent values. D sees shifts of the middle best and a change of deviation poorly: a doubled one gives 0.16.
//
// Source: Smirnov, Table for Estimating the Goodness of Fit of Empirical Distributions, Ann. Math. Stat. 19 (1948);
// computed by gonum.
func KolmogorovSmirnov(reference, current []float64) float64 {
	if len(reference) == 0 || len(current) == 0 {
		return math.NaN()
	}
	return stat.KolmogorovSmirnov(reference, nil, current, nil)
}

// psiBins is the usual number of bins of [PSI].
const psiBins = 10

// PSI returns the population stability index of two samples over ten bins that hold a tenth of the reference each,
//
//	PSI = Σ_b (c_b − r_b)·ln(c_b / r_b),   r_b = (#reference in b + ½)/(m + B/2),   c_b likewise,
//
// where the half observation keeps an empty bin finite. It is ≥ 0; NaN if a sample is empty. Both are sorted in
// increasing order and finite. A value that fills more than a bin of the reference (idle, zero, constant) is a bin of its
// own, between what is below and what is above it.
//
// Below 0.1 the population is called stable, above 0.25 action is required: [PSIThreshold]. By chance alone PSI is about
// (B−1)·(1/m + 1/n), 0.02 for a window of 480 independent values, so the threshold holds for windows of 100 values and
// more.
//
// Source: Lewis, An Introduction to Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards, 2006 (thresholds); Yurdakul
// and Naranjo, Statistical Properties of the Population Stability Index, J. Risk Model Validation 14 (2020) (chance).
func PSI(reference, current []float64) float64 {
	if len(reference) == 0 || len(current) == 0 {
		return math.NaN()
	}
	edges := binEdges(reference)
	r, c := proportions(reference, edges), proportions(current, edges)
	var psi float64
	for b := range r {
		psi += float64((c[b] - r[b]) * math.Log(c[b]/r[b]))
	}
	return psi
}

// binEdges returns the inner deciles of sorted values, increasing; bins are (previous edge, edge].
// A value on which deciles coincide is enclosed by two edges.
func binEdges(sorted []float64) []float64 {
	edges := make([]float64, 0, psiBins)
	for b := 1; b < psiBins; b++ {
		edge := decile(sorted, b)
		below := math.Nextafter(edge, math.Inf(-1))
		switch n := len(edges); {
		case n == 0 || edges[n-1] < edge:
			edges = append(edges, edge)
		case n == 1 || edges[n-2] < below:
			edges = append(edges[:n-1], below, edge)
		}
	}
	return edges
}

// decile returns the point with b tenths of sorted values at or below it, half-way between neighbours if there is a choice.
func decile(sorted []float64, b int) float64 {
	i := b * len(sorted) / psiBins
	if b*len(sorted)%psiBins != 0 || sorted[i-1] == sorted[i] {
		return sorted[i]
	}
	return sorted[i-1]/2 + sorted[i]/2
}

// proportions returns the share of sorted values in each bin, half an observation added.
func proportions(sorted, edges []float64) []float64 {
	p := make([]float64, len(edges)+1)
	total := float64(len(sorted)) + float64(len(p))/2
	below := 0
	for b := range p {
		upTo := len(sorted)
		if b < len(edges) {
			upTo = sort.Search(len(sorted), func(i int) bool { return sorted[i] > edges[b] })
		}
		p[b] = (float64(upTo-below) + 0.5) / total
		below = upTo
	}
	return p
}

// Wasserstein returns the Wasserstein-1 (earth mover's) distance between the empirical distributions of two samples,
//
//	W₁ = ∫ |F_reference(x) − F_current(x)| dx,
//
// in units of scale > 0, usually the reference's deviation: how far the average unit of mass has to move. It is ≥ 0; NaN
// if a sample is empty. Both are sorted in increasing order and finite. A pure shift of the mean by d scales gives d, a
// normal distribution widened by the factor k gives 0.8·|k−1|.
//
// Above [WassersteinThreshold] it counts as drift. (Evidently's default is 0.1: on servers, whose days differ by more
// than that, it alarms always.)
//
// Source: Vallender, Calculation of the Wasserstein Distance Between Probability Distributions on the Line, Theory
// Probab. Appl. 18 (1974). One merge of the two samples, O(m+n), where gonum's is O((m+n)²).
func Wasserstein(reference, current []float64, scale float64) float64 {
	if len(reference) == 0 || len(current) == 0 {
		return math.NaN()
	}
	var distance float64
	i, j := 0, 0
	at := min(reference[0], current[0])
	for i < len(reference) && j < len(current) {
		next := min(reference[i], current[j])
		distance += float64(gap(i, len(reference), j, len(current)) * (next - at) / scale)
		if reference[i] == next {
			i++
		} else {
			j++
		}
		at = next
	}
	return distance + remainder(reference[i:], len(reference), at, scale) + remainder(current[j:], len(current), at, scale)
}

// gap is |i/m − j/n|.
func gap(i, m, j, n int) float64 { return math.Abs(float64(i)/float64(m) - float64(j)/float64(n)) }

// remainder is what is left of the distance when the other sample has ended at the point from: the mean way back.
func remainder(rest []float64, n int, from, scale float64) float64 {
	var distance float64
	for _, v := range rest {
		distance += (v - from) / scale / float64(n)
	}
	return distance
}
