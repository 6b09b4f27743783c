package dashboards

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const folder = "../../grafana"

// committed reads the dashboards of one language as a user gets them.
func committed(t *testing.T, l Language) (all []Dashboard) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "dashboards", string(l), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(boards))
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var d Dashboard
		require.NoError(t, json.Unmarshal(text, &d), file)
		all = append(all, d)
	}
	return all
}

func TestCommittedFilesAreRenderedFromTheSource(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(have), "%s: run go generate ./internal/dashboards", name)
	}
}

func TestNothingElseLiesAmongTheRenderedFiles(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	for _, l := range Languages() {
		for _, d := range committed(t, l) {
			require.Contains(t, files, "dashboards/"+string(l)+"/"+d.UID+".json")
		}
	}
}
