package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var documented = regexp.MustCompile("(?s)<!-- run by a test of train -->\n```sh\n(.*?)```")

// The commands of the documents do what they say, with the built program, a real
// InfluxDB and a stand-in for Grafana.
func TestTheDocumentsCommands(t *testing.T) {
	server := influxDB(t, 2, 1)
	grafana, saved := emptyGrafana(t)
	file, err := program()
	require.NoError(t, err)
	here := strings.NewReplacer("http://influx:8086", server.URL, "http://grafana:3000", grafana,
		"train check ", "train check --last 30000h ", "train collect --last 720h", "train collect "+strings.Join(span(server, "", 1)[4:8], " "),
		"train validate --influx", "train validate --last 30000h --max-age 30000h --influx", "train grafana --check", "train grafana --check || [ $? -eq 4 ]")
	for _, document := range []string{"docs/TRAINING.md", "grafana/README.md"} {
		text, err := os.ReadFile(filepath.Join("../..", document))
		require.NoError(t, err)
		blocks := documented.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, blocks, document)
		dir := t.TempDir()
		for _, block := range blocks {
			c := exec.CommandContext(t.Context(), "sh", "-e", "-c", here.Replace(block[1]))
			c.Dir, c.Env = dir, append(os.Environ(), "PATH="+filepath.Dir(file)+":"+os.Getenv("PATH"))
			said, err := c.CombinedOutput()
			require.NoError(t, err, "%s\n%s\n%s", document, block[1], said)
		}
	}
	require.Len(t, saved, 6, "a data source, a folder and four dashboards")
}
