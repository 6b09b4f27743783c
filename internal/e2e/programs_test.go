package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// checkout is the root of this project, with the project's own programs built.
var checkout = sync.OnceValues(func() (string, error) {
	root, err := testbed.Root()
	if err != nil {
		return "", err
	}
	return root, testbed.Install(context.Background(), root, os.Stderr, testbed.Anomaly, testbed.Train)
})

// need returns the root of the checkout once the programs are in its bin folder.
func need(t *testing.T, programs ...testbed.Program) (root string) {
	t.Helper()
	root, err := checkout()
	require.NoError(t, err)
	for _, p := range programs {
		if err := p.Installed(root); err != nil && os.Getenv("E2E") == "" {
			t.Skip(err)
		} else {
			require.NoError(t, err)
		}
	}
	return root
}

// sized is a quantity for a full run, or a smaller one for go test -short.
func sized(full, short int) int {
	if testing.Short() {
		return short
	}
	return full
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// deadline is a context for waiting.
func deadline(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// The hosts of these tests report every minute, in the time of their metrics; how
// fast that goes by is up to each test.
const (
	seed     = 7
	interval = time.Minute
)

var birth = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// hosts are n hosts as Telegraf's stock inputs see them. The first one is the
// host that the model of trained is of.
func hosts(t *testing.T, n int, start time.Time) []*sim.Stream {
	t.Helper()
	return hostsEvery(t, interval, n, start)
}

func hostsEvery(t *testing.T, interval time.Duration, n int, start time.Time) (streams []*sim.Stream) {
	t.Helper()
	for _, host := range sim.Fleet(seed, n) {
		g, err := sim.New(seed, sim.Config{Host: host, Start: start, Interval: interval})
		require.NoError(t, err)
		streams = append(streams, &sim.Stream{Generator: g, Format: sim.Telegraf(seed, host)})
	}
	return streams
}

const trainingTime = 3 * 24 * time.Hour

// trained is the store of a model of the first host's first days, with all
// settings at their defaults.
var trained = sync.OnceValues(func() (store string, err error) {
	root, err := checkout()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "e2e-model-")
	if err != nil {
		return "", err
	}
	remains = append(remains, dir)
	data := filepath.Join(dir, "training.influx")
	f, err := os.Create(data)
	if err != nil {
		return "", err
	}
	defer f.Close()
	host := sim.Fleet(seed, 1)[0]
	g, err := sim.New(seed, sim.Config{Host: host, Start: birth, Interval: interval})
	if err != nil {
		return "", err
	}
	stream := &sim.Stream{Generator: g, Format: sim.Telegraf(seed, host)}
	if err := sim.Write(f, int(trainingTime/interval), stream); err != nil {
		return "", err
	}
	store = filepath.Join(dir, "model")
	fit := exec.Command(testbed.Train.Path(root), "fit", "--data", data, "--model", store)
	fit.Stderr = os.Stderr
	return store, fit.Run()
})

// remains are folders that outlive a test.
var remains []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range remains {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// serving is a configuration that scores every host with the trained model.
func serving(t *testing.T, more string) (file string) {
	t.Helper()
	store, err := trained()
	require.NoError(t, err)
	return write(t, filepath.Join(t.TempDir(), "anomaly.conf"), "[[processors.anomaly]]\n  model = \""+store+"\"\n"+more)
}
