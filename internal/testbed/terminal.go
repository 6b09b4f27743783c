package testbed

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether a person watches what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
