// Package drill spoils simulated hosts on purpose and asks InfluxDB whether the
// detector saw it: when, and whether it named the feature at fault.
package drill

import (
	"errors"
	"fmt"
	"time"

	"github.com/BurntSushi/toml"

	"telegraf-anomaly/internal/datacenter"
)

// A Scenario is a list of faults.
type Scenario struct {
	Title  string  `toml:"title"`
	Faults []Fault `toml:"fault"`
}

// Fault is one thing that goes wrong on one host.
type Fault struct {
	At       datacenter.Duration `toml:"at" json:"at"` // after the beginning
	Kind     datacenter.Kind     `toml:"kind" json:"kind"`
	Host     string              `toml:"host" json:"host"`
	Size     float64             `toml:"size" json:"size"` // 0 stands for 1
	Duration datacenter.Duration `toml:"duration" json:"duration"`
}

// Parse reads a scenario from TOML. A key that nobody knows is an error.
func Parse(text string) (s Scenario, err error) {
	meta, err := toml.Decode(text, &s)
	if err != nil {
		return s, fmt.Errorf("drill: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return s, fmt.Errorf("drill: unknown key %q", unknown[0])
	}
	return s, s.check()
}

func (s *Scenario) check() error {
	if len(s.Faults) == 0 {
		return errors.New("drill: the scenario has no [[fault]]")
	}
	busy := map[string]bool{}
	for i, f := range s.Faults {
		switch {
		case f.Host == "":
			return fmt.Errorf("drill: fault %d names no host", i+1)
		case busy[f.Host]:
			return fmt.Errorf("drill: fault %d is the second on %s: which of the two an alarm means could not be told", i+1, f.Host)
		case f.Kind.Cause() == nil:
			return fmt.Errorf("drill: fault %d: kind %q is unknown; use one of %v", i+1, f.Kind, datacenter.Kinds())
		case f.Duration <= 0 || f.At < 0:
			return fmt.Errorf("drill: fault %d wants a duration above 0, and a time from 0 on", i+1)
		}
		busy[f.Host] = true
	}
	return nil
}

// Length is the time until the last fault is over.
func (s *Scenario) Length() (length time.Duration) {
	for _, f := range s.Faults {
		length = max(length, time.Duration(f.At+f.Duration))
	}
	return length
}
