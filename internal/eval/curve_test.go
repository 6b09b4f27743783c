package eval_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

const tolerance = 1e-12

// The figures are those of scikit-learn 1.9.1: average_precision_score,
// roc_auc_score, and the maximum of 2PR/(P+R) over precision_recall_curve. The
// first case is the one in scikit-learn's own documentation.
func TestFiguresEqualScikitLearn(t *testing.T) {
	scores, labels := lcg(2000)
	cases := map[string]struct {
		score       []float64
		label       []bool
		ap, auc, f1 float64
	}{
		"no ties":   {[]float64{.1, .4, .35, .8}, bits("0011"), 0.8333333333333333, 0.75, 0.8},
		"ties":      {[]float64{1, 2, 2, 3, 3, 3, 0, 1}, bits("01010101"), 0.6261904761904762, 0.6875, 0.7272727272727273},
		"all equal": {[]float64{5, 5, 5, 5, 5, 5}, bits("010010"), 0.3333333333333333, 0.5, 0.5},
		"reversed":  {[]float64{3, 2, 1, 0}, bits("0011"), 0.41666666666666663, 0, 0.6666666666666666},
		"2000 rows": {scores, labels, 0.21157721024486995, 0.6939304906662629, 0.3209580838323353},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f1, threshold := eval.BestF1(c.score, c.label)
			require.InDelta(t, c.ap, eval.AveragePrecision(c.score, c.label), tolerance)
			require.InDelta(t, c.auc, eval.ROCAUC(c.score, c.label), tolerance)
			require.InDelta(t, c.f1, f1, tolerance)
			require.InDelta(t, f1, eval.Confuse(eval.Flags(c.score, threshold), c.label).F1(), tolerance)
		})
	}
}

// lcg makes a table that Python makes alike: the high bits of glibc's old
// generator, scores with many ties, labels likelier where the score is high.
func lcg(n int) (score []float64, label []bool) {
	x := uint64(42)
	next := func() uint64 {
		x = (x*1103515245 + 12345) % (1 << 31)
		return (x >> 16) % 100
	}
	for range n {
		a, b := next(), next()
		score = append(score, float64(a)/10)
		label = append(label, float64(b) < float64(a)/4)
	}
	return score, label
}

func TestUndefinedFiguresAreNaN(t *testing.T) {
	cases := map[string]struct {
		score       []float64
		label       []bool
		ap, auc, f1 bool // defined?
	}{
		"no rows":           {nil, nil, false, false, false},
		"no positive row":   {[]float64{1, 2}, bits("00"), false, false, false},
		"no negative row":   {[]float64{1, 2}, bits("11"), true, false, true},
		"one row of each":   {[]float64{1, 2}, bits("10"), true, true, true},
		"no verdict at all": {[]float64{math.NaN(), math.NaN()}, bits("10"), true, true, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f1, threshold := eval.BestF1(c.score, c.label)
			require.Equal(t, c.ap, !math.IsNaN(eval.AveragePrecision(c.score, c.label)))
			require.Equal(t, c.auc, !math.IsNaN(eval.ROCAUC(c.score, c.label)))
			require.Equal(t, c.f1, !math.IsNaN(f1))
			require.Equal(t, c.f1, !math.IsNaN(threshold))
		})
	}
}

func TestRowsWithoutVerdictRankLast(t *testing.T) {
	silent := []float64{math.NaN(), 3, 1, math.NaN()}
	lowest := []float64{-9, 3, 1, -9}
	label := bits("1100")
	require.Equal(t, eval.AveragePrecision(lowest, label), eval.AveragePrecision(silent, label))
	require.Equal(t, eval.ROCAUC(lowest, label), eval.ROCAUC(silent, label))
	require.Equal(t, bits("0110"), eval.Flags(silent, 0))
}

func TestUnequalLengthsPanic(t *testing.T) {
	require.PanicsWithValue(t, "eval: 2 scores, 1 labels", func() { eval.ROCAUC([]float64{1, 2}, bits("1")) })
	require.PanicsWithValue(t, "eval: 2 flags, 1 labels", func() { eval.Confuse(bits("10"), bits("1")) })
}

func TestCurveEndsWithEveryRowFlagged(t *testing.T) {
	points := eval.Curve([]float64{2, 1, 2, 0}, bits("1010"))
	require.Equal(t, []eval.Point{{Score: 2, TP: 2}, {Score: 1, TP: 2, FP: 1}, {Score: 0, TP: 2, FP: 2}}, points)
}

func TestBestF1Thresholds(t *testing.T) {
	cases := map[string]struct {
		score     []float64
		label     []bool
		threshold float64
	}{
		"half way":            {[]float64{1, 3}, bits("01"), 2},
		"everything flagged":  {[]float64{1, 3}, bits("11"), math.Inf(-1)},
		"neighbouring floats": {[]float64{1, math.Nextafter(1, 2)}, bits("01"), 1},
		"infinite score":      {[]float64{1, math.Inf(1)}, bits("01"), 1},
		"huge scores":         {[]float64{0, math.MaxFloat64}, bits("01"), math.MaxFloat64 / 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, threshold := eval.BestF1(c.score, c.label)
			require.Equal(t, c.threshold, threshold)
		})
	}
}

