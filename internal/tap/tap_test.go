package tap

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLinesPassUnchanged(t *testing.T) {
	text := "m,host=a v=1 100\nother v=2 100\n\n# a comment\nm,host=b v=3 100\nno end of line"
	var in, out bytes.Buffer
	p := New("m")
	require.NoError(t, p.Enter(&in, strings.NewReader(text)))
	require.NoError(t, p.Leave(&out, &in))
	require.Equal(t, text, out.String())
	require.Equal(t, 2, p.Report().In)
	require.Equal(t, 2, p.Report().Out)
}

// A line is known again by series and time, whatever fields were added.
func TestTheTimeInsideIsMeasured(t *testing.T) {
	p := New("m")
	require.NoError(t, p.Enter(io.Discard, strings.NewReader("m,host=a v=1 100\nm,host=a v=1 200\nm,host=b v=1 100\n")))
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, p.Leave(io.Discard, strings.NewReader("m,host=a v=1,anomaly_score=0.5 100\nm,host=c v=1 100\nm,host=b v=1,x=\"y z\" 100\n")))
	r := p.Report()
	require.Equal(t, 3, r.In)
	require.Equal(t, 2, r.Out, "one is still inside, one was never")
	require.GreaterOrEqual(t, r.P50, 20.0)
	require.LessOrEqual(t, r.P50, r.P99)
	require.LessOrEqual(t, r.P99, r.Max)
}

// A reader that is slower than the processor costs the processor no time.
func TestASlowReaderIsNotTheProcessors(t *testing.T) {
	const lines = 100
	p := New("m")
	for i := range lines {
		require.NoError(t, p.Enter(io.Discard, strings.NewReader(fmt.Sprintf("m,host=a v=1 %d\n", i))))
	}
	r, w := io.Pipe()
	go func() {
		for i := range lines {
			fmt.Fprintf(w, "m,host=a v=1 %d\n", i)
		}
		_ = w.Close()
	}()
	stalled, slow := io.Pipe()
	left := make(chan error, 1)
	go func() { left <- p.Leave(slow, r) }()
	require.Eventually(t, func() bool { return p.Report().Out == lines }, 10*time.Second, time.Millisecond, "nobody reads yet")
	go func() { _, _ = io.Copy(io.Discard, stalled) }()
	require.NoError(t, <-left)
}

// After a reset only what was inside, or comes, counts.
func TestReset(t *testing.T) {
	p := New("m")
	require.NoError(t, p.Enter(io.Discard, strings.NewReader("m,host=a v=1 100\nm,host=a v=1 200\n")))
	require.NoError(t, p.Leave(io.Discard, strings.NewReader("m,host=a v=1 100\n")))
	p.Reset()
	require.Equal(t, Report{In: 1}, p.Report())
	require.NoError(t, p.Leave(io.Discard, strings.NewReader("m,host=a v=1 200\n")))
	require.Equal(t, 1, p.Report().Out)
}

// What goes in during a pause does not count, what is inside does.
func TestPause(t *testing.T) {
	p := New("m")
	require.NoError(t, p.Enter(io.Discard, strings.NewReader("m,host=a v=1 100\n")))
	p.Pause(true)
	require.NoError(t, p.Enter(io.Discard, strings.NewReader("m,host=a v=1 200\n")))
	p.Pause(false)
	require.NoError(t, p.Enter(io.Discard, strings.NewReader("m,host=a v=1 300\n")))
	require.NoError(t, p.Leave(io.Discard, strings.NewReader("m,host=a v=1 100\nm,host=a v=1 200\nm,host=a v=1 300\n")))
	require.Equal(t, 2, p.Report().In)
	require.Equal(t, 2, p.Report().Out)
}

func TestNothingMeasured(t *testing.T) {
	require.Equal(t, Report{}, New("m").Report())
}

func TestErrorsOfBothSidesAreTold(t *testing.T) {
	broken, w := io.Pipe()
	_ = w.CloseWithError(io.ErrUnexpectedEOF)
	require.ErrorIs(t, New("m").Enter(io.Discard, broken), io.ErrUnexpectedEOF)
	reader, unread := io.Pipe()
	_ = reader.CloseWithError(io.ErrNoProgress)
	require.ErrorIs(t, New("m").Leave(unread, strings.NewReader("m,a=b v=1 1\n")), io.ErrNoProgress)
	r, closed := io.Pipe()
	_ = r.CloseWithError(io.ErrClosedPipe)
	require.ErrorIs(t, New("m").Enter(closed, strings.NewReader("m,a=b v=1 1\n")), io.ErrClosedPipe)
}
