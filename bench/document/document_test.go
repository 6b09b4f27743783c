package document

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	var b bytes.Buffer
	Table(&b, [][]string{{"who", "µs"}, {"cat", "0.04"}})
	require.Equal(t, "| who | µs |\n| --- | --- |\n| cat | 0.04 |\n\n", b.String())
	b.Reset()
	Table(&b, nil)
	require.Equal(t, "\n", b.String())
}

// What is around a section stays, however often it is written.
func TestSection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(path, []byte("# A\n<!-- make x begins -->\nold\n<!-- make x ends -->\nrest\n"), 0o600))
	for _, text := range []string{"new", "newer"} {
		require.NoError(t, Section(path, "make x", func(w io.Writer) { fmt.Fprintln(w, text) }))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "# A\n<!-- make x begins -->\n\n"+text+"\n<!-- make x ends -->\nrest\n", string(got))
	}
}

func TestNoSectionIsNoSuccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	write := func(w io.Writer) { fmt.Fprintln(w, "text") }
	require.ErrorIs(t, Section(path, "make x", write), os.ErrNotExist)
	for _, text := range []string{"", "<!-- make x begins -->\n", "<!-- make x ends -->\n", "<!-- make x ends -->\n<!-- make x begins -->\n"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.ErrorContains(t, Section(path, "make x", write), `has no section between "<!-- make x begins -->"`)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
}

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	require.NoError(t, JSON(path, map[string]int{"a": 1}))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\n  \"a\": 1\n}\n", string(got))
	require.NoError(t, JSON("", nil), "nobody wants it")
	require.Error(t, JSON(path, func() {}))
}
