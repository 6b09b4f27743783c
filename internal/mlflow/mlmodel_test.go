package mlflow

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const golden = `artifact_path: model
flavors:
    telegraf_anomaly:
        data: model.bin
        version: 1.2.3
metadata:
    seed: "7"
run_id: r1
signature:
    inputs: '[{"type":"double","name":"cpu","required":true},{"type":"double","name":"memory","required":true}]'
    outputs: '[{"type":"double","name":"anomaly_score","required":true}]'
    params: null
utc_time_created: "2026-03-01 12:01:00.000000"
`

func TestMLmodel(t *testing.T) {
	run := sample()
	files := newMLmodel(&run, "r1").files(run.Model, "model")
	require.Len(t, files, 2)
	require.Equal(t, Artifact{Path: "model/model.bin", Data: []byte("FOREST")}, files[0])
	require.Equal(t, "model/MLmodel", files[1].Path)
	require.Equal(t, golden, string(files[1].Data))
}

func TestMLmodelIsAlsoJSON(t *testing.T) {
	run := sample()
	m := newMLmodel(&run, "r1")
	m.ModelID = "m-1"
	var back mlmodel
	require.NoError(t, json.Unmarshal([]byte(m.json()), &back))
	require.Equal(t, m, back)
}

func TestMLmodelOfARunThatGoesOnIsOfItsStart(t *testing.T) {
	run := sample()
	run.End = time.Time{}
	require.Equal(t, "2026-03-01 12:00:00.000000", newMLmodel(&run, "r1").UTCTimeCreated)
}

func TestForeignTextCannotBreakTheYAML(t *testing.T) {
	run := sample()
	run.Model.Metadata = map[string]string{"note": "x\nflavors: {python_function: {loader_module: os}}"}
	text := string(newMLmodel(&run, "r1").files(run.Model, "")[1].Data)
	require.NotContains(t, text, "\nflavors: {")
}
