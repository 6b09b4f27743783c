package eval

import (
	"fmt"
	"math"
	"slices"
)

// Point is one operating point of a detector: with every row of score at least
// Score flagged, TP flags are right and FP are wrong.
type Point struct {
	Score  float64
	TP, FP int
}

// Curve gives the operating points of a score, one for each distinct value,
// from the highest to the lowest. The last point flags every row. Precision is
// TP/(TP+FP), recall TP over the last point's TP, the false-positive rate FP
// over the last point's FP.
func Curve(score []float64, label []bool) []Point {
	sameLength("scores", len(score), "labels", len(label))
	order := descending(score)
	var points []Point
	var at Point
	for i, row := range order {
		if label[row] {
			at.TP++
		} else {
			at.FP++
		}
		at.Score = rankable(score[row])
		if i+1 == len(order) || rankable(score[order[i+1]]) < at.Score {
			points = append(points, at)
		}
	}
	return points
}

// AveragePrecision is the area under the precision-recall curve as a sum of
// steps, Σ (Rₖ − Rₖ₋₁)·Pₖ over the distinct scores from high to low, without
// interpolation (scikit-learn's average_precision_score). A random score gets
// about the share of positive rows. It is in [0,1], and NaN without a positive
// row.
func AveragePrecision(score []float64, label []bool) float64 {
	points := Curve(score, label)
	sum, found := 0.0, 0
	for _, p := range points {
		precision := float64(p.TP) / float64(p.TP+p.FP)
		sum += float64(float64(p.TP-found) * precision)
		found = p.TP
	}
	return sum / float64(found)
}

// ROCAUC is the probability that a positive row scores higher than a negative
// one, ties counting one half: the area under the receiver operating
// characteristic by the trapezoidal rule (Mann and Whitney's U / (n₊·n₋)). It is
// in [0,1], 0.5 for a random score, and NaN unless both kinds of row exist.
func ROCAUC(score []float64, label []bool) float64 {
	twice, last := 0.0, Point{}
	for _, p := range Curve(score, label) {
		twice += float64(float64(p.FP-last.FP) * float64(p.TP+last.TP))
		last = p
	}
	return twice / 2 / float64(last.TP) / float64(last.FP)
}

// BestF1 is the highest F1 that any threshold reaches, and the threshold: half
// way between the lowest flagged score and the highest one below it, −Inf where
// every row is flagged. The choice has seen the labels, so that F1 is an upper
// bound, not a promise. Without a positive row both are NaN.
func BestF1(score []float64, label []bool) (f1, threshold float64) {
	points := Curve(score, label)
	f1, threshold = math.NaN(), math.NaN()
	for i, p := range points {
		c := Confusion{TP: p.TP, FP: p.FP, FN: points[len(points)-1].TP - p.TP}
		if got := c.F1(); got > f1 || math.IsNaN(f1) && !math.IsNaN(got) {
			f1, threshold = got, below(points, i)
		}
	}
	return f1, threshold
}

// below gives the threshold of an operating point under the rule "flag what is
// greater".
func below(points []Point, i int) float64 {
	if i+1 == len(points) {
		return math.Inf(-1)
	}
	// Halving before adding cannot overflow.
	middle := points[i].Score/2 + points[i+1].Score/2
	if middle < points[i].Score {
		return middle
	}
	return points[i+1].Score
}

func descending(score []float64) []int {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch x, y := rankable(score[a]), rankable(score[b]); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return order
}

// rankable puts rows without a verdict last.
func rankable(score float64) float64 {
	if math.IsNaN(score) {
		return math.Inf(-1)
	}
	return score
}

func sameLength(a string, n int, b string, m int) {
	if n != m {
		panic(fmt.Sprintf("eval: %d %s, %d %s", n, a, m, b))
	}
}
