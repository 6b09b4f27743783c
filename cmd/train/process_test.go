package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// program builds train as it is shipped, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "train-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "train")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return file, err
})

// start begins the built program.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	file, err := program()
	require.NoError(t, err)
	c := exec.Command(file, args...)
	c.Stderr = &strings.Builder{}
	require.NoError(t, c.Start())
	return c
}

// code waits for its exit code.
func code(t *testing.T, c *exec.Cmd) int {
	t.Helper()
	if err := c.Wait(); err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return c.ProcessState.ExitCode()
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	good, few := filepath.Join(dir, "good.csv"), filepath.Join(dir, "few.csv")
	store := filepath.Join(dir, "models")
	require.NoError(t, os.WriteFile(few, []byte("timestamp,cpu,memory,network\n1704067200,1,2,3\n"), 0o600))
	for _, set := range []struct {
		want int
		args string
	}{
		{exitOK, "simulate --last 48h --per-kind 0 -o " + good},
		{exitOK, "fit --data " + good + " --model " + store},
		{exitOK, "--help"},
		{exitFailure, "score --model " + store + " --data " + filepath.Join(dir, "absent.csv")},
		{exitFailure, "promote --model " + store + " nosuch"},
		{exitUsage, "fit --speed 3"},
		{exitUsage, "nonsense"},
		{exitData, "fit --data " + few + " --model " + store},
		{exitGate, "validate --data " + good + " --max-age 1h"},
	} {
		c := start(t, strings.Fields(set.args)...)
		require.Equal(t, set.want, code(t, c), "%s: %s", set.args, c.Stderr)
	}
}

// Ctrl-C: exit 130, and no half model.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	data, store := filepath.Join(dir, "long.csv"), filepath.Join(dir, "models")
	must(t, "simulate", "-o", data, "--last", "8000h", "--per-kind", "0")
	c := start(t, "fit", "--data", data, "--model", store)
	require.NoError(t, testbed.Until(t.Context(), "the fit to begin", func() bool { _, err := os.Stat(store); return err == nil }))
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.Equal(t, exitInterrupted, code(t, c))
	models, err := filepath.Glob(filepath.Join(store, "*.model"))
	require.NoError(t, err)
	require.Empty(t, models)
}

// sound checks that every version of a store can be used, and that the current one
// is one of them.
func sound(t *testing.T, store string) (names []string) {
	t.Helper()
	var versions []listed
	mustJSON(t, &versions, "list", "--model", store, "-q")
	current := 0
	for _, v := range versions {
		require.Empty(t, v.Error, v.Name)
		names = append(names, v.Name)
		if v.Current {
			current++
		}
	}
	require.Equal(t, 1, current)
	return names
}

// kill -9 at any moment of a save leaves the old or the new version. strace kills
// the program as it enters its n-th call of each kind that a save is made of.
func TestKilledWhileSaving(t *testing.T) {
	e2e(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	data := record(t, "--last", "24h", "--per-kind", "0")
	store := fitted(t, data)
	first := sound(t, store)
	file, err := program()
	require.NoError(t, err)
	killed := map[string]int{}
	for _, call := range []string{"flock", "fsync", "fchmod", "renameat,renameat2,rename", "unlinkat", "getdents64"} {
		for n := 1; n <= 6; n++ {
			c := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n),
				file, "fit", "-q", "--data", data, "--model", store, "--contamination", "0.01", "--seed", fmt.Sprint(n))
			c.Env = append(os.Environ(), "GOMAXPROCS=1") // strace counts by thread
			if err := c.Run(); err != nil {
				killed[call]++
			}
			require.Contains(t, sound(t, store), first[0], "%s, call %d", call, n)
		}
	}
	require.Greater(t, killed["fsync"], 1, "%v", killed)
	require.Positive(t, killed["renameat,renameat2,rename"], "%v", killed)
	t.Logf("killed at %v", killed)

	before := len(sound(t, store))
	must(t, "fit", "-q", "--data", data, "--model", store)
	require.Len(t, sound(t, store), before+1, "nobody holds the lock of the dead")
	rest, err := filepath.Glob(filepath.Join(store, ".tmp-*"))
	require.NoError(t, err)
	require.Empty(t, rest, "and what they left was swept up")
}

// Several trainers at once: each waits for the other, and nothing is lost.
func TestTrainersAtOnce(t *testing.T) {
	data, store := record(t, "--last", "24h", "--per-kind", "0"), filepath.Join(t.TempDir(), "models")
	const trainers = 6
	var running []*exec.Cmd
	for seed := range trainers {
		running = append(running, start(t, "fit", "-q", "--data", data, "--model", store, "--contamination", "0.01", "--seed", fmt.Sprint(seed)))
	}
	for _, c := range running {
		require.Zero(t, code(t, c), c.Stderr)
	}
	require.Len(t, sound(t, store), trainers)
}

// A trainer that cannot have the lock says who has it, and leaves the store alone.
func TestATrainerDoesNotWaitForever(t *testing.T) {
	e2e(t)
	data := record(t, "--last", "24h", "--per-kind", "0")
	store := fitted(t, data)
	holder := exec.Command("flock", filepath.Join(store, "lock"), "sleep", "60")
	require.NoError(t, holder.Start())
	defer func() { _ = holder.Process.Kill(); _ = holder.Wait() }()
	time.Sleep(200 * time.Millisecond)
	c := start(t, "fit", "-q", "--data", data, "--model", store, "--contamination", "0.01")
	require.Equal(t, exitFailure, code(t, c))
	require.Contains(t, fmt.Sprint(c.Stderr), "lock")
	require.Len(t, sound(t, store), 1)
}

// Every verb with --json writes one JSON document to stdout, and nothing else.
// Without it, what is for people is on stderr alone, and --quiet leaves it out.
func TestJSON(t *testing.T) {
	data := record(t)
	store := fitted(t, data)
	out, said, _ := train(t, "inspect", "--model", store)
	require.Empty(t, out)
	require.Contains(t, said, "threshold")
	out, said, _ = train(t, "inspect", "--model", store, "-q")
	require.Empty(t, out+said)
	second := strings.TrimSpace(must(t, "fit", "-q", "--data", data, "--model", store, "--seed", "2"))
	dir := t.TempDir()
	for _, args := range []string{
		"simulate --last 2h --per-kind 0 -o " + filepath.Join(dir, "s.csv"),
		"validate --data " + data,
		"fit --data " + data + " --model " + store,
		"evaluate --no-robust --data " + data + " --model " + store,
		"report --no-robust --data " + data + " --model " + store + " -o " + filepath.Join(dir, "r.html"),
		"list --model " + store,
		"inspect --model " + store,
		"export --model " + store,
		"promote --model " + store + " " + second,
		"rollback --model " + store,
		"diff --model " + store + " " + second + " " + second,
		"prune --model " + store,
		"track --model " + store,
	} {
		t.Run(strings.Fields(args)[0], func(t *testing.T) {
			if strings.HasPrefix(args, "track") {
				t.Setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1") // nothing waits, so nobody is asked
			}
			out, said, code := train(t, append(strings.Fields(args), "--json")...)
			require.Equal(t, exitOK, code, said)
			d := json.NewDecoder(strings.NewReader(out))
			var document any
			require.NoError(t, d.Decode(&document), out)
			require.False(t, d.More())
		})
	}
}

// memory runs the built program and returns its largest resident set, in bytes.
func memory(t *testing.T, args ...string) int64 {
	t.Helper()
	c := start(t, args...)
	require.Zero(t, code(t, c), "%v: %s", args, c.Stderr)
	return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}
