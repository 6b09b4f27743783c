package anomaly

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const readmeFile = "README.md"

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(text)
}

// requireInjected holds the README's block of that name to a content. The flag
// -update writes it.
func requireInjected(t *testing.T, block, content string) {
	t.Helper()
	readme := readFile(t, readmeFile)
	open := "```" + block + "\n"
	start := strings.Index(readme, open)
	require.GreaterOrEqual(t, start, 0, block)
	start += len(open)
	end := start + strings.Index(readme[start:], "```")
	if *update {
		require.NoError(t, os.WriteFile(readmeFile, []byte(readme[:start]+content+readme[end:]), 0o644))
		return
	}
	require.Equal(t, content, readme[start:end])
}

func TestReadmeHasTheSample(t *testing.T) {
	requireInjected(t, "toml @sample.conf", New().SampleConfig())
	require.Contains(t, readFile(t, readmeFile), "\n## Configuration\n\n```toml @sample.conf\n")
}

func TestReadmeHasTheExample(t *testing.T) {
	folder := filepath.Join("testcases", "learn_then_score")
	var b strings.Builder
	for _, part := range []struct{ sign, file string }{{"-", "input.influx"}, {"+", "expected.out"}} {
		for line := range strings.Lines(readFile(t, folder, part.file)) {
			if strings.HasSuffix(line, " 1767226020000000000\n") {
				b.WriteString(part.sign + " " + line)
			}
		}
	}
	requireInjected(t, "diff @testcases/learn_then_score", b.String())
}

// What Telegraf's tools/readme_linter asks of a processor, and its order of
// sections.
func TestReadmeIsOfTelegrafsShape(t *testing.T) {
	readme := readFile(t, readmeFile)
	head, _, _ := strings.Cut(readme, "\n## ")
	paragraphs := strings.Split(strings.TrimSpace(head), "\n\n")
	require.Regexp(t, `^# .+ Plugin$`, paragraphs[0])
	require.Greater(t, len(paragraphs[1]), 30)
	require.Regexp(t, `^⭐ Telegraf v\d+\.\d+\.\d+(\s+<!-- .* -->)?\n🏷️ annotation\n💻 linux$`, paragraphs[len(paragraphs)-1])

	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(readme, -1) {
		sections = append(sections, m[1])
	}
	require.Equal(t, []string{"Global configuration options", "Configuration", "Metrics", "Caveats", "Troubleshooting", "Example Output"}, sections)
	require.NotContains(t, readme, "https://github.com/influxdata/telegraf/blob")
}

// documented are the fields, with their types, that the README lists below a
// measurement.
func documented(t *testing.T, measurement string) map[string]string {
	t.Helper()
	_, list, found := strings.Cut(readFile(t, readmeFile), "\n- "+measurement)
	require.True(t, found, measurement)
	list, _, _ = strings.Cut(list, "\n- ")
	fields := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    - ([\w<>]+) \((float|integer|string),`).FindAllStringSubmatch(list, -1) {
		fields[m[1]] = m[2]
	}
	return fields
}

// Every field that the golden cases bring forth is documented, with its type.
func TestReadmeDocumentsEveryField(t *testing.T) {
	types := map[string]string{"float64": "float", "int64": "integer", "string": "string"}
	generic := map[string]string{"cpu": "<feature>", "memory": "<feature>", "network": "<feature>"}
	files, err := filepath.Glob(filepath.Join("testcases", "*", "expected.out"))
	require.NoError(t, err)
	annotated := documented(t, "the metrics that made a vector")
	for _, file := range files {
		for _, m := range readMetrics(t, file) {
			fields := annotated
			own := m.Name() == "ai_predictions" || m.Name() == "anomaly_drift"
			if own {
				fields = documented(t, m.Name())
			}
			for _, f := range m.FieldList() {
				name := f.Key
				if feature, ok := strings.CutPrefix(name, "shap_"); ok && generic[feature] != "" {
					name = "shap_<feature>"
				} else if own && generic[name] != "" {
					name = generic[name]
				} else if !own && fields[name] == "" {
					continue // the metric's own
				}
				want := types[fmt.Sprintf("%T", f.Value)]
				if want == "integer" && fields[name] == "float" {
					continue // a whole number, for people
				}
				require.Equal(t, fields[name], want, "%s: %s.%s", file, m.Name(), f.Key)
			}
		}
	}
}

// uncommented is the sample with every key in use: one # is a default, two are
// words.
func uncommented() string {
	return regexp.MustCompile(`(?m)^( +)# `).ReplaceAllString(New().SampleConfig(), "$1")
}

// What stands commented in the sample is what holds without it, but for paths
// that have no default, and for the feature that is offered.
func TestSampleShowsTheDefaults(t *testing.T) {
	plain, err := ParseConfig(New().SampleConfig())
	require.NoError(t, err)
	require.Equal(t, DefaultConfig(), plain)

	full, err := ParseConfig(uncommented())
	require.NoError(t, err)
	require.NotEmpty(t, full.Model)
	require.NotEmpty(t, full.State)
	require.NotEmpty(t, full.QuietPeriods)
	full.Model, full.State, full.QuietPeriods = "", "", ""
	require.Len(t, full.Features, 4)
	require.Equal(t, "disk", full.Features[3].Name)
	full.Features = full.Features[:3]
	requireSameMeaning(t, DefaultConfig(), full)
	full.Features = nil
	require.Equal(t, DefaultConfig(), full)
}

func TestSampleHasEveryKey(t *testing.T) {
	for _, key := range keys(reflect.TypeFor[Config]()) {
		in := regexp.MustCompile(`(?m)^ +# +(\[\[processors\.anomaly\.)?` + key + `( = |\]\])|##.*\b` + key + `\b`)
		require.True(t, in.MatchString(sampleConfig), key)
	}
}

// keys are the TOML keys of a configuration, those of its tables included.
func keys(of reflect.Type) (names []string) {
	for f := range of.NumField() {
		field := of.Field(f)
		if name := field.Tag.Get("toml"); name != "" {
			names = append(names, name)
		}
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			names = append(names, keys(inner)...)
		}
	}
	return names
}

func TestKeys(t *testing.T) {
	all := keys(reflect.TypeFor[Config]())
	for _, name := range []string{"model", "feature", "exclude", "direction", "min_deviation"} {
		require.Contains(t, all, name)
	}
}
