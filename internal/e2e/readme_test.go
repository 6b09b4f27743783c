package e2e

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

// fenced are the blocks of a language in a text; marked ones have the comment
// "run by a test" before them.
func fenced(text, language string, marked bool) (blocks []string) {
	before := ""
	if marked {
		before = "<!-- run by a test -->\n"
	}
	for _, m := range regexp.MustCompile("(?s)"+before+"```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

func readme(t *testing.T) (root, text string) {
	t.Helper()
	root, err := testbed.Root()
	require.NoError(t, err)
	return root, read(t, filepath.Join(root, "README.md"))
}

func TestReadmeCommandsWork(t *testing.T) {
	root, text := readme(t)
	blocks := fenced(text, "sh", true)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		c := exec.Command("sh", "-e", "-c", block)
		c.Dir = root
		require.NoError(t, os.MkdirAll(filepath.Join(root, ".run"), 0o755))
		said, err := c.CombinedOutput()
		require.NoError(t, err, "%s\n%s", block, said)
	}
}

func TestReadmeNamesTargetsOfTheMakefile(t *testing.T) {
	t.Parallel()
	root, text := readme(t)
	makefile := read(t, filepath.Join(root, "Makefile"))
	for _, m := range regexp.MustCompile("(?m)(?:^|`)(?:DURATION=90s )?make ([a-z]+)(?:`|$)").FindAllStringSubmatch(text, -1) {
		require.Regexp(t, `(?m)^`+m[1]+`:`, makefile)
	}
}

// What the README tells people to put into their configuration is what the
// configuration under test has.
func TestReadmeConfigurationIsTheTestedOne(t *testing.T) {
	t.Parallel()
	root, text := readme(t)
	config := read(t, filepath.Join(root, "telegraf.conf"))
	blocks := fenced(text, "toml", false)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for line := range strings.Lines(block) {
			require.Contains(t, config, line)
		}
	}
}

// Links between the documents of the repository lead somewhere.
func TestLinksResolve(t *testing.T) {
	t.Parallel()
	root, _ := readme(t)
	documents, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	require.NoError(t, err)
	for _, document := range append(documents, filepath.Join(root, "README.md")) {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(read(t, document), -1) {
			require.FileExists(t, existing(filepath.Join(filepath.Dir(document), m[1])), "%s links to %s", document, m[1])
		}
	}
}

// existing turns a folder into a file in it.
func existing(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, _ := filepath.Glob(filepath.Join(path, "*.*")); len(files) > 0 {
			return files[0]
		}
	}
	return path
}
