package forest_test

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

// spread is a mean and a standard deviation over seeds.
type spread struct{ mean, sd float64 }

// Quality on the data sets of the papers, in the copies the environment variable DATA_PAPER points to. The wanted numbers
// are ROC AUC and average precision of scikit-learn 1.2.1 over ten seeds, fitted and scored on the whole set. Means may
// differ by 3.5 standard errors: with fourteen comparisons, two would fail by chance too often.
func TestQualityIsScikitLearns(t *testing.T) {
	const seeds = 10
	for _, set := range []struct {
		name      string
		auc       spread
		precision spread
	}{
		{"breastw", spread{0.9873, 0.0013}, spread{0.9707, 0.0040}},
		{"ionosphere", spread{0.8461, 0.0061}, spread{0.7997, 0.0073}},
		{"pima", spread{0.6707, 0.0070}, spread{0.5005, 0.0084}},
		{"annthyroid", spread{0.8184, 0.0161}, spread{0.3042, 0.0306}},
		{"satellite", spread{0.7008, 0.0188}, spread{0.6583, 0.0225}},
		{"arrhythmia", spread{0.8090, 0.0093}, spread{0.4729, 0.0133}},
		{"mammography", spread{0.8615, 0.0072}, spread{0.2211, 0.0338}},
	} {
		t.Run(set.name, func(t *testing.T) {
			dir := foresttest.External(t, "DATA_PAPER", "data/paper")
			x, labels := readSet(t, filepath.Join(dir, set.name+".csv.gz"))
			aucs, precisions := make([]float64, seeds), make([]float64, seeds)
			for seed := range aucs {
				f := fit(t, x, forest.Options{Seed: uint64(seed), Workers: 2})
				scores, classes := ranked(f.Scores(nil, x), labels)
				aucs[seed], precisions[seed] = auc(scores, classes), averagePrecision(classes)
			}
			compare(t, "AUC", set.auc, aucs)
			compare(t, "average precision", set.precision, precisions)
		})
	}
}

func compare(t *testing.T, name string, want spread, got []float64) {
	mean, sd := stat.MeanStdDev(got, nil)
	t.Logf("%s %.4f ± %.4f, scikit-learn %.4f ± %.4f", name, mean, sd, want.mean, want.sd)
	require.InDelta(t, want.mean, mean, 3.5*math.Hypot(sd, want.sd)/math.Sqrt(float64(len(got))), name)
}

// ranked sorts scores and their labels, the lowest first.
func ranked(scores []float64, labels []bool) ([]float64, []bool) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	sorted, classes := make([]float64, len(scores)), make([]bool, len(scores))
	for i, o := range order {
		sorted[i], classes[i] = scores[o], labels[o]
	}
	return sorted, classes
}

func auc(scores []float64, classes []bool) float64 {
	tpr, fpr, _ := stat.ROC(nil, scores, classes, nil)
	return integrate.Trapezoidal(fpr, tpr)
}

// averagePrecision is the mean precision at each positive, from the highest score down.
func averagePrecision(classes []bool) float64 {
	sum, found := 0.0, 0.0
	for i, rank := len(classes)-1, 1.0; i >= 0; i, rank = i-1, rank+1 {
		if classes[i] {
			found++
			sum += found / rank
		}
	}
	return sum / found
}

// readSet reads a gzipped CSV with a header, one row a line, the last column its label.
func readSet(t *testing.T, path string) (*mat.Dense, []bool) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	records, err := csv.NewReader(z).ReadAll()
	require.NoError(t, err)
	columns := len(records[0]) - 1
	x, labels := mat.NewDense(len(records)-1, columns, nil), make([]bool, len(records)-1)
	for i, record := range records[1:] {
		for j, field := range record[:columns] {
			v, err := strconv.ParseFloat(field, 64)
			require.NoError(t, err)
			x.Set(i, j, v)
		}
		labels[i] = record[columns] == "1"
	}
	return x, labels
}
