package stdio

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func pipe(t *testing.T) (r, w *os.File) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func TestDrainWaitsForTheReader(t *testing.T) {
	r, w := pipe(t)
	_, err := w.Write(make([]byte, 1000))
	require.NoError(t, err)
	require.False(t, drain(int(w.Fd()), 20*time.Millisecond), "nobody reads")

	done := make(chan bool)
	go func() { done <- drain(int(w.Fd()), time.Minute) }()
	_, err = io.ReadFull(r, make([]byte, 999))
	require.NoError(t, err)
	select {
	case <-done:
		t.Fatal("a byte is unread")
	case <-time.After(20 * time.Millisecond):
	}
	_, err = io.ReadFull(r, make([]byte, 1))
	require.NoError(t, err)
	require.True(t, <-done)
}

func TestDrainOfWhatIsNoPipe(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/file")
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("text")
	require.NoError(t, err)
	start := time.Now()
	Drain(int(f.Fd()))
	Drain(-1)
	require.Less(t, time.Since(start), drainTime)
}

func TestPartEndsPipesOnly(t *testing.T) {
	r, w := pipe(t)
	f, err := os.Create(t.TempDir() + "/file")
	require.NoError(t, err)
	defer f.Close()
	Part(f)
	_, err = f.WriteString("a file stays open")
	require.NoError(t, err)

	ended := make(chan time.Time, 1)
	go func() { _, _ = io.ReadAll(r); ended <- time.Now() }()
	start := time.Now()
	Part(f, w, w) // the second time it is closed already
	require.GreaterOrEqual(t, time.Since(start), partTime)
	require.False(t, (<-ended).Before(start))
}
