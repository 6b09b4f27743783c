package packaging

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// debian is a bare Debian system in a folder of its own, made once with
// debootstrap and copied for each test.
type debian struct {
	t    *testing.T
	root string
}

func bare(t *testing.T, checkout string) debian {
	t.Helper()
	if os.Getenv("E2E") == "" {
		t.Skip("installs packages; set E2E=1")
	}
	if _, err := exec.LookPath("debootstrap"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and debootstrap")
	}
	template := filepath.Join(checkout, ".cache", "debian")
	if _, err := os.Stat(filepath.Join(template, "usr/bin/dpkg")); err != nil {
		run(t, "debootstrap", "--variant=minbase", "bookworm", template+".new")
		require.NoError(t, os.Rename(template+".new", template))
	}
	d := debian{t, filepath.Join(t.TempDir(), "debian")}
	run(t, "cp", "-a", "--reflink=auto", template, d.root)
	return d
}

func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, arguments...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s %v\n%s", name, arguments, out)
	return string(out)
}

// in runs a command inside.
func (d debian) in(arguments ...string) string {
	d.t.Helper()
	return run(d.t, "chroot", append([]string{d.root}, arguments...)...)
}

func (d debian) path(inside string) string { return filepath.Join(d.root, inside) }

// install puts a package in, as a person would.
func (d debian) install(deb string) {
	d.t.Helper()
	run(d.t, "cp", deb, d.path("package.deb"))
	d.in("dpkg", "-i", "/package.deb")
}

// packages builds two versions.
func packages(t *testing.T, checkout string) (older, newer string) {
	t.Helper()
	out := t.TempDir()
	for _, version := range []string{"0.1.0", "0.2.0"} {
		c := exec.CommandContext(t.Context(), "go", "run", "./packaging/build", "-version", version, "-out", out)
		c.Dir = checkout
		text, err := c.CombinedOutput()
		require.NoError(t, err, string(text))
	}
	name := filepath.Join(out, "telegraf-anomaly_%s_"+debArch(t)+".deb")
	return fmt.Sprintf(name, "0.1.0"), fmt.Sprintf(name, "0.2.0")
}

func debArch(t *testing.T) string {
	return strings.TrimSpace(run(t, "dpkg", "--print-architecture"))
}

// agent is Telegraf's configuration inside.
const agent = `
[agent]
  interval = "200ms"
  flush_interval = "200ms"
  omit_hostname = true
  skip_processors_after_aggregators = true
[[inputs.cpu]]
  percpu = false
[[inputs.mem]]
[[inputs.net]]
[[outputs.file]]
  files = ["/var/lib/telegraf/out.influx"]
`

// hardened starts a program the way the drop-in has systemd do it, as far as
// that goes without systemd: read-only but for its state, no other user's files,
// no capability, no new privileges.
const hardened = `
set -e
mount --bind "$ROOT" "$ROOT"
mount --bind "$ROOT/var/lib/telegraf" "$ROOT/var/lib/telegraf"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmp "$ROOT/tmp"
mount -o remount,bind,ro "$ROOT"
exec chroot "$ROOT" setpriv --reuid=telegraf --regid=telegraf --init-groups \
  --no-new-privs --bounding-set=-all --inh-caps=-all /usr/bin/telegraf \
  --config /etc/telegraf/telegraf.conf --config-directory /etc/telegraf/telegraf.d
`

// telegraf starts it with the processor that is installed.
func (d debian) telegraf(checkout string) *testbed.Process {
	d.t.Helper()
	run(d.t, "cp", testbed.Telegraf.Path(checkout), d.path("usr/bin/telegraf"))
	run(d.t, "install", "-D", d.path("usr/share/doc/telegraf-anomaly/execd.conf"), d.path("etc/telegraf/telegraf.d/anomaly.conf"))
	require.NoError(d.t, os.WriteFile(d.path("etc/telegraf/telegraf.conf"), []byte(agent), 0o644))
	c := exec.Command("unshare", "--mount", "sh", "-c", hardened)
	c.Env = append(os.Environ(), "ROOT="+d.root)
	p, err := testbed.Start(c, filepath.Join(d.t.TempDir(), "telegraf.log"))
	require.NoError(d.t, err)
	d.t.Cleanup(func() {
		_ = p.Stop()
		if d.t.Failed() {
			d.t.Log(p.Log())
		}
	})
	return p
}

// wait is for something that takes a few seconds at most.
func wait(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, testbed.Until(ctx, what, condition))
}

// lines counts what Telegraf has written of a measurement.
func (d debian) lines(measurement string) int {
	text, _ := os.ReadFile(d.path("var/lib/telegraf/out.influx"))
	return strings.Count("\n"+string(text), "\n"+measurement)
}

