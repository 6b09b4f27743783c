package stdio

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// passed is what comes out of a scoring Runner for a text, without the engine's
// own records.
func passed(t *testing.T, text string) (lines []string) {
	t.Helper()
	log := NewLogger(io.Discard)
	defer log.Close()
	var out bytes.Buffer
	r := New(strings.NewReader(text), &out, log)
	require.NoError(t, r.Use(builder(asIs)))
	require.NoError(t, r.Run(nil))
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "ai_predictions") {
			lines = append(lines, line)
		}
	}
	return lines
}

// A line is scored alike whichever decoder reads it, whether or not its bytes
// told that it feeds no feature, and whatever was written of the vector before.
func TestAllWaysOfALineScoreItAlike(t *testing.T) {
	const hosts, intervals = 5, 60
	random := rand.New(rand.NewPCG(3, 4))
	var straight, roundabout strings.Builder
	for k := range intervals {
		var lines []string
		for h := range hosts {
			lines = append(lines, interval("web0"+string(rune('1'+h)), k)...)
		}
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		for _, line := range lines {
			straight.WriteString(line)
			// More spaces than one are the general decoder's, as is an escape in a tag,
			// of which a filter does not know what to think.
			line = strings.Replace(line, " ", "  ", 1)
			roundabout.WriteString(strings.Replace(line, ",host=", `,a=\ ,host=`, 1))
		}
	}
	want := passed(t, straight.String())
	require.Len(t, want, hosts*intervals*len(interval("a", 0)))
	require.Greater(t, len(slices.DeleteFunc(slices.Clone(want), func(line string) bool { return !strings.Contains(line, "anomaly_score=") })), len(want)/3)

	got := passed(t, roundabout.String())
	for i, line := range got {
		got[i] = strings.Replace(strings.Replace(line, `,a=\ ,host=`, ",host=", 1), "  ", " ", 1)
	}
	slices.Sort(want) // what feeds no feature overtakes what waits, or does not
	slices.Sort(got)
	require.Equal(t, want, got)
}
