package testbed

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(exec.Command("sh", "-c", script), filepath.Join(t.TempDir(), "logs", "sh.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Kill(-p.Pid(), syscall.SIGKILL) }) // a shell lets its background children ignore SIGINT
	return p
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, Until(ctx, what, condition))
}

func TestProcessEndsByItself(t *testing.T) {
	p := shell(t, "echo to stdout; echo to stderr >&2")
	require.NoError(t, p.Wait())
	require.False(t, p.Running())
	require.Equal(t, "to stdout\nto stderr\n", p.Log())
	require.GreaterOrEqual(t, p.Usage(), time.Duration(0))
}

func TestProcessFails(t *testing.T) {
	require.ErrorContains(t, shell(t, "exit 3").Wait(), "exit status 3")
	_, err := Start(exec.Command("/no/such/program"), filepath.Join(t.TempDir(), "log"))
	require.ErrorContains(t, err, "/no/such/program")
}

func TestProcessLogGoesOn(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for range 2 {
		p, err := Start(exec.Command("echo", "again"), log)
		require.NoError(t, err)
		require.NoError(t, p.Wait())
	}
	p, err := Start(exec.Command("true"), log)
	require.NoError(t, err)
	require.NoError(t, p.Wait())
	require.Equal(t, "again\nagain\n", p.Log())
}

func TestStopLetsTheProcessFinish(t *testing.T) {
	p := shell(t, `trap 'echo finished; exit 0' TERM; echo ready; while :; do sleep 0.01; done`)
	until(t, "the trap", func() bool { return p.Log() == "ready\n" })
	require.NoError(t, p.Stop())
	require.Equal(t, "ready\nfinished\n", p.Log())
	require.NoError(t, p.Stop(), "it is stopped already")
}

func TestStopTellsHowTheProcessEnded(t *testing.T) {
	p := shell(t, `trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done`)
	until(t, "the trap", func() bool { return p.Log() == "ready\n" })
	require.ErrorContains(t, p.Stop(), "exit status 7")
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("a process has twelve seconds to end")
	}
	t.Parallel()
	p := shell(t, `trap '' TERM; sleep 600 & echo $!; wait; wait`)
	until(t, "its child", func() bool { return p.Log() != "" })
	require.ErrorContains(t, p.Stop(), "was killed")
	until(t, "the whole group to be gone", func() bool { return syscall.Kill(-p.Pid(), 0) == syscall.ESRCH })
}

func TestInterruptReachesTheChildren(t *testing.T) {
	p := shell(t, `trap 'echo parent; exit 0' INT; sh -c "trap 'echo child; exit 0' INT; echo ready; while :; do sleep 0.01; done" & wait; wait`)
	until(t, "the child", func() bool { return p.Log() == "ready\n" })
	require.NoError(t, p.Interrupt())
	require.NoError(t, p.Wait())
	until(t, "the parent", func() bool { return len(p.Log()) > len("ready\n") })
	require.Contains(t, p.Log(), "parent")
}

func TestUntil(t *testing.T) {
	n := 0
	require.NoError(t, Until(t.Context(), "three", func() bool { n++; return n == 3 }))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := Until(ctx, "the moon to fall", func() bool { return false })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "the moon to fall")
}
