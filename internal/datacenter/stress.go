package datacenter

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/sim"
)

// Kind names what a stress does.
type Kind string

// Kinds of stress. Values are those of size 1; what is added is multiplied by the
// size, factors are raised to its power.
const (
	CPU     Kind = "cpu"     // cpu +45
	Memory  Kind = "memory"  // memory +25
	Network Kind = "network" // network × 10
	Leak    Kind = "leak"    // memory rises by 40, evenly
	Outage  Kind = "outage"  // nobody calls: network × 0.02, cpu × 0.5
	Burst   Kind = "burst"   // cpu +30, memory +12 and network × 4 together
)

// effect is what a kind does to a reading, and which features may be named as its
// cause.
type effect struct {
	cause []string
	apply func(r *Reading, size, progress float64)
}

var effects = map[Kind]effect{
	CPU:     {[]string{sim.CPU}, func(r *Reading, size, _ float64) { r.CPU += 45 * size }},
	Memory:  {[]string{sim.Memory}, func(r *Reading, size, _ float64) { r.Memory += 25 * size }},
	Network: {[]string{sim.Network}, func(r *Reading, size, _ float64) { r.Network *= math.Pow(10, size) }},
	Leak:    {[]string{sim.Memory}, func(r *Reading, size, progress float64) { r.Memory += 40 * size * progress }},
	Outage: {[]string{sim.Network, sim.CPU}, func(r *Reading, size, _ float64) {
		r.Network *= math.Pow(.02, size)
		r.CPU *= math.Pow(.5, size)
	}},
	Burst: {[]string{sim.CPU, sim.Memory, sim.Network}, func(r *Reading, size, _ float64) {
		r.CPU += 30 * size
		r.Memory += 12 * size
		r.Network *= math.Pow(4, size)
	}},
}

// Kinds lists what a stress can be.
func Kinds() []Kind { return slices.Sorted(maps.Keys(effects)) }

// Cause lists the features, one of which is at fault.
func (k Kind) Cause() []string { return effects[k].cause }

// A Stress is load on a host, or on all, for a time.
type Stress struct {
	Host     string    `json:"host"` // "": every host
	Kind     Kind      `json:"kind"`
	Size     float64   `json:"size"`     // 0 stands for 1
	Duration Duration  `json:"duration"` // such as "30s"
	From     time.Time `json:"from"`     // set by Add
	Until    time.Time `json:"until"`
}

// Duration is written like "30s".
type Duration time.Duration

// MarshalText writes a Go duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a Go duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

const (
	longest = Duration(time.Hour)
	biggest = 10
)

// Add puts a host under stress from now on, and returns the stress with its
// times.
func (c *Center) Add(s Stress, now time.Time) (Stress, error) {
	if s.Size == 0 {
		s.Size = 1
	}
	if err := c.check(s); err != nil {
		return s, err
	}
	s.From = now
	s.Until = now.Add(time.Duration(s.Duration))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stresses = slices.DeleteFunc(c.stresses, func(old Stress) bool { return !old.Until.After(now) })
	c.stresses = append(c.stresses, s)
	return s, nil
}

func (c *Center) check(s Stress) error {
	switch _, known := effects[s.Kind]; {
	case !known:
		return fmt.Errorf("kind %q is unknown; use one of %v", s.Kind, Kinds())
	case !(s.Size > 0 && s.Size <= biggest):
		return fmt.Errorf("size is %v, want above 0 and at most %d", s.Size, biggest)
	case s.Duration <= 0 || s.Duration > longest:
		return errors.New(`duration must be above 0 and at most an hour, such as "30s"`)
	case s.Host != "" && !slices.Contains(c.Names(), s.Host):
		names := c.Names()
		return fmt.Errorf("host %q is unknown; there are %s", s.Host, strings.Join(names[:min(3, len(names))], ", ")+", …")
	}
	return nil
}

// apply changes a reading if the stress concerns it.
func (s *Stress) apply(r *Reading) {
	if s.Host != "" && s.Host != r.Host || r.Time.Before(s.From) || !r.Time.Before(s.Until) {
		return
	}
	progress := float64(r.Time.Sub(s.From)) / float64(s.Until.Sub(s.From))
	effects[s.Kind].apply(r, s.Size, progress)
	r.CPU, r.Memory = min(r.CPU, 100), min(r.Memory, 100)
}
