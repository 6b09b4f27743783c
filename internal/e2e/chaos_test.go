package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/chaos"
	"telegraf-anomaly/internal/testbed"
)

// Whatever happens to the processor, to Telegraf, to InfluxDB or to the disk: no
// line is lost but those that were sent to a processor that was not there. `make
// chaos` has the same faults, and takes more time for each.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	root := need(t, testbed.Telegraf, testbed.InfluxDB)
	results, err := chaos.Run(t.Context(), chaos.Options{Root: root, Dir: t.TempDir(), Jobs: 3, Say: t.Logf})
	var table strings.Builder
	failed := chaos.Table(&table, results)
	t.Log(table.String())
	require.NoError(t, err)
	require.Zero(t, failed)
}