// child is the processor that Telegraf runs, as the path of its program.
func child(telegraf *testbed.Process) (program string) {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", telegraf.Pid()))
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", telegraf.Pid()))
	for _, file := range threads {
		more, _ := os.ReadFile(file)
		children = append(append(children, ' '), more...)
	}
	for _, pid := range strings.Fields(string(children)) {
		if exe, err := os.Readlink("/proc/" + pid + "/exe"); err == nil && strings.Contains(exe, "telegraf-anomaly") {
			return exe
		}
	}
	return ""
}

// never watches that a file is there at every moment.
func never(t *testing.T, absent string) (stop func() (looks int)) {
	done, result := make(chan struct{}), make(chan int)
	go func() {
		looks, missing := 0, 0
		for {
			select {
			case <-done:
				if missing > 0 {
					t.Errorf("%s was missing at %d of %d looks", absent, missing, looks)
				}
				result <- looks
				return
			default:
			}
			looks++
			if _, err := os.Stat(absent); err != nil {
				missing++
			}
		}
	}()
	return func() int { close(done); return <-result }
}

// TestPackage installs on a bare system, upgrades under a Telegraf that runs, and
// removes.
func TestPackage(t *testing.T) {
	checkout, err := testbed.Root()
	require.NoError(t, err)
	d := bare(t, checkout)
	require.NoError(t, testbed.Install(t.Context(), checkout, os.Stderr, testbed.Telegraf))
	older, newer := packages(t, checkout)

	d.install(older)
	require.Contains(t, d.in("telegraf-anomaly", "-version"), "telegraf-anomaly 0.1.0 ")
	require.Contains(t, d.in("telegraf-anomaly-train", "--version"), "0.1.0")
	d.in("telegraf-anomaly", "-check", "-config", "/etc/telegraf/anomaly.conf")
	require.Equal(t, "telegraf telegraf 750\n", d.in("stat", "-c", "%U %G %a", "/var/lib/telegraf/anomaly"))

	conf := d.path("etc/telegraf/anomaly.conf")
	require.NoError(t, os.WriteFile(conf, []byte(text(t, "anomaly.conf")+"\n# mine\n"), 0o644))
	telegraf := d.telegraf(checkout)
	wait(t, "predictions", func() bool { return d.lines("ai_predictions ") > 5 })

	stop := never(t, d.path("usr/bin/telegraf-anomaly"))
	before := d.lines("mem ")
	d.install(newer)
	t.Logf("the program was there at each of %d looks during the upgrade", stop())
	require.Contains(t, text(t, conf), "# mine", "a changed conffile is kept")
	require.Contains(t, child(telegraf), "(deleted)", "the old program goes on")
	wait(t, "metrics after the upgrade", func() bool { return d.lines("mem ") > before+10 })

	require.NoError(t, telegraf.Signal(syscall.SIGHUP))
	wait(t, "the new program", func() bool { p := child(telegraf); return p != "" && !strings.Contains(p, "(deleted)") })
	reloaded := d.lines("ai_predictions ")
	wait(t, "predictions of the new program", func() bool { return d.lines("ai_predictions ") > reloaded+5 })
	require.NoError(t, telegraf.Stop())
	require.Empty(t, testbed.Errors(telegraf.Log()), "nothing was refused")
	require.Contains(t, d.in("telegraf-anomaly", "-version"), "telegraf-anomaly 0.2.0 ")
	t.Logf("%d mem points at an interval of 200ms, the longest gap %v", d.lines("mem "), d.longestGap("mem "))

	d.in("dpkg", "-r", "telegraf-anomaly")
	require.NoFileExists(t, d.path("usr/bin/telegraf-anomaly"))
	require.FileExists(t, conf)
	require.DirExists(t, d.path("var/lib/telegraf/anomaly"))
	d.in("dpkg", "-P", "telegraf-anomaly")
	require.NoFileExists(t, conf)
	require.NoDirExists(t, d.path("var/lib/telegraf/anomaly"))
}

// longestGap between two points of a measurement that has one series.
func (d debian) longestGap(measurement string) (longest time.Duration) {
	var last int64
	for line := range strings.Lines(text(d.t, d.path("var/lib/telegraf/out.influx"))) {
		if !strings.HasPrefix(line, measurement) {
			continue
		}
		words := strings.Fields(line)
		at, err := strconv.ParseInt(words[len(words)-1], 10, 64)
		require.NoError(d.t, err)
		if last != 0 {
			longest = max(longest, time.Duration(at-last))
		}
		last = at
	}
	return longest
}