// table draws scores with ties and both kinds of label.
func table(t *rapid.T) (score []float64, label []bool) {
	n := rapid.IntRange(2, 40).Draw(t, "rows")
	for range n {
		score = append(score, float64(rapid.IntRange(-8, 8).Draw(t, "score")))
		label = append(label, rapid.Bool().Draw(t, "label"))
	}
	label[0], label[1] = true, false
	return score, label
}

func TestFiguresEqualTheirDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		f1, _ := eval.BestF1(score, label)
		require.InDelta(t, slowAveragePrecision(score, label), eval.AveragePrecision(score, label), tolerance)
		require.InDelta(t, slowAUC(score, label), eval.ROCAUC(score, label), tolerance)
		require.InDelta(t, slowBestF1(score, label), f1, tolerance)
	})
}

func slowAveragePrecision(score []float64, label []bool) float64 {
	thresholds := slices.Sorted(slices.Values(score))
	slices.Reverse(thresholds)
	area, recall := 0.0, 0.0
	for _, s := range slices.Compact(thresholds) {
		c := eval.Confuse(atLeast(score, s), label)
		area += (c.Recall() - recall) * c.Precision()
		recall = c.Recall()
	}
	return area
}

func slowAUC(score []float64, label []bool) float64 {
	won, pairs := 0.0, 0.0
	for i := range score {
		for j := range score {
			if !label[i] || label[j] {
				continue
			}
			pairs++
			switch {
			case score[i] > score[j]:
				won++
			case score[i] == score[j]:
				won += .5
			}
		}
	}
	return won / pairs
}

func slowBestF1(score []float64, label []bool) float64 {
	best := 0.0
	for _, s := range score {
		best = max(best, eval.Confuse(atLeast(score, s), label).F1())
	}
	return best
}

func atLeast(score []float64, s float64) []bool {
	flag := make([]bool, len(score))
	for i := range score {
		flag[i] = score[i] >= s
	}
	return flag
}

func TestOnlyTheOrderOfScoresCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		bent := make([]float64, len(score))
		for i, s := range score {
			bent[i] = math.Exp(s/3) - 7
		}
		require.Equal(t, eval.AveragePrecision(score, label), eval.AveragePrecision(bent, label))
		require.Equal(t, eval.ROCAUC(score, label), eval.ROCAUC(bent, label))
	})
}

func TestOrderOfRowsDoesNotCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		order := rapid.Permutation(seq(len(score))).Draw(t, "order")
		shuffled, labels := make([]float64, len(score)), make([]bool, len(score))
		for i, j := range order {
			shuffled[i], labels[i] = score[j], label[j]
		}
		require.Equal(t, eval.AveragePrecision(score, label), eval.AveragePrecision(shuffled, labels))
		require.Equal(t, eval.ROCAUC(score, label), eval.ROCAUC(shuffled, labels))
	})
}

func TestTurningScoresRoundMirrorsAUC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, label := table(t)
		turned := make([]float64, len(score))
		for i, s := range score {
			turned[i] = 1 - s
		}
		require.InDelta(t, 1-eval.ROCAUC(score, label), eval.ROCAUC(turned, label), tolerance)
	})
}

func TestPerfectScoresGetOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, label := table(t)
		score := make([]float64, len(label))
		for i, l := range label {
			if l {
				score[i] = 1
			}
		}
		f1, threshold := eval.BestF1(score, label)
		require.Equal(t, []float64{1, 1, 1, .5},
			[]float64{eval.AveragePrecision(score, label), eval.ROCAUC(score, label), f1, threshold})
	})
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// bits reads "0110" as flags or labels.
func bits(s string) []bool {
	b := make([]bool, len(s))
	for i, c := range s {
		b[i] = c == '1'
	}
	return b
}

func ExampleAveragePrecision() {
	score := []float64{.1, .4, .35, .8}
	label := []bool{false, false, true, true}
	fmt.Printf("%.3f %.3f\n", eval.AveragePrecision(score, label), eval.ROCAUC(score, label))
	// Output: 0.833 0.750
}

func ExampleBestF1() {
	f1, threshold := eval.BestF1([]float64{.1, .4, .35, .8}, []bool{false, false, true, true})
	fmt.Printf("F1 %.2f above %.3f\n", f1, threshold)
	// Output: F1 0.80 above 0.225
}

func BenchmarkAveragePrecision(b *testing.B) {
	score, label := lcg(24000)
	for b.Loop() {
		eval.AveragePrecision(score, label)
	}
}
