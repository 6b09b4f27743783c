package feature

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/lp"
)

func TestFilterWants(t *testing.T) {
	f := NewFilter(defaults())
	for line, want := range map[string]bool{
		"cpu,cpu=cpu-total,host=a usage_idle=5 1\n":   true,
		"cpu,cpu=cpu7,host=a usage_idle=5 1\n":        false,
		"cpu,cpu=cpu-total2,host=a usage_idle=5 1\n":  false,
		"cpu,host=a usage_idle=5 1\n":                 false,
		"mem,host=a used_percent=5 1\n":               true,
		"mem used_percent=5 1\n":                      true,
		"net,host=a,interface=eth0 bytes_recv=5i 1":   true,
		"net,host=a,interface=lo bytes_recv=5i 1":     false,
		"net,host=a,interface=veth12 bytes_recv=5i 1": false,
		"net,host=a bytes_recv=5i 1":                  true,
		"disk,host=a used_percent=5 1\n":              false,
		"cpuset,cpu=cpu-total usage_idle=5 1\n":       false,
		"":                                            false,

		`cpu,cpu=cpu7,host=a\ b usage_idle=5 1`: true, // it cannot tell
		"cpu,cpu=cpu7":                          true,
		"cpu":                                   true,
	} {
		require.Equal(t, want, f.Wants([]byte(line)), "%q", line)
	}
}

// A Filter is right about every line: what it does not want feeds no feature, and
// what feeds none it does not want, unless it cannot tell.
func TestFilterAgreesWithSelects(t *testing.T) {
	text := rapid.StringMatching(`[a-c/*]{0,3}`)
	pattern := rapid.OneOf(text, rapid.StringMatching(`[a-c]{0,2}[*?]`), rapid.StringMatching(`\[a-b\][a-c]?\*?`), rapid.StringMatching(`\\\*[a-c]?`))
	globs := rapid.MapOf(rapid.SampledFrom([]string{"t", "u", "v w"}), rapid.SliceOfN(pattern, 1, 3))
	rapid.Check(t, func(t *rapid.T) {
		f := Feature{
			Name: "f", Measurement: "m", Fields: []string{"x"},
			Tags:    rapid.MapOfN(rapid.SampledFrom([]string{"t", "u"}), text, 0, 1).Draw(t, "tags"),
			Include: globs.Draw(t, "include"), Exclude: globs.Draw(t, "exclude"),
		}
		s := Schema{Features: []Feature{f}}
		require.NoError(t, s.Normalize())
		line := rapid.SampledFrom([]string{"m", "m", "m", "n"}).Draw(t, "name")
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"s", "t", "u", `v\ w`}), 0, 4, rapid.ID).Draw(t, "keys") {
			line += "," + key + "=" + rapid.StringMatching(`[a-c/*]{1,3}(\\ )?`).Draw(t, key)
		}
		line += " x=1 5\n"
		var p lp.Point
		require.NoError(t, lp.Decode(&p, []byte(line), time.Time{}))
		selected := string(p.Name) == "m" && f.selects(&p)
		if wanted := NewFilter(&s).Wants([]byte(line)); wanted != selected {
			require.True(t, wanted, line)
			require.Contains(t, line, `\`)
			require.True(t, strings.HasPrefix(line, "m"))
		}
	})
}

func TestGlobsAgreeWithPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab/*?\[\]\\^-]{0,5}`).Draw(t, "pattern")
		value := rapid.StringMatching(`[ab/*?\[\]\\^-]{0,5}`).Draw(t, "value")
		want, err := path.Match(pattern, value)
		if _, bad := path.Match(pattern, ""); bad != nil || err != nil {
			t.Skip("Normalize refuses it")
		}
		require.Equal(t, want, newGlobs([]string{pattern})[0].matches([]byte(value)), "%q of %q", pattern, value)
	})
}

func BenchmarkFilter(b *testing.B) {
	f := NewFilter(defaults())
	for name, line := range map[string]string{
		"total":   "cpu,cpu=cpu-total,host=web01 usage_idle=82.1 1795438124000000000\n",
		"core":    "cpu,cpu=cpu7,host=web01 usage_idle=82.1 1795438124000000000\n",
		"eth0":    "net,host=web01,interface=eth0 bytes_recv=3260785388i 1795438124000000000\n",
		"another": "disk,device=vda,fstype=ext4,host=web01 used=1i 1795438124000000000\n",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f.Wants([]byte(line))
			}
		})
	}
}
