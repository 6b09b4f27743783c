package lint

import (
	"encoding/json"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "telegraf-anomaly"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
}

// list asks go list.
func list(t *testing.T, arguments ...string) (all []pkg) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,Deps,Module"}, arguments...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

// matches reports whether a package is one of the patterns: a path, or with /...
// behind it everything below that path.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if tree, ok := strings.CutSuffix(p, "/..."); ok {
			return strings.HasPrefix(name, tree+"/")
		}
		ok, _ := path.Match(p, name)
		return ok
	})
}

// Forbidden edges, from DESIGN section 2. "all" follows imports of imports.
func TestForbiddenImports(t *testing.T) {
	telegraf := "github.com/influxdata/telegraf"
	disk := []string{"os", "os/...", "io", "io/...", "net", "net/...", "log", "log/...", "syscall", "path/filepath", "time"}
	client := []string{"net", "net/http", "net/http/...", "crypto/tls", module + "/internal/mlflow", module + "/internal/report", "gonum.org/v1/plot", "gonum.org/v1/plot/..."}
	for _, rule := range []struct {
		name      string
		from      string
		all       bool
		forbidden []string
		why       string
	}{
		{"forest does no I/O", "./forest", false, disk, "a forest is numbers"},
		{"forest knows nobody", "./forest", true, []string{telegraf, telegraf + "/...", module + "/shap", module + "/internal/..."}, "it can be used without the rest"},
		{"shap does no I/O", "./shap", false, disk, "it explains numbers"},
		{"shap knows the forest only", "./shap", true, []string{telegraf, telegraf + "/...", module + "/internal/..."}, "it can be used without the rest"},
		{"of Telegraf the interfaces only", "./plugins/processors/anomaly", true, []string{telegraf + "/..."}, "Telegraf's other packages pull in hundreds"},
		{"the processor has no network", "./cmd/telegraf-anomaly", true, client, "nobody needs to ask what it sends where"},
		{"vectors do not know models", "./internal/feature", true, []string{module + "/internal/detect", module + "/internal/model", module + "/internal/engine", module + "/forest"}, "training and serving share them"},
		{"lines know nothing", "./internal/lp", true, []string{module + "/..."}, "they are bytes"},
	} {
		t.Run(rule.name, func(t *testing.T) {
			p := list(t, rule.from)[0]
			imports := p.Imports
			if rule.all {
				imports = p.Deps
			}
			for _, name := range imports {
				require.False(t, matches(rule.forbidden, name) && name != p.ImportPath, "%s imports %s, but %s", p.ImportPath, name, rule.why)
			}
		})
	}
}

// Of the programs that are shipped, only cmd/train has clients of other servers,
// and plots.
func TestOnlyTrainLinksClients(t *testing.T) {
	for _, p := range list(t, "./cmd/...") {
		if p.ImportPath == module+"/cmd/train" || strings.HasPrefix(p.ImportPath, module+"/cmd/train/") {
			continue
		}
		for _, name := range []string{"net/http", module + "/internal/mlflow", "gonum.org/v1/plot"} {
			require.NotContains(t, p.Deps, name, p.ImportPath)
		}
	}
}

// Every module that the processor links is one more to watch.
func TestProcessorLinksFewModules(t *testing.T) {
	modules := map[string]bool{}
	for _, p := range list(t, "-deps", "./cmd/telegraf-anomaly") {
		if p.Module != nil && p.Module.Path != module {
			modules[p.Module.Path] = true
		}
	}
	require.LessOrEqual(t, len(modules), 12, "%v", modules)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"os", "os", true}, {"os", "os/exec", false}, {"os/...", "os/exec", true}, {"os/...", "os", false}, {"net", "net/url", false}, {"a/*", "a/b", true},
	} {
		require.Equal(t, c.want, matches([]string{c.pattern}, c.name), "%+v", c)
	}
}
