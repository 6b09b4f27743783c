package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/retrain"
	"telegraf-anomaly/internal/stdio"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// The most important wall: what a model says of a record offline is what it says
// of the same lines in the stream, to the last bit.
func TestOfflineScoresAreTheStreams(t *testing.T) {
	for name, lines := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "telegraf.lp")
			require.NoError(t, os.WriteFile(file, lines, 0o600))
			store := fitted(t, file)

			offline := must(t, "score", "--model", store, "--data", file, "--format", "lp")
			live := stream(t, store, lines)
			require.Greater(t, len(live), 100)
			again := points([]byte(offline))
			require.Len(t, again, len(live))
			for point, fields := range live {
				require.Equal(t, fields, again[point], point)
			}
		})
	}
}

// And what the stream wrote, offline reproduces: replay compares the stored points.
func TestReplayReproducesTheStream(t *testing.T) {
	for name, lines := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "telegraf.lp")
			require.NoError(t, os.WriteFile(file, lines, 0o600))
			store := fitted(t, file)
			stored := filepath.Join(dir, "stored.lp")
			written := streamed(t, store, lines)
			require.NoError(t, os.WriteFile(stored, written, 0o600))

			var r struct{ Compared, Equal, Early, Differ, Absent int }
			mustJSON(t, &r, "replay", "--model", store, "--data", stored, "-q")
			require.Greater(t, r.Compared, 100)
			require.Equal(t, r.Compared, r.Equal+r.Early)
			require.Zero(t, r.Absent)

			point := strings.LastIndex(string(written), "\nai_predictions")
			at := point + strings.Index(string(written[point:]), ",shap_memory=") + len(",shap_memory=")
			spoiled := string(written[:at]) + "1" + strings.TrimPrefix(string(written[at:]), "-")
			require.NoError(t, os.WriteFile(stored, []byte(spoiled), 0o600))
			_, said, code := train(t, "replay", "--model", store, "--data", stored)
			require.Equal(t, exitFailure, code)
			require.Contains(t, said, "1 points differ, first ")
			require.Contains(t, said, "shap_memory was ")
		})
	}
}

// recordings are a simulated fleet and, where CAPTURES names the folder, a real
// Telegraf's.
func recordings(t *testing.T) map[string][]byte {
	file := filepath.Join(t.TempDir(), "fleet.lp")
	must(t, "simulate", "-o", file, "--hosts", "3", "--last", "6h", "--interval", "10s", "--per-kind", "0")
	fleet, err := os.ReadFile(file)
	require.NoError(t, err)
	list := map[string][]byte{"a simulated fleet": fleet}
	if dir := os.Getenv("CAPTURES"); dir != "" {
		f, err := os.Open(filepath.Join(dir, "faults.lp.gz"))
		require.NoError(t, err)
		defer f.Close()
		zip, err := gzip.NewReader(f)
		require.NoError(t, err)
		list["a real Telegraf"], err = io.ReadAll(zip)
		require.NoError(t, err)
	}
	return list
}

// streamed is what the execd runner writes for lines.
func streamed(t *testing.T, store string, lines []byte) []byte {
	config := anomaly.DefaultConfig()
	config.Model, config.MaxHold = store, anomaly.Duration(time.Hour) // lines wait for their fellows and not for the clock
	c, err := config.Load(&retrain.Learner{})
	require.NoError(t, err)
	var out bytes.Buffer
	log := stdio.NewLogger(io.Discard)
	defer log.Close()
	r := stdio.New(bytes.NewReader(lines), &out, log)
	require.NoError(t, r.Use(func(o engine.Output[[]byte]) (*engine.Engine[[]byte], error) { return engine.New(c, o) }))
	require.NoError(t, r.Run(nil))
	return out.Bytes()
}

func stream(t *testing.T, store string, lines []byte) map[string]string {
	return points(streamed(t, store, lines))
}

// points are the predictions among lines: series and time to fields, without the
// latency, which differs from run to run.
func points(text []byte) map[string]string {
	found := map[string]string{}
	for line := range bytes.Lines(text) {
		var p lp.Point
		if !bytes.HasPrefix(line, []byte("ai_predictions")) || lp.Decode(&p, bytes.TrimSpace(line), time.Time{}) != nil {
			continue
		}
		cells := strings.Fields(string(line))
		var fields []string
		for _, f := range strings.Split(cells[1], ",") {
			if !strings.HasPrefix(f, engine.FieldLatency+"=") {
				fields = append(fields, f)
			}
		}
		found[cells[0]+" "+cells[len(cells)-1]] = strings.Join(fields, ",")
	}
	return found
}
