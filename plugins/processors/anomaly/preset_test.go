package anomaly

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/feature"
)

func parse(t *testing.T, lines ...string) *feature.Schema {
	t.Helper()
	c, err := ParseConfig("[[processors.anomaly]]\n" + strings.Join(lines, "\n"))
	require.NoError(t, err)
	e, err := c.Engine()
	require.NoError(t, err)
	return &e.Schema
}

func TestPresets(t *testing.T) {
	require.Equal(t, []string{"disk", "docker", "kubernetes", "system_metrics", "windows"}, Presets())
	for _, name := range Presets() {
		s := parse(t, `preset = "`+name+`"`)
		require.Equal(t, []string{"cpu", "memory", "network"}, s.Names()[:3], name)
	}
	require.Equal(t, parse(t).Features, parse(t, `preset = "disk"`).Features[:3], "the default, and the disk")
	require.Equal(t, []string{"host", "container_name"}, parse(t, `preset = "docker"`).GroupBy)
	require.Equal(t, []string{"pod"}, parse(t, `preset = "docker"`, `group_by = ["pod"]`).GroupBy, "a wish comes first")
}

func TestFeaturesComeOnTopOfAPreset(t *testing.T) {
	load := []string{`[[processors.anomaly.feature]]`, `name = "load"`, `measurement = "system"`, `fields = ["load1"]`}
	require.Equal(t, []string{"cpu", "memory", "network", "disk", "load"}, parse(t, append([]string{`preset = "disk"`}, load...)...).Names())
	other := []string{`[[processors.anomaly.feature]]`, `name = "memory"`, `measurement = "mem"`, `fields = ["active"]`}
	s := parse(t, append([]string{`preset = "disk"`}, other...)...)
	require.Equal(t, []string{"cpu", "memory", "network", "disk"}, s.Names())
	require.Equal(t, []string{"active"}, s.Features[1].Fields, "in the place of the preset's own")
}

func TestAnUnknownPresetIsRefused(t *testing.T) {
	_, err := ParseConfig("[[processors.anomaly]]\n\npreset = \"linux\"\n")
	require.ErrorContains(t, err, `line 3: preset = "linux" is unknown; use one of disk, docker`)
}

// What a preset names is what Telegraf's inputs say that they write.
func TestPresetsNameWhatTelegrafWrites(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/influxdata/telegraf").Output()
	require.NoError(t, err)
	inputs := filepath.Join(strings.TrimSpace(string(out)), "plugins", "inputs")
	for name, documents := range map[string][]string{
		"disk": {"cpu", "mem", "net", "diskio"}, "docker": {"docker"}, "kubernetes": {"kubernetes"}, "windows": {"win_perf_counters"},
	} {
		text := ""
		for _, input := range documents {
			readme, err := os.ReadFile(filepath.Join(inputs, input, "README.md"))
			require.NoError(t, err)
			text += string(readme)
		}
		// Counters of Windows are documented by their names there.
		text = strings.NewReplacer("/sec", "_persec", "% ", "Percent_", " ", "_").Replace(text)
		p, err := readPreset(name)
		require.NoError(t, err)
		for _, f := range p.Features {
			require.Contains(t, text, f.Measurement, name)
			for _, field := range f.Fields {
				require.Contains(t, text, field, name)
			}
		}
	}
}
