package lint

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// modules are those that the packages need which match the patterns, with their
// folders.
func modules(t *testing.T, arguments ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, arguments...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	all := map[string]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *struct{ Path, Dir string } }
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else {
			require.NoError(t, err)
		}
		if m := p.Module; m != nil && m.Path != module && !strings.HasPrefix(m.Path, module+"/") {
			all[m.Path] = m.Dir
		}
	}
}

var dependency = regexp.MustCompile("(?m)^\\| `(\\S+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// docs/DEPENDENCIES.md names every module that is linked, where, and its licence,
// and none that is not.
func TestDependenciesAreListed(t *testing.T) {
	processor, train := modules(t, "./cmd/telegraf-anomaly"), modules(t, "./cmd/train")
	linked := modules(t, "-test", "./...")
	listed := map[string]bool{}
	for _, m := range dependency.FindAllStringSubmatch(string(read(t, "docs/DEPENDENCIES.md")), -1) {
		name, licence := m[1], strings.TrimSpace(m[2])
		require.False(t, listed[name], "%s is listed twice", name)
		listed[name] = true
		require.Contains(t, linked, name, "it is listed, but not linked")
		require.Equal(t, where(name, processor, train), strings.TrimSpace(m[3]), name)
		require.Equal(t, licenceOf(t, linked[name]), licence, name)
	}
	require.Equal(t, slices.Sorted(maps.Keys(linked)), slices.Sorted(maps.Keys(listed)))
}

func where(name string, processor, train map[string]string) string {
	switch {
	case processor[name] != "":
		return "processor, train"
	case train[name] != "":
		return "train"
	}
	return "tests and tools"
}

// licences are what their texts say, the more particular first.
var licences = []struct{ name, says string }{
	{"MIT and Apache-2.0", "covered by two different licenses: MIT and Apache"},
	{"FTL or GPL-2.0", "FreeType License"},
	{"CC-BY-4.0", "Creative Commons Attribution 4.0"},
	{"MPL-2.0", "Mozilla Public License"},
	{"Apache-2.0", "Apache License"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"BSD-3-Clause", "promote products derived from"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
}

func licenceOf(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		if name := strings.ToLower(e.Name()); e.IsDir() || !strings.HasPrefix(name, "licen") && !strings.HasPrefix(name, "copying") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		require.NoError(t, err)
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range licences {
			if strings.Contains(words, l.says) {
				return l.name
			}
		}
	}
	return "unknown"
}
