package testbed

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// StartTelegraf starts Telegraf with a configuration file; its log goes to
// telegraf.log beside that.
func StartTelegraf(root, config string, arguments ...string) (*Process, error) {
	return Start(TelegrafCommand(root, config, arguments...), LogOf(config))
}

// TelegrafCommand is what StartTelegraf starts.
func TelegrafCommand(root, config string, arguments ...string) *exec.Cmd {
	return exec.Command(Telegraf.Path(root), append([]string{"--config", config}, arguments...)...)
}

// LogOf returns the log file of a Telegraf with this configuration.
func LogOf(config string) string { return filepath.Join(filepath.Dir(config), "telegraf.log") }

// Relocate makes a configuration as it is installed on a server usable in a
// checkout: of each pair, the first text is replaced by the second. A text that
// does not occur is an error, since the configuration would then not be under
// test as meant.
func Relocate(config string, pairs ...string) (string, error) {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			return "", fmt.Errorf("testbed: the configuration does not mention %q", pairs[i])
		}
		config = strings.ReplaceAll(config, pairs[i], pairs[i+1])
	}
	return config, nil
}
