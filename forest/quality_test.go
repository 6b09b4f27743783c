package forest_test

import (
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

// Quality on the data sets of the papers, in the copies the environment variable DATA_PAPER points to. The wanted numbers
// are mean and standard deviation of ROC AUC over ten seeds of scikit-learn 1.2.1, fitted and scored on the whole set.
func TestAUCIsScikitLearns(t *testing.T) {
	const seeds = 10
	for _, set := range []struct {
		name    string
		auc, sd float64
	}{
		{"breastw", 0.9873, 0.0013}, {"ionosphere", 0.8461, 0.0061}, {"pima", 0.6707, 0.0070},
		{"annthyroid", 0.8184, 0.0161}, {"satellite", 0.7008, 0.0188}, {"arrhythmia", 0.8090, 0.0093},
		{"mammography", 0.8615, 0.0072},
	} {
		t.Run(set.name, func(t *testing.T) {
			dir := foresttest.External(t, "DATA_PAPER", "data/paper")
			x, labels := readSet(t, filepath.Join(dir, set.name+".csv.gz"))
			aucs := make([]float64, seeds)
			for seed := range aucs {
				f := fit(t, x, forest.Options{Seed: uint64(seed), Workers: 2})
				aucs[seed] = auc(f.Scores(nil, x), labels)
			}
			mean, sd := stat.MeanStdDev(aucs, nil)
			t.Logf("AUC %.4f ± %.4f, scikit-learn %.4f ± %.4f", mean, sd, set.auc, set.sd)
			standardError := math.Hypot(sd, set.sd) / math.Sqrt(seeds)
			require.InDelta(t, set.auc, mean, 3.5*standardError)
		})
	}
}

func auc(scores []float64, labels []bool) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, scores[a]-scores[b])) })
	sorted, classes := make([]float64, len(scores)), make([]bool, len(scores))
	for i, o := range order {
		sorted[i], classes[i] = scores[o], labels[o]
	}
	tpr, fpr, _ := stat.ROC(nil, sorted, classes, nil)
	return integrate.Trapezoidal(fpr, tpr)
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
