package period

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever is in a list of periods: an error that names a line, or a set that can
// be asked about any time.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"2026-11-01T00:00:00Z 2026-11-01T04:00:00Z web01\n", "daily 02:00 02:30", "sun 23:00 01:00 db01", "# no\n\nmon 1:00 25:00",
		"2026-11-01T00:00:00Z 2025-11-01T00:00:00Z", "daily", "daily 00:00 24:00", "0000-01-01T00:00:00Z 9999-12-31T23:59:59Z",
	} {
		f.Add(text, int64(1.7e18), "web01")
	}
	f.Fuzz(func(t *testing.T, text string, at int64, group string) {
		s, err := Parse(strings.NewReader(text))
		if err != nil {
			require.Contains(t, err.Error(), "line ")
			return
		}
		now := time.Unix(0, at)
		require.Equal(t, s.Contains(group, now), s.Contains(group, now.In(time.FixedZone("x", 3600))), "a time is a time in any zone")
		if strings.TrimSpace(text) == "" {
			require.False(t, s.Contains(group, now))
		}
	})
}
