package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is wrong with the processor's set-up, every metric arrives unchanged,
// Telegraf ends well, and the status says why.
func TestBrokenSetUpPassesEverything(t *testing.T) {
	store, err := trained()
	require.NoError(t, err)
	current := currentModel(t, store)
	for _, test := range []struct {
		name   string
		config func(dir string) string
		says   string
	}{
		{"no_such_configuration", nil, "no such file"},
		{"syntax_error", block("window = = 3"), "anomaly.conf: line 2"},
		{"misspelt_key", block("windw = \"5m\""), `line 2: unknown key "processors.anomaly.windw"`},
		{"wrong_type", block("window = 5"), "line 2"},
		{"impossible_value", block("missing = \"guess\""), `missing = "guess"`},
		{"no_such_model", block("model = \"%s/none\""), "no such file"},
		{"empty_store", block("model = \"%s\""), "no model"},
		{"cut_model", model(current[:len(current)/2]), "cut off"},
		{"damaged_model", model(flip(current, len(current)/2)), "SHA-256"},
		{"newer_model", model(newer(current)), "newer than this program"},
		{"foreign_model", model([]byte("PK\x03\x04 a pickle or whatever, long enough to be looked at")), "not a model"},
		{"two_blocks", block("[[processors.anomaly]]"), "2 [[processors.anomaly]] blocks"},
		{"value_out_of_range", block("trees = -1"), "trees = -1"},
		{"alarm_nobody_understands", block("alarm = \"often\""), `alarm = "often"`},
		{"feature_without_fields", block("[[processors.anomaly.feature]]\nname = \"a\"\nmeasurement = \"cpu\""), "feature 1"},
		{"no_text_at_all", block("\x00\xff"), "line 2"},
		{"no_such_maintenance_windows", block("quiet_periods = \"%s/none\""), "quiet_periods"},
		{"no_such_challenger", block("challenger = \"%s/none\""), "challenger"},
		{"model_and_shared_scope", block("scope = \"shared\"\nstate = \"%s/state\"\nmodel = \"" + store + "\""), "shared"},
		{"model_is_endless", block("model = \"/dev/zero\""), "larger than"},
		{"model_for_other_features", block("window = \"7m\"\nmodel = \"" + store + "\""), "the model was fitted for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := filepath.Join(dir, "anomaly.conf")
			if test.config != nil {
				write(t, config, test.config(dir))
			}
			input, in := recording(t, 50)
			out, log := once(t, input, config)

			requireAllOf(t, in, out)
			require.Zero(t, out.scored)
			require.NotEmpty(t, out.reports)
			require.Equal(t, "degraded", out.reports[0]["state"])
			require.Contains(t, out.reports[0]["fault"], test.says)
			require.Contains(t, log, "E! [processors.execd] lines are passed on unscored: ")
			require.Contains(t, log, test.says)
		})
	}
}

// A state directory that cannot be written costs the memory of what was learned,
// nothing else.
func TestUnwritableStatePassesAndScoresEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	occupied := write(t, filepath.Join(dir, "state"), "a file is in the way")
	config := write(t, filepath.Join(dir, "anomaly.conf"), fmt.Sprintf("[[processors.anomaly]]\nmin_samples = 100\nstate = %q\n", occupied))
	input, in := recording(t, 6000)
	out, log := once(t, input, config)

	requireAllOf(t, in, out)
	require.Positive(t, out.scored)
	require.Contains(t, log, "W! [processors.execd] ")
	require.Contains(t, log, "not a directory")
	require.Contains(t, out.reports[0]["fault"], "not a directory")
}

// block is a configuration with one more line; %s in it stands for its folder.
func block(line string) func(dir string) string {
	return func(dir string) string {
		if bytes.Contains([]byte(line), []byte("%s")) {
			line = fmt.Sprintf(line, dir)
		}
		return "[[processors.anomaly]]\n" + line + "\n"
	}
}

// model is a configuration with a model file of this content.
func model(content []byte) func(dir string) string {
	return func(dir string) string {
		file := filepath.Join(dir, "bad.model")
		if err := os.WriteFile(file, content, 0o644); err != nil {
			panic(err)
		}
		return fmt.Sprintf("[[processors.anomaly]]\nmodel = %q\n", file)
	}
}

func currentModel(t *testing.T, store string) []byte {
	t.Helper()
	name := bytes.TrimSpace([]byte(read(t, filepath.Join(store, "current"))))
	return []byte(read(t, filepath.Join(store, string(name)+".model")))
}

func flip(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

// newer is a whole model file of the next format version.
func newer(data []byte) []byte {
	data = bytes.Clone(data)
	data[11]++ // the last byte of the version, behind eight bytes of magic
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}
