// Package document puts what a benchmark measured where people read it: tables in
// Markdown, between two markers of a document, and JSON beside them.
package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Table writes rows as a Markdown table, the first one as its head.
func Table(w io.Writer, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
	fmt.Fprintln(w)
}

// Section replaces what the command printed last between its markers in a file,
// which are "<!-- command begins -->" and "<!-- command ends -->" in lines of their
// own. It fails, and changes nothing, where they are missing.
func Section(path, command string, write func(io.Writer)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := fmt.Sprintf("<!-- %s begins -->\n", command), fmt.Sprintf("<!-- %s ends -->\n", command)
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no section between %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	var b bytes.Buffer
	b.WriteString(before + begin + "\n")
	write(&b)
	b.WriteString(end + after)
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// JSON writes v into a file, for machines. An empty path is none.
func JSON(path string, v any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
