package testbed

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// What a processor adds does not count, and lines may arrive in pieces.
func TestStopwatchCountsWhatWentIn(t *testing.T) {
	stopped := 0
	w := stopwatch{want: 2, stop: func() { stopped++ }}
	text := "cpu a=1 1\nai_predictions,host=a score=1 1\nanomaly_processor lines=1i 1\nmem b=1,anomaly_score=0.5 1\ncpu a="
	piece := make([]byte, 1)
	for r := iotest.OneByteReader(strings.NewReader(text)); ; {
		if _, err := r.Read(piece); err != nil {
			break
		}
		_, err := w.Write(piece)
		require.NoError(t, err)
	}
	require.Equal(t, 2, w.lines)
	require.Equal(t, 1, stopped)
	require.False(t, w.last.Before(w.first))
}
