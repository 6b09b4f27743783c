package lint

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root        = "../.."
	maxFile     = 400 // lines
	maxFunction = 80  // lines
	maxTest     = 120 // lines: a table may be long
)

// tracked returns the files under version control; without it, in an unpacked
// archive, all files.
func tracked(t *testing.T) (files []string) {
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
			if _, err := os.Stat(filepath.Join(root, name)); err == nil {
				files = append(files, name)
			}
		}
		return files
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, _ := filepath.Rel(root, path)
			files = append(files, name)
		}
		return err
	}))
	return files
}

func read(t *testing.T, name string) []byte {
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return text
}

func goFiles(t *testing.T) (files []string) {
	for _, name := range tracked(t) {
		if strings.HasSuffix(name, ".go") {
			files = append(files, name)
		}
	}
	require.NotEmpty(t, files)
	return files
}

// places are what only one machine has.
var places = regexp.MustCompile(`/` + `(work/(main|shared)|root/|home/[a-z]+/)|/tmp/` + `[a-z]{2,3}/`)

func TestNoPathOfOneMachine(t *testing.T) {
	for _, name := range tracked(t) {
		text := read(t, name)
		if !utf8.Valid(text) {
			continue // compressed
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			assert.False(t, places.Match(line), "%s:%d: %.120s", name, i+1, line)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, text := range []string{"cd /work" + "/main", "/root" + "/go/pkg", "see /home" + "/eva/x", "/tmp" + "/ab/c"} {
		require.True(t, places.MatchString(text), text)
	}
	for _, text := range []string{"/workshop", "/var/lib/telegraf", "work/main", "/tmp", "https://host/root"} {
		require.False(t, places.MatchString(text), text)
	}
}

func TestGofmt(t *testing.T) {
	for _, name := range goFiles(t) {
		text := read(t, name)
		formatted, err := format.Source(text)
		require.NoError(t, err, name)
		assert.True(t, bytes.Equal(text, formatted), "%s: run gofmt -w on it", name)
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, name := range goFiles(t) {
		set, file := parse(t, name)
		assert.LessOrEqual(t, bytes.Count(read(t, name), []byte("\n")), maxFile, "%s has too many lines; it is about one thing, or it is two", name)
		limit := maxFunction
		if strings.HasSuffix(name, "_test.go") {
			limit = maxTest
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
				assert.LessOrEqual(t, lines, limit, "%s: %s has too many lines", set.Position(f.Pos()), f.Name.Name)
			}
		}
	}
}

func parse(t *testing.T, name string) (*token.FileSet, *ast.File) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments)
	require.NoError(t, err)
	return set, file
}

func TestExportedNamesHaveDocComments(t *testing.T) {
	packages := map[string]bool{} // folder -> has a package comment
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set, file := parse(t, name)
		packages[filepath.Dir(name)] = packages[filepath.Dir(name)] || file.Doc != nil
		for _, d := range file.Decls {
			for _, ident := range undocumented(d) {
				assert.Fail(t, "no doc comment", "%s: %s", set.Position(ident.Pos()), ident.Name)
			}
		}
	}
	for folder, documented := range packages {
		assert.True(t, documented, "the package in %s has no comment", folder)
	}
}

// undocumented returns the exported names that a declaration makes without a
// comment. One comment does for a group of constants or variables.
func undocumented(d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function is no method of an unexported type.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
