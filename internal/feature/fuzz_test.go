package feature

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

// FuzzJoiner feeds whatever decodes as line protocol: nothing is lost, said
// twice, or no number.
func FuzzJoiner(f *testing.F) {
	files, err := filepath.Glob("testdata/join/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		input, _, _ := strings.Cut(string(text), divider)
		f.Add([]byte(input), uint16(500))
	}
	f.Fuzz(func(t *testing.T, text []byte, hold uint16) {
		back := map[int]bool{}
		giveBack := func(n int) {
			require.False(t, back[n], "line %d twice", n)
			back[n] = true
		}
		s := defaults()
		s.Interval = time.Second
		j := newJoiner(t, s, time.Duration(hold)*time.Millisecond, Limits{Groups: 3, Held: 10, Idle: time.Hour}, func(v *Vector, items []Item[int]) {
			requireSound(t, v)
			for _, item := range items {
				giveBack(item.Handle)
			}
		})
		now, n := time.Unix(0, 0), 0
		var p lp.Point
		for line := range bytes.Lines(text) {
			if lp.Decode(&p, line, now) != nil {
				continue
			}
			now = now.Add(100 * time.Millisecond)
			j.Expire(now)
			if !j.Add(&p, n, now) {
				giveBack(n)
			}
			n++
		}
		j.Flush()
		require.Len(t, back, n)
	})
}
