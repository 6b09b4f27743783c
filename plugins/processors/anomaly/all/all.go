//go:build telegraf

// Package all registers the processor with a custom Telegraf: import it there
// and build with the tag "telegraf".
package all

import (
	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/processors"

	"telegraf-anomaly/plugins/processors/anomaly"
)

func init() {
	processors.AddStreaming("anomaly", func() telegraf.StreamingProcessor { return anomaly.New() })
}
