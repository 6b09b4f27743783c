package mlflow

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMetricOnTheWire(t *testing.T) {
	at := time.UnixMilli(1700000000123)
	for value, want := range map[float64]string{
		0.5:          `{"key":"auc","value":0.5,"timestamp":1700000000123,"step":3}`,
		1e300:        `{"key":"auc","value":1e+300,"timestamp":1700000000123,"step":3}`,
		math.Inf(1):  `{"key":"auc","value":"Infinity","timestamp":1700000000123,"step":3}`,
		math.Inf(-1): `{"key":"auc","value":"-Infinity","timestamp":1700000000123,"step":3}`,
		math.NaN():   `{"key":"auc","value":"NaN","timestamp":1700000000123,"step":3}`,
	} {
		text, err := json.Marshal(Metric{Key: "auc", Value: value, Time: at, Step: 3})
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	var m Metric
	require.Error(t, json.Unmarshal([]byte(`{"key":"auc","value":"much"}`), &m))
	require.Error(t, json.Unmarshal([]byte(`{"key":"auc","value":1,"timestamp":"x"}`), &m))
}

func TestMetricSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Metric{
			Key:   rapid.String().Draw(t, "key"),
			Value: rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)})).Draw(t, "value"),
			Step:  rapid.Int64().Draw(t, "step"),
			Time:  time.UnixMilli(rapid.Int64Range(-1e14, 1e14).Draw(t, "ms")).UTC(),
		}
		text, err := json.Marshal(m)
		require.NoError(t, err)
		var back Metric
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, math.IsNaN(m.Value), math.IsNaN(back.Value))
		if math.IsNaN(m.Value) {
			m.Value, back.Value = 0, 0
		}
		require.Equal(t, m, back)
	})
}

func TestRunSurvivesJSON(t *testing.T) {
	run, err := sample().clean()
	require.NoError(t, err)
	text, err := json.Marshal(run)
	require.NoError(t, err)
	var back Run
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, show(run), show(back))
}

// show prints a run so that equal runs print equally, NaN included.
func show(r Run) string {
	var model Model
	if r.Model != nil {
		model = *r.Model
	}
	r.Model = nil
	return fmt.Sprintf("%+v %+v", r, model)
}

func TestArtifactsOfTheWholeTree(t *testing.T) {
	run := sample()
	run.Children[1].Artifacts = []Artifact{{Path: "child"}}
	var paths []string
	for _, a := range run.artifacts() {
		paths = append(paths, a.Path)
	}
	require.Equal(t, []string{"reports/report.html", "empty", "model.bin", "child"}, paths)
}

func TestContentOfAnArtifact(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("of the file"), 0o600))
	for name, tc := range map[string]struct {
		artifact Artifact
		want     string
		problem  string
	}{
		"data":      {artifact: Artifact{Data: []byte("data")}, want: "data"},
		"file":      {artifact: Artifact{File: file}, want: "of the file"},
		"nothing":   {artifact: Artifact{}, want: ""},
		"directory": {artifact: Artifact{File: dir}, problem: "is not a regular file"},
		"missing":   {artifact: Artifact{File: file + "x"}, problem: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			content, size, err := tc.artifact.open()
			to, createErr := os.Create(filepath.Join(t.TempDir(), "copy"))
			require.NoError(t, createErr)
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				require.ErrorContains(t, tc.artifact.copyTo(to), tc.problem)
				return
			}
			require.NoError(t, err)
			text, err := io.ReadAll(content)
			require.NoError(t, err)
			require.NoError(t, content.Close())
			require.Equal(t, tc.want, string(text))
			require.EqualValues(t, len(tc.want), size)

			require.NoError(t, tc.artifact.copyTo(to))
			text, err = os.ReadFile(to.Name())
			require.NoError(t, err)
			require.Equal(t, tc.want, string(text))
			require.ErrorIs(t, to.Close(), os.ErrClosed)
		})
	}
}
