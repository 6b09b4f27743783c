package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// inside runs the program below other ones, such as unshare, and returns what it
// wrote.
func inside(t *testing.T, config string, input []byte, above ...string) *tally {
	t.Helper()
	if _, err := exec.LookPath(above[0]); err != nil {
		t.Skip(above[0] + " is absent")
	}
	arguments := slices.Concat(above[1:], []string{testbed.Anomaly.Path(need(t)), "-config", config})
	c := exec.Command(above[0], arguments...)
	c.Stdin = bytes.NewReader(input)
	var said bytes.Buffer
	c.Stderr = &said
	text, err := c.Output()
	require.NoError(t, err, said.String())
	out := newTally()
	_, _ = (&lineWriter{add: out.add}).Write(text)
	return out
}

// day is a day of the trained host, and its ledger.
func day(t *testing.T) (text []byte, in *ledger) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, sim.Write(&b, 1440, hosts(t, 1, birth.Add(trainingTime))...))
	in = newLedger()
	_, _ = (&lineWriter{add: func(line []byte) { in.add(seriesOf(line), line) }}).Write(b.Bytes())
	return b.Bytes(), in
}

// Where there is no network at all, not even a loopback, it works as ever.
func TestNeedsNoNetwork(t *testing.T) {
	if exec.Command("unshare", "-rn", "true").Run() != nil {
		t.Skip("namespaces may not be made here")
	}
	text, in := day(t)
	out := inside(t, serving(t, ""), text, "unshare", "-rn")
	requireAllOf(t, in, out)
	require.Greater(t, out.scored, in.lines/5)
}

// It asks the kernel for no socket, learning and saving included, and starts no
// program but itself, which fits its models.
func TestOpensNoSocket(t *testing.T) {
	text, in := day(t)
	trace, dir := filepath.Join(t.TempDir(), "trace"), t.TempDir()
	config := write(t, filepath.Join(dir, "anomaly.conf"), fmt.Sprintf("[[processors.anomaly]]\nstate = %q\nmin_samples = 100\n", filepath.Join(dir, "state")))
	out := inside(t, config, text, "strace", "-f", "-o", trace, "-e", "trace=%network,execve")
	requireAllOf(t, in, out)
	begun, fits := 0, 0
	for line := range strings.Lines(read(t, trace)) {
		switch {
		case strings.Contains(line, `execve("/proc/self/exe", ["/proc/self/exe", "-fit"]`):
			fits++
		case strings.Contains(line, "execve("):
			begun++
		case strings.Contains(line, "???("): // a thread that ended before strace saw what it did
		case strings.Contains(line, "("):
			require.Fail(t, "a call that has to do with the network", line)
		}
	}
	require.Equal(t, 1, begun, "it starts no other program")
	require.Positive(t, fits)
	require.DirExists(t, filepath.Join(dir, "state", "models"))
}

// What is learned about hosts is not for everybody to read.
func TestFilesAreForTheOwnerAndTheGroup(t *testing.T) {
	text, _ := day(t)
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	config := write(t, filepath.Join(dir, "anomaly.conf"), fmt.Sprintf("[[processors.anomaly]]\nstate = %q\nmin_samples = 100\n", state))
	inside(t, config, text, "sh", "-c", `umask 0; exec "$@"`, "sh")
	files := 0
	require.NoError(t, filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		mode := info.Mode().Perm()
		if d.IsDir() {
			require.Zero(t, mode&0o027, "%s is %v", path, mode)
			return nil
		}
		files++
		require.Zero(t, mode&0o137, "%s is %v", path, mode)
		return nil
	}))
	require.GreaterOrEqual(t, files, 4, "state, lock, model, pointer")
}

// Two builds of the same source, in other folders and without anything left of
// the first, are the same to the bit.
func TestBuildsAreIdentical(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything from scratch")
	}
	root := need(t)
	one := buildCopy(t, root, t.TempDir(), os.Environ())
	two := buildCopy(t, root, filepath.Join(t.TempDir(), "somewhere", "else"), append(os.Environ(), "GOCACHE="+t.TempDir()))
	require.NotEmpty(t, one)
	require.True(t, bytes.Equal(one, two), "%d and %d bytes", len(one), len(two))
	require.NotContains(t, string(one), root, "it names the folder where it was built")
}

// buildCopy builds a copy of the processor's source in dir as a release does.
func buildCopy(t *testing.T, root, dir string, environment []string) []byte {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f",
		`{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.Dir}}/{{.}} {{end}}{{range $.SFiles}}{{$.Dir}}/{{.}} {{end}}{{range $.EmbedFiles}}{{$.Dir}}/{{.}} {{end}}{{end}}{{end}}`,
		"./cmd/telegraf-anomaly")
	list.Dir = root
	files, err := list.Output()
	require.NoError(t, err)
	copyInto := func(path string) {
		to := filepath.Join(dir, strings.TrimPrefix(path, root))
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.WriteFile(to, []byte(read(t, path)), 0o644))
	}
	copyInto(filepath.Join(root, "go.mod"))
	copyInto(filepath.Join(root, "go.sum"))
	for _, path := range strings.Fields(string(files)) {
		copyInto(path)
	}
	program := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=1.2.3", "-o", program, "./cmd/telegraf-anomaly")
	build.Dir, build.Env = dir, slices.Concat(environment, []string{"CGO_ENABLED=0"})
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	return []byte(read(t, program))
}
