// Package datacenter runs simulated hosts on the clock of the wall and serves
// their metrics over HTTP, with faults on demand: something for Telegraf to read
// where there are no real machines to spoil.
package datacenter

import (
	"errors"
	"io"
	"sync"
	"time"

	"telegraf-anomaly/internal/sim"
)

// Config says what a data centre is made of.
type Config struct {
	Hosts    int
	Seed     uint64
	Interval time.Duration // between two readings
	Step     time.Duration // simulated time between two readings: longer than Interval, days go by faster
	Past     time.Duration // how long it has been running already, for History
}

// A Reading is what one host reports at one moment.
type Reading struct {
	Time    time.Time `json:"-"`
	Unix    int64     `json:"timestamp"` // seconds
	Host    string    `json:"host"`
	CPU     float64   `json:"cpu"`     // %
	Memory  float64   `json:"memory"`  // %
	Network float64   `json:"network"` // bytes/s
}

// Center is a data centre. It is safe for concurrent use.
type Center struct {
	config Config
	epoch  time.Time // of the first reading

	mu       sync.Mutex
	hosts    []*host
	stresses []Stress
}

// New builds a data centre that began config.Past before now.
func New(c Config, now time.Time) (*Center, error) {
	if c.Hosts < 1 || c.Interval <= 0 || c.Step <= 0 || c.Past < 0 {
		return nil, errors.New("want at least one host, interval and step above 0, and a past not below 0")
	}
	hosts, err := build(c)
	if err != nil {
		return nil, err
	}
	return &Center{config: c, epoch: now.Add(-c.Past).Truncate(c.Interval), hosts: hosts}, nil
}

// Names lists the hosts.
func (c *Center) Names() (names []string) {
	for _, h := range c.hosts {
		names = append(names, h.name)
	}
	return names
}

// Read returns what every host reports at the newest interval that has begun by
// now. Within one interval it is the same whoever asks, and however often.
func (c *Center) Read(now time.Time) []Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.interval(now)
	readings := make([]Reading, len(c.hosts))
	for i, h := range c.hosts {
		readings[i] = c.read(h, n)
		for _, s := range c.stresses {
			s.apply(&readings[i])
		}
	}
	return readings
}

// interval counts those that have begun since the epoch.
func (c *Center) interval(now time.Time) int {
	return max(0, int(now.Sub(c.epoch)/c.config.Interval))
}

func (c *Center) read(h *host, n int) Reading {
	r := h.at(n)
	r.Time = c.epoch.Add(time.Duration(h.index) * c.config.Interval)
	r.Unix = r.Time.Unix()
	return r
}

// History writes, as line protocol, what every host reported before now, had
// there been no stress: the record to learn from.
func (c *Center) History(w io.Writer, now time.Time) error {
	hosts, err := build(c.config) // the past is simulated again rather than kept
	if err != nil {
		return err
	}
	var text []byte
	for n := range c.interval(now) {
		text = text[:0]
		for _, h := range hosts {
			text = AppendLine(text, c.read(h, n))
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// host is one machine, read at ever later intervals.
type host struct {
	name      string
	generator *sim.Generator
	index     int // of row
	row       sim.Row
}

func build(c Config) (hosts []*host, err error) {
	for _, machine := range sim.Fleet(c.Seed, c.Hosts) {
		g, err := sim.New(c.Seed, sim.Config{Host: machine, Interval: c.Step})
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, &host{name: machine.Name, generator: g, row: g.Next()})
	}
	return hosts, nil
}

// at never goes back: a clock that was set back reads the newest row again.
func (h *host) at(n int) Reading {
	for ; h.index < n; h.index++ {
		h.row = h.generator.Next()
	}
	return Reading{Host: h.name, CPU: h.row.CPU, Memory: h.row.Memory, Network: h.row.Network}
}
