package testbed

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRootIsTheFolderOfTheModule(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	require.FileExists(t, filepath.Join(root, "internal", "testbed", "programs.go"))

	t.Chdir(t.TempDir())
	_, err = Root()
	require.ErrorContains(t, err, "no go.mod")
}

// processors.execd does not work without the influx format, and nothing here
// without processors.execd.
func TestTelegrafHasWhatTheProcessorNeeds(t *testing.T) {
	tags := strings.Split(telegrafTags, ",")
	require.Subset(t, tags, []string{"custom", "processors.execd", "parsers.influx", "serializers.influx", "outputs.influxdb", "outputs.influxdb_v2"})
}

func TestInstalledIsAboutVersionAndPlugins(t *testing.T) {
	with := func(version, tags string) *buildinfo.BuildInfo {
		return &buildinfo.BuildInfo{
			Path: recipes[Telegraf].pkg, Main: debug.Module{Version: version},
			Settings: []debug.BuildSetting{{Key: "-compiler", Value: "gc"}, {Key: "-tags", Value: tags}},
		}
	}
	r := recipes[Telegraf]
	require.True(t, r.made(with(r.version, r.tags)))
	require.False(t, r.made(with("v1.0.0", r.tags)), "another version")
	require.False(t, r.made(with(r.version, "custom")), "other plugins")
	require.False(t, r.made(&buildinfo.BuildInfo{Path: "example.org/telegraf", Main: debug.Module{Version: r.version}}), "another program")
	require.True(t, recipes[Anomaly].made(&buildinfo.BuildInfo{}), "this project's own is always rebuilt")
}

func TestMissingProgramSaysWhatToDo(t *testing.T) {
	err := Telegraf.Installed(t.TempDir())
	require.ErrorContains(t, err, "make bin/telegraf")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, Install(t.Context(), t.TempDir(), new(bytes.Buffer), "emacs"), `no program "emacs"`)
}

func TestInstallShowsWhyABuildFailed(t *testing.T) {
	var shown bytes.Buffer
	err := Install(t.Context(), t.TempDir(), &shown, Anomaly) // a folder without any source
	require.ErrorContains(t, err, "building telegraf-anomaly")
	require.ErrorContains(t, err, "go.mod")
	require.Contains(t, shown.String(), "failed")
}

func TestProgressIsShownNowAndThen(t *testing.T) {
	var shown bytes.Buffer
	p := newProgress(&shown, "a house")
	for range 1000 {
		p.step("bricks")
	}
	p.finish(nil)
	lines := strings.Split(strings.TrimSpace(shown.String()), "\n")
	require.Len(t, lines, 2, "not a line for each step where nobody watches")
	require.Contains(t, lines[0], "building a house:")
	require.Contains(t, lines[1], "1000 steps, done")

	shown.Reset()
	newProgress(&shown, "nothing").finish(nil)
	require.Empty(t, shown.String(), "there was nothing to build")
}

func TestProgressOnATerminalIsOneLine(t *testing.T) {
	var shown bytes.Buffer
	p := newProgress(&shown, "a house")
	p.terminal = true
	p.step("bricks")
	p.shown = time.Time{}
	p.step("roof")
	p.finish(nil)
	require.Equal(t, 1, strings.Count(shown.String(), "\n"))
	require.Equal(t, 3, strings.Count(shown.String(), "\r\x1b[K"))
}

func TestRelocate(t *testing.T) {
	moved, err := Relocate(`command = ["/usr/bin/x"] # x is /usr/bin/x`, "/usr/bin/x", "/tmp/y", "# x", "# y")
	require.NoError(t, err)
	require.Equal(t, `command = ["/tmp/y"] # y is /tmp/y`, moved)
	_, err = Relocate("interval = \"10s\"", `interval = "1s"`, "")
	require.ErrorContains(t, err, `does not mention "interval = \"1s\""`)
}

func TestTelegrafLogsBesideItsConfiguration(t *testing.T) {
	require.Equal(t, filepath.Join("a", "b", "telegraf.log"), LogOf(filepath.Join("a", "b", "telegraf.conf")))
	require.Equal(t, []string{"/src/bin/telegraf", "--config", "c", "--once"}, TelegrafCommand("/src", "c", "--once").Args)
}
