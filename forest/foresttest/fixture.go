// Package foresttest serves the tests of forest, of shap and of what is built on them: forests that scikit-learn grew, with
// its answers and shap's, and random forests.
package foresttest

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
)

// A Fixture is a forest grown by scikit-learn 1.2.1 with the rows it was asked about, its answers, and the Shapley values
// of shap 0.44.1 and of brute force.
type Fixture struct {
	Columns    int         `json:"n_features"`
	SampleSize int         `json:"max_samples_"`
	Norm       float64     `json:"c_max_samples"`
	Offset     float64     `json:"offset_"`
	Base       float64     `json:"expected_value_by_weighted_cover"`
	Trees      []tree      `json:"trees"`
	Train      [][]float64 `json:"X_train"`
	Params     struct {
		Contamination any `json:"contamination"`
	} `json:"params"`
	Rows struct {
		X          [][]float64 `json:"x"`
		Leaf       [][]int     `json:"leaf"`
		PathLength []float64   `json:"mean_path_length"`
		Scores     []float64   `json:"score_samples"`
		Predict    []int       `json:"predict"`
		NearTie    []int       `json:"near_tie"`
		Shap       [][]float64 `json:"shap"`
	} `json:"rows"`
	Brute struct {
		Row  []int       `json:"row"`
		Shap [][]float64 `json:"shap"`
	} `json:"brute"`
}

type tree struct {
	Feature   []int     `json:"feature"`
	Threshold []float64 `json:"threshold"`
	Left      []int     `json:"left"`
	Right     []int     `json:"right"`
	Samples   []int     `json:"n_node_samples"`
	Cover     []float64 `json:"weighted_n_node_samples"`
}

// Names lists the fixtures. Shuttle's rows are a published data set and are not part of this repository: it is read from
// the folder that the environment variable FIXTURES names.
var Names = []string{
	"cpumemnet", "shuttle", "tiny_allsame", "tiny_auto", "tiny_bootstrap", "tiny_bootstrap_dups", "tiny_const", "tiny_dups",
	"tiny_fewrows", "tiny_maxfeat", "tiny_one", "tiny_plain", "tiny_scales", "tiny_two",
}

// Load reads a fixture, and skips the test when the file is not there.
func Load(t testing.TB, name string) *Fixture {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	file := filepath.Join(filepath.Dir(here), "..", "testdata", name+".json.gz")
	if name == "shuttle" {
		file = filepath.Join(External(t, "FIXTURES", "fixtures"), name+".json.gz")
	}
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	fixture := new(Fixture)
	require.NoError(t, json.NewDecoder(z).Decode(fixture))
	return fixture
}

// External returns a folder of files that are too big or too foreign for the repository: the one that the environment
// variable names, else folder in ../shared beside the repository. It skips the test when there is none.
func External(t testing.TB, variable, folder string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		_, here, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", folder)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s folder; set %s to it", folder, variable)
	}
	return dir
}

// Forest imports the fixture's trees.
func (f *Fixture) Forest(t testing.TB) *forest.Forest {
	t.Helper()
	trees := make([][]forest.Node, len(f.Trees))
	for i, tree := range f.Trees {
		for k := range tree.Feature {
			trees[i] = append(trees[i], forest.Node{
				Column: tree.Feature[k], Threshold: tree.Threshold[k], Left: tree.Left[k], Right: tree.Right[k],
				Samples: tree.Samples[k], Cover: int(tree.Cover[k]),
			})
		}
	}
	imported, err := forest.New(f.Columns, f.SampleSize, trees)
	require.NoError(t, err)
	return imported
}

// Tie reports whether the verdict on a row hangs on the last bit of a power: scikit-learn's own is not to be compared.
func (f *Fixture) Tie(row int) bool { return slices.Contains(f.Rows.NearTie, row) }

// Matrix returns rows as a matrix.
func Matrix(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}
