package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		name        string
		rss         []float64
		descriptors []int
		grown       float64
		more        int
	}{
		{"level", []float64{5, 6, 5, 6}, []int{9, 9, 9, 9}, 0, 0},
		{"the first half counts with its most", []float64{9, 6, 5, 6}, []int{9, 12, 9, 9}, -3, -3},
		{"growing", []float64{1, 2, 3, 4}, []int{9, 9, 10, 9}, 2, 1},
		{"an odd number", []float64{1, 2, 3, 4, 5}, []int{1, 1, 1, 1, 1}, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []Sample
			for i := range c.rss {
				all = append(all, Sample{RSS: c.rss[i], Descriptors: c.descriptors[i]})
			}
			grown, more := Growth(all)
			require.Equal(t, c.grown, grown)
			require.Equal(t, c.more, more)
		})
	}
	grown, more := Growth(nil)
	require.Zero(t, grown)
	require.Zero(t, more)
}

func TestPrintSoak(t *testing.T) {
	all := []Sample{{At: time.Minute, RSS: 20e6, Threads: 9, Descriptors: 12, In: 10, Out: 9}, {At: 2 * time.Minute, RSS: 21e6, Threads: 9, Descriptors: 12, In: 20, Out: 20}}
	var text strings.Builder
	require.True(t, PrintSoak(&text, all, 0))
	require.Equal(t, `AFTER  MEMORY   THREADS  DESCRIPTORS  IN  OUT
1m0s   20.0 MB  9        12           10  9
2m0s   21.0 MB  9        12           20  20

200 hosts every 10s: 0 lines lost; the second half took 1.0 MB and 0 descriptors more than the first: pass
`, text.String())

	require.False(t, PrintSoak(&text, all, 1), "a line was lost")
	all[1].RSS = 40e6
	require.False(t, PrintSoak(&text, all, 0), "memory")
	all[1].RSS, all[1].Descriptors = 20e6, 13
	require.False(t, PrintSoak(&text, all, 0), "descriptors")
}
