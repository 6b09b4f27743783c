package stdio

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// both runs a test on either kind of source: a pipe of the system and one in memory.
func both(t *testing.T, test func(t *testing.T, r *reader, in io.WriteCloser)) {
	t.Run("descriptor", func(t *testing.T) {
		out, in, err := os.Pipe()
		require.NoError(t, err)
		defer out.Close()
		r := newReader(out)
		require.IsType(t, new(descriptor), r.source)
		test(t, r, in)
	})
	t.Run("pump", func(t *testing.T) {
		out, in := io.Pipe()
		r := newReader(out)
		require.IsType(t, new(pump), r.source)
		test(t, r, in)
		_ = out.Close()
	})
}

const long = time.Minute // nobody waits for so long here

func TestReaderTakesWhatComesAndSeesTheEnd(t *testing.T) {
	both(t, func(t *testing.T, r *reader, in io.WriteCloser) {
		defer r.close()
		go func() {
			_, _ = in.Write([]byte("one\n"))
			_ = in.Close()
		}()
		chunk, err := r.next(time.Now().Add(long))
		require.NoError(t, err)
		require.Equal(t, "one\n", string(chunk))
		_, err = r.next(time.Now().Add(long))
		require.Equal(t, io.EOF, err)
		require.NoError(t, r.err)
	})
}

func TestReaderReturnsAtItsTime(t *testing.T) {
	both(t, func(t *testing.T, r *reader, in io.WriteCloser) {
		defer r.close()
		defer in.Close()
		for _, wait := range []time.Duration{-time.Hour, 0, 20 * time.Millisecond} {
			until := time.Now().Add(wait)
			chunk, err := r.next(until)
			require.NoError(t, err)
			require.Empty(t, chunk)
			require.False(t, time.Now().Before(until))
		}
	})
}

// A wake ends one read, be it before or during it, however often it is called.
func TestReaderIsWoken(t *testing.T) {
	both(t, func(t *testing.T, r *reader, in io.WriteCloser) {
		defer r.close()
		defer in.Close()
		for range 3 {
			r.wake()
			r.wake()
			chunk, err := r.next(time.Now().Add(long))
			require.NoError(t, err)
			require.Empty(t, chunk)
		}
		start := time.Now()
		chunk, err := r.next(start.Add(20 * time.Millisecond))
		require.NoError(t, err)
		require.Empty(t, chunk)
		require.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond, "a wake is left")

		time.AfterFunc(10*time.Millisecond, r.wake)
		_, err = r.next(time.Now().Add(long))
		require.NoError(t, err)
		require.Less(t, time.Since(start), long)
	})
}

// What is written while a busy stream's lines gather is read at once.
func TestLinesGather(t *testing.T) {
	out, in, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	r := newReader(out)
	defer r.close()
	done := make(chan int)
	go func() {
		reads := 0
		for {
			if _, err := r.next(time.Now().Add(long)); err != nil {
				break
			}
			reads++
		}
		done <- reads
	}()
	const lines = 20_000
	for range lines {
		_, _ = in.Write([]byte("m f=1 1\n"))
	}
	_ = in.Close()
	require.Less(t, <-done, lines/20)
}

func TestReaderKeepsWhyAStreamFailed(t *testing.T) {
	folder, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer folder.Close()
	r := newReader(folder)
	defer r.close()
	_, err = r.next(time.Now().Add(long))
	require.Equal(t, io.EOF, err)
	require.ErrorContains(t, r.err, "is a directory")
}

func TestWakeAfterCloseDoesNothing(t *testing.T) {
	both(t, func(t *testing.T, r *reader, in io.WriteCloser) {
		_ = in.Close()
		_, _ = r.next(time.Now())
		r.close()
		r.wake()
	})
}
