// Command shim is the least that a processor on Telegraf's own execd shim can do:
// it hands every metric on.
package main

import (
	"fmt"
	"os"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/common/shim"
)

type nothing struct{}

func (nothing) SampleConfig() string                          { return "" }
func (nothing) Apply(in ...telegraf.Metric) []telegraf.Metric { return in }

func main() {
	s := shim.New()
	err := s.AddProcessor(nothing{})
	if err == nil {
		err = s.Run(shim.PollIntervalDisabled)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shim:", err)
		os.Exit(1)
	}
}
