package testbed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/testbed"
)

func TestErrorsOfALog(t *testing.T) {
	require.Equal(t, []string{
		"2026-01-01T00:00:00Z E! [processors.execd] lines are passed on unscored: no model",
		"2026-01-01T00:00:00Z E! [outputs.file] file already closed",
	}, testbed.Errors(`2026-01-01T00:00:00Z I! Loaded processors: execd
2026-01-01T00:00:00Z E! [processors.execd] lines are passed on unscored: no model
2026-01-01T00:00:00Z W! [agent] an E! in a text
2026-01-01T00:00:00Z E! [outputs.file] file already closed
2026-01-01T00:00:00Z E! [processors.execd] Error in plugin: read |0: file already closed
2026-01-01T00:00:00Z E! [processors.execd] Error reading stderr: read |0: file already closed
`))
	require.Empty(t, testbed.Errors(""))
}
