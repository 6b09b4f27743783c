// Package docs checks that what the documents say can be done.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

// documents are those that these tests answer for, by path below the root.
func documents(t *testing.T) (root string, texts map[string]string) {
	t.Helper()
	root, err := testbed.Root()
	require.NoError(t, err)
	texts = map[string]string{}
	for _, pattern := range []string{"docs/*.md", "CONTRIBUTING.md", "SECURITY.md", "docker/*.md", "grafana/*.md", "examples/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			name, err := filepath.Rel(root, file)
			require.NoError(t, err)
			texts[name] = string(text)
		}
	}
	require.Greater(t, len(texts), 8)
	return root, texts
}

var marked = regexp.MustCompile("(?s)<!-- run by a test -->\n```sh\n(.*?)```")

func TestCommandsWork(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("runs the documents' commands; set E2E=1")
	}
	root, texts := documents(t)
	count := 0
	for name, text := range texts {
		for _, m := range marked.FindAllStringSubmatch(text, -1) {
			count++
			t.Run(name, func(t *testing.T) {
				if strings.HasPrefix(m[1], "kubectl ") {
					if _, err := exec.LookPath("kubectl"); err != nil {
						t.Skip("needs kubectl")
					}
				}
				c := exec.CommandContext(t.Context(), "sh", "-e", "-c", m[1])
				c.Dir = root
				said, err := c.CombinedOutput()
				require.NoError(t, err, "%s\n%s", m[1], said)
			})
		}
	}
	require.GreaterOrEqual(t, count, 3)
}

var fence = regexp.MustCompile("(?s)(\n[^\n]*)\n```sh\n(.*?)```")

// Blocks that are not run here are run by packaging (on a bare Debian), by
// internal/dashboards (on the demo and its database) and by cmd/train. One that
// cannot be run says why. One of nothing but make is tests itself: that the targets
// exist is checked below.
func TestEveryBlockOfCommandsIsRunByATest(t *testing.T) {
	_, texts := documents(t)
	for name, text := range texts {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			if !onlyMake(m[2]) {
				require.Regexp(t, `<!-- (not )?run by a test`, m[1], "%s: %s", name, m[2])
			}
		}
	}
}

// Commands that are only indented would escape the check above.
func TestCommandsAreFenced(t *testing.T) {
	_, texts := documents(t)
	for name, text := range texts {
		require.NotRegexp(t, `\n\n    (make|go|curl|cp|docker|train|bin/|sudo|telegraf)\b`, text, name)
	}
}

func onlyMake(block string) bool {
	for line := range strings.Lines(block) {
		if !strings.HasPrefix(line, "make ") {
			return false
		}
	}
	return true
}

var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	root, texts := documents(t)
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(name), m[1]))
			require.NoError(t, err, "%s: %s", name, m[1])
		}
	}
}

func TestTargetsAreInTheMakefile(t *testing.T) {
	root, texts := documents(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for name, text := range texts {
		for _, m := range regexp.MustCompile("(?m)(?:^ *|`)make ([a-z]+)(?: [A-Z]+=\\S+)?(?:`|$| +#)").FindAllStringSubmatch(text, -1) {
			require.Regexp(t, `(?m)^`+m[1]+`:`, string(makefile), "%s: make %s", name, m[1])
		}
	}
}

// A path of the repository that a document names exists.
func TestPathsExist(t *testing.T) {
	root, texts := documents(t)
	path := regexp.MustCompile("`((?:internal|cmd|examples|packaging|docker|grafana|docs)/[A-Za-z0-9_./-]+)`")
	for name, text := range texts {
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(root, strings.TrimSuffix(m[1], "/")))
			require.NoError(t, err, "%s: %s", name, m[1])
		}
	}
}
