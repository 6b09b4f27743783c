package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

var onDebian = regexp.MustCompile("(?s)<!-- run by a test, on a bare Debian -->\n```sh\n(.*?)```")

// shims stand in for what a folder cannot have: an init system, its log, and
// somebody else to be. A restart is Telegraf for five seconds.
var shims = map[string]string{
	"sudo": `exec "$@"`,
	"systemctl": `case "$*" in "restart telegraf" | "reload telegraf") ;; *) echo "systemctl $*?" >&2; exit 1 ;; esac
exec timeout --preserve-status 5 telegraf --config /etc/telegraf/telegraf.conf --config-directory /etc/telegraf/telegraf.d 2>> /var/log/telegraf.log`,
	"journalctl": `[ "$*" = "-u telegraf" ] && cat /var/log/telegraf.log`,
}

// documented runs the blocks of a document inside, one after the other, in /root.
func (d debian) documented(checkout, document string) {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(checkout, document))
	require.NoError(d.t, err)
	blocks := onDebian.FindAllStringSubmatch(string(content), -1)
	require.NotEmpty(d.t, blocks, document)
	for _, block := range blocks {
		c := exec.CommandContext(d.t.Context(), "unshare", "--mount", "sh", "-e", "-c", `
mount -t proc proc "$ROOT/proc"
exec chroot "$ROOT" sh -e -c "cd /root; $BLOCK"`)
		c.Env = append(os.Environ(), "ROOT="+d.root, "BLOCK="+block[1])
		said, err := c.CombinedOutput()
		require.NoError(d.t, err, "%s\n%s\n%s", document, block[1], said)
	}
}

// prepared is a Debian with Telegraf as its package would put it there, and the
// shims.
func prepared(t *testing.T, checkout string) debian {
	t.Helper()
	d := bare(t, checkout)
	require.NoError(t, testbed.Install(t.Context(), checkout, os.Stderr, testbed.Telegraf))
	run(t, "cp", testbed.Telegraf.Path(checkout), d.path("usr/bin/telegraf"))
	d.in("useradd", "--system", "--user-group", "telegraf")
	for _, dir := range []string{"etc/telegraf/telegraf.d", "var/lib/telegraf"} {
		require.NoError(t, os.MkdirAll(d.path(dir), 0o755))
	}
	require.NoError(t, os.WriteFile(d.path("etc/telegraf/telegraf.conf"), []byte(agent), 0o644))
	for name, script := range shims {
		require.NoError(t, os.WriteFile(d.path("usr/local/bin/"+name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	return d
}

// Who follows the documents from a bare system has a processor that predicts, and
// its words in Telegraf's log.
func TestTheDeploymentGuideLeadsToPredictions(t *testing.T) {
	checkout, err := testbed.Root()
	require.NoError(t, err)
	d := prepared(t, checkout)
	deb, _ := packages(t, checkout)
	run(t, "cp", deb, d.path("root/telegraf-anomaly_0.1.0_amd64.deb"))
	d.documented(checkout, "docs/DEPLOYMENT.md")
	require.Positive(t, d.lines("ai_predictions "), text(t, d.path("var/log/telegraf.log")))
	d.documented(checkout, "docs/TROUBLESHOOTING.md")
}

// And so has who follows the README and builds the program.
func TestTheReadmeInstallsTheProgram(t *testing.T) {
	checkout, err := testbed.Root()
	require.NoError(t, err)
	d := prepared(t, checkout)
	require.NoError(t, testbed.Install(t.Context(), checkout, os.Stderr, testbed.Anomaly))
	require.NoError(t, os.MkdirAll(d.path("root/bin"), 0o755))
	run(t, "cp", testbed.Anomaly.Path(checkout), d.path("root/bin/"))
	d.documented(checkout, "README.md")
	require.Contains(t, d.in("telegraf-anomaly", "-check", "-config", "/etc/telegraf/anomaly.conf"), "cpu")
	owner := strings.Fields(d.in("stat", "-c", "%U %G", "/var/lib/telegraf/anomaly"))
	require.Equal(t, []string{"telegraf", "telegraf"}, owner)
}
