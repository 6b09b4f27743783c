package period

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(t *testing.T, s string) time.Time {
	v, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return v
}

func TestContains(t *testing.T) {
	const sunday = "2026-11-22T"
	for _, c := range []struct {
		name, text, group, time string
		want                    bool
	}{
		{"nothing", "", "a", sunday + "02:00:00Z", false},
		{"start belongs", "2026-11-22T02:00:00Z 2026-11-22T04:00:00Z", "a", sunday + "02:00:00Z", true},
		{"end does not", "2026-11-22T02:00:00Z 2026-11-22T04:00:00Z", "a", sunday + "04:00:00Z", false},
		{"an offset counts", "2026-11-22T02:00:00+01:00 2026-11-22T04:00:00+01:00", "a", sunday + "01:30:00Z", true},
		{"of another group", "2026-11-22T02:00:00Z 2026-11-22T04:00:00Z b", "a", sunday + "03:00:00Z", false},
		{"of this group", "2026-11-22T02:00:00Z 2026-11-22T04:00:00Z a", "a", sunday + "03:00:00Z", true},
		{"daily", "daily 02:00 02:30", "a", sunday + "02:29:59Z", true},
		{"daily, over", "daily 02:00 02:30", "a", sunday + "02:30:00Z", false},
		{"on the day", "sun 02:00 04:00", "a", sunday + "03:00:00Z", true},
		{"on another day", "mon 02:00 04:00", "a", sunday + "03:00:00Z", false},
		{"over midnight, before", "sun 23:00 01:00", "a", sunday + "23:30:00Z", true},
		{"over midnight, behind", "sat 23:00 01:00", "a", sunday + "00:30:00Z", true},
		{"over midnight, a day later", "sun 23:00 01:00", "a", sunday + "00:30:00Z", false},
		{"comment", "# sun 02:00 04:00\n\n", "a", sunday + "03:00:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(strings.NewReader(c.text))
			require.NoError(t, err)
			require.Equal(t, c.want, s.Contains(c.group, at(t, c.time)))
		})
	}
}

func TestParseNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"daily 02:00 02:30\nsoon":                   `line 2: "soon" has a start but no end`,
		"soon later":                                `line 1: "soon" is neither`,
		"2026-11-22T02:00:00Z 2026-11-22T01:00:00Z": "line 1: \"2026-11-22T01:00:00Z\" is not a time after",
		"sun 02:00":                                 "line 1: \"sun\" wants a start and an end",
		"daily 2am 03:00":                           `line 1: "2am" is not a time of day`,
	} {
		_, err := Parse(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}
