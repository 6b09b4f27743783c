package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/plugins/processors/anomaly"
)

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func TestConfigurationIsTheSampleWithAState(t *testing.T) {
	sample := anomaly.New().SampleConfig()
	require.Equal(t, strings.Replace(sample, "  # state = ", "  state = ", 1), text(t, "anomaly.conf"))
	c, err := anomaly.ReadConfig("anomaly.conf")
	require.NoError(t, err)
	require.Equal(t, "/var/lib/telegraf/anomaly", c.State)
}

func TestEveryPathOfThePackageIsNamedAlike(t *testing.T) {
	nfpm := text(t, "nfpm.yaml")
	for _, path := range []string{"/usr/bin/telegraf-anomaly", "/etc/telegraf/anomaly.conf"} {
		require.Contains(t, nfpm, "dst: "+path)
		require.Contains(t, text(t, "execd.conf"), path)
	}
	require.Contains(t, nfpm, "type: config|noreplace")
	require.Contains(t, text(t, "scripts/postinstall.sh"), "state=/var/lib/telegraf/anomaly")
}

// root is a folder that systemd-analyze takes for a machine on which Telegraf's
// service has the drop-in.
func serviceRoot(t *testing.T, dropIn bool) string {
	t.Helper()
	root := t.TempDir()
	units := filepath.Join(root, "usr/lib/systemd/system")
	require.NoError(t, os.MkdirAll(filepath.Join(units, "telegraf.service.d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(units, "telegraf.service"), []byte(text(t, "systemd/telegraf.service")), 0o644))
	if dropIn {
		require.NoError(t, os.WriteFile(filepath.Join(units, "telegraf.service.d/hardening.conf"), []byte(text(t, "systemd/hardening.conf")), 0o644))
	}
	return root
}

var exposureLine = regexp.MustCompile(`exposure level for telegraf.service: ([\d.]+)`)

func exposure(t *testing.T, root string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--root="+root, "telegraf.service").CombinedOutput()
	require.NoError(t, err, string(out))
	m := exposureLine.FindSubmatch(out)
	require.NotNil(t, m, string(out))
	v, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	return v
}

func TestHardening(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is absent")
	}
	with, without := exposure(t, serviceRoot(t, true)), exposure(t, serviceRoot(t, false))
	t.Logf("exposure %.1f, without the drop-in %.1f", with, without)
	require.LessOrEqual(t, with, 2.5)
	require.Greater(t, without, 2*with)
}

func TestScriptsAreShell(t *testing.T) {
	for _, script := range []string{"scripts/postinstall.sh", "scripts/postremove.sh"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-n", script).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// Releases are made for a system on which no test runs: its programs compile. With
// Linux on arm64 they share every file that amd64 has.
func TestTheProgramsCompileForEveryRelease(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("compiles for another system; set E2E=1")
	}
	require.Contains(t, text(t, "../.goreleaser.yaml"), "goos: [linux, darwin]\n    goarch: [amd64, arm64]")
	for _, program := range []string{"telegraf-anomaly", "train"} {
		c := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "../cmd/"+program)
		c.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
		said, err := c.CombinedOutput()
		require.NoError(t, err, "%s: %s", program, said)
	}
}
