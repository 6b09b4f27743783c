package datacenter

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	noon  = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	small = Config{Hosts: 3, Seed: 1, Interval: time.Second, Step: time.Minute, Past: 10 * time.Second}
)

func open(t require.TestingT, c Config) *Center {
	center, err := New(c, noon)
	require.NoError(t, err)
	return center
}

func TestReadIsTheSameWithinAnInterval(t *testing.T) {
	c := open(t, small)
	first := c.Read(noon)
	require.Equal(t, first, c.Read(noon.Add(999*time.Millisecond)))
	next := c.Read(noon.Add(time.Second))
	require.NotEqual(t, first[0].CPU, next[0].CPU)
	require.Equal(t, noon.Add(time.Second), next[0].Time)
	require.Equal(t, next[0].Time.Unix(), next[0].Unix)
}

func TestReadingsDoNotDependOnWhoAsksAndWhen(t *testing.T) {
	want := open(t, small).Read(noon.Add(50 * time.Second))
	rapid.Check(t, func(t *rapid.T) {
		c := open(t, small)
		for _, ms := range rapid.SliceOfN(rapid.IntRange(0, 49_999), 0, 20).Draw(t, "asked at") {
			c.Read(noon.Add(time.Duration(ms) * time.Millisecond))
		}
		require.Equal(t, want, c.Read(noon.Add(50*time.Second)))
	})
}

func TestAClockThatGoesBackReadsTheNewestAgain(t *testing.T) {
	c := open(t, small)
	newest := c.Read(noon)
	require.Equal(t, newest, c.Read(noon.Add(-time.Hour)))
}

func TestHistoryEndsWhereReadingBegins(t *testing.T) {
	c := open(t, small)
	var text bytes.Buffer
	require.NoError(t, c.History(&text, noon))
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	require.Len(t, lines, 10*3)
	require.True(t, strings.HasSuffix(lines[29], "000000000"), lines[29])
	require.NotContains(t, text.String(), string(AppendLine(nil, c.Read(noon)[0])), "the interval of now is not past")

	early := open(t, small)
	want := AppendLine(nil, early.Read(noon.Add(-10 * time.Second))[0])
	require.Equal(t, string(want), lines[0]+"\n")
}

func TestHistoryKnowsNoStress(t *testing.T) {
	c := open(t, small)
	var calm, stressed bytes.Buffer
	require.NoError(t, c.History(&calm, noon))
	_, err := c.Add(Stress{Kind: CPU, Duration: Duration(time.Minute)}, noon.Add(-5*time.Second))
	require.NoError(t, err)
	require.NoError(t, c.History(&stressed, noon))
	require.Equal(t, calm.String(), stressed.String())
}

func TestDaysGoByFasterWithALongerStep(t *testing.T) {
	spread := func(step time.Duration) float64 {
		c := small
		c.Step = step
		center := open(t, c)
		low, high := 100.0, 0.0
		for s := range 1440 {
			cpu := center.Read(noon.Add(time.Duration(s) * time.Second))[0].CPU
			low, high = min(low, cpu), max(high, cpu)
		}
		return high - low
	}
	require.Greater(t, spread(time.Minute), 2*spread(time.Second), "a day against 24 minutes")
}

func TestNewRefusesNonsense(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no hosts":    func(c *Config) { c.Hosts = 0 },
		"no interval": func(c *Config) { c.Interval = 0 },
		"no step":     func(c *Config) { c.Step = 0 },
		"past":        func(c *Config) { c.Past = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			c := small
			change(&c)
			_, err := New(c, noon)
			require.ErrorContains(t, err, "want at least one host")
		})
	}
}
