package lint

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/RELIABILITY.md names tests as proof: they are there, and so is every one of
// the 25 items.
func TestProofsExist(t *testing.T) {
	var tests strings.Builder
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			tests.Write(read(t, name))
		}
	}
	text := string(read(t, "docs/RELIABILITY.md"))
	names := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(text, -1)
	require.Greater(t, len(names), 40)
	for _, m := range names {
		require.Contains(t, tests.String(), "\nfunc "+m[1]+"(", "docs/RELIABILITY.md")
	}
	require.Len(t, regexp.MustCompile(`(?m)^\| \d+ \|`).FindAllString(text, -1), 25)
}
