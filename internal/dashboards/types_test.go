package dashboards

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTypes gives the committed dashboards to the TypeScript compiler as values of
// Grafana's own types.
func TestTypes(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("installs npm packages; set E2E=1")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is absent")
	}
	for _, arguments := range [][]string{{"ci", "--no-audit", "--no-fund"}, {"run", "check"}} {
		c := exec.CommandContext(t.Context(), "npm", arguments...)
		c.Dir = filepath.Join(folder, "types")
		said, err := c.CombinedOutput()
		require.NoError(t, err, string(said))
	}
}
