package anomaly

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is in a configuration: an error that names its line, or one that can
// be written out and read again, and that an engine's configuration comes of.
func FuzzParseConfig(f *testing.F) {
	f.Add(New().SampleConfig())
	f.Add(DefaultConfig().String())
	for _, text := range []string{
		"", "[[processors.anomaly]]\nwindow = \"5m\"", "[[processors.anomaly]]\nalarm = \"2 of 3\"\nclear_after = 2",
		"[[processors.anomaly]]\n[[processors.anomaly.feature]]\nname = \"a\"\nmeasurement = \"m\"\nfields = [\"f\"]\nkind = \"counter\"\ntags = {a = \"b\"}",
		"[[processors.anomaly]]\n[[processors.anomaly]]", "[processors]\nanomaly = 3", "[[processors.anomaly]]\ncontamination = nan",
		"[[processors.anomaly]]\nretrain = \"9223372036854775807ns\"", "processors.anomaly = [{trees = 99999999999}]", "\xff", "[[", `"\`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(text)
		if err != nil {
			require.NotContains(t, err.Error(), "line 0")
			return
		}
		_, err = c.Engine()
		require.NoError(t, err)
		written := c.String()
		again, err := ParseConfig(written)
		require.NoError(t, err, written)
		require.Equal(t, written, again.String())
	})
}
