package main

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerbatimKeepsTextFromRoff(t *testing.T) {
	for text, want := range map[string]string{
		"plain":         "plain",
		".TH is a word": `\&.TH is a word`,
		"'tis":          `\&'tis`,
		`a\b --flag`:    `a\eb \-\-flag`,
		"one\n.two\n":   "one\n\\&.two",
	} {
		require.Equal(t, want, verbatim(text))
	}
}

const topHelp = `Usage: train <command> [flags]

Flags:
  -h, --help       Show help.

Commands:
  fit         Fit a model, and say
              more on a second line.
  score       Score metrics.

Run "train <command> --help" for more.
`

func TestTrainPageHasEveryCommand(t *testing.T) {
	page, err := trainPage("1.2.3", func(arguments ...string) (string, error) {
		if len(arguments) == 1 {
			return topHelp, nil
		}
		return "help of " + arguments[0], nil
	})
	require.NoError(t, err)
	require.Contains(t, page, `"telegraf-anomaly 1.2.3"`)
	require.Contains(t, page, ".SS fit\n.nf\nhelp of fit\n.fi\n.SS score\n.nf\nhelp of score\n.fi\n")
	require.Equal(t, 2, strings.Count(page, ".SS "))
}

func TestTrainPageFails(t *testing.T) {
	for want, help := range map[string]func(...string) (string, error){
		"no program":  func(...string) (string, error) { return "", errors.New("no program") },
		"no commands": func(...string) (string, error) { return "Usage: train", nil },
		"fit: broken": func(a ...string) (string, error) {
			if len(a) == 1 {
				return topHelp, nil
			}
			return "", errors.New("broken")
		},
	} {
		_, err := trainPage("1", help)
		require.ErrorContains(t, err, want)
	}
}

func TestCompressGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	var texts []string
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(dir, name)
		require.NoError(t, compress(path, []byte("page")))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		texts = append(texts, string(b))
		r, err := gzip.NewReader(strings.NewReader(string(b)))
		require.NoError(t, err)
		page, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "page", string(page))
	}
	require.Equal(t, texts[0], texts[1])
}
