package testbed

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
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

var (
	loggedError = regexp.MustCompile(`^\S+ E! `)
	// Telegraf closes its side of a child's pipes when that is gone. Where its own
	// reader was not scheduled in time to see their end, it says this.
	telegrafsOwn = regexp.MustCompile(`: read \|\d+: file already closed$`)
)

// Errors returns the errors that a Telegraf and its plugins have logged, without
// those of Telegraf's own parting from a child.
func Errors(log string) (lines []string) {
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if loggedError.MatchString(line) && !telegrafsOwn.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

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
