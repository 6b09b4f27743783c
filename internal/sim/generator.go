package sim

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Config says what a generator simulates.
type Config struct {
	Host     Host
	Start    time.Time     // zero: Monday, 1 January 2024, 00:00 UTC
	Interval time.Duration // 0: a minute
	Events   []Event       // in any order

	// Training is the length of a first part in which 0.2 % of the minutes are
	// blips without a label (cpu +30, memory +8 or network × 3): no record that
	// a model is trained on is clean.
	Training time.Duration
}

// Row is one moment of one host.
type Row struct {
	Time        time.Time
	CPU, Memory float64 // %
	Network     float64 // bytes/s
	Uptime      time.Duration
	Label       bool     // part of an incident
	Event       int      // number of the incident in the order of starts, from 1
	Kind        Kind     // of the incident
	Cause       []string // features at fault; shared between rows
}

// Generator gives the rows of one host, without end.
type Generator struct {
	host     Host
	now      time.Time
	interval time.Duration
	boot     time.Time
	random   *rand.Rand

	load, cpu, memory, network autoregressive

	current sample // here and not in Next, where each row would cost an allocation

	pending []*active // by start
	running []*active

	training time.Time // end
	blip     int
	blipEnd  time.Time
}

const (
	baseCPU, cpuPerLoad       = 35, 12
	baseMemory, memoryPerLoad = 55, 2
	baseNetwork, netPerLoad   = 20e6, .45

	cronExtra, cronSeconds       = 8, 180
	sawtoothHeight, sawtoothTime = 4, 6 * 3600

	blipShare  = .002
	blipLength = time.Minute
	limit      = 99.5 // % of a resource that is used up
)

// New starts a host. Hosts of different names run differently from the same
// seed. An event of an unknown kind or a negative interval is an error.
func New(seed uint64, c Config) (*Generator, error) {
	if c.Interval < 0 {
		return nil, errors.New("sim: negative interval")
	}
	if c.Interval == 0 {
		c.Interval = time.Minute
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	pending, err := schedule(c.Events)
	if err != nil {
		return nil, err
	}
	random := c.Host.random(seed)
	minutes := c.Interval.Minutes()
	return &Generator{
		host:     c.Host.withDefaults(),
		now:      c.Start,
		interval: c.Interval,
		boot:     c.Start.Add(-time.Duration(random.IntN(90*day)) * time.Second),
		random:   random,
		load:     newAutoregressive(random, .98, .35, minutes),
		cpu:      newAutoregressive(random, .6, 3, minutes),
		memory:   newAutoregressive(random, .97, 1, minutes),
		network:  newAutoregressive(random, .5, .2, minutes),
		pending:  pending,
		training: c.Start.Add(c.Training),
	}, nil
}

func schedule(events []Event) ([]*active, error) {
	var all []*active
	for _, e := range events {
		a, err := newActive(e)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b *active) int { return a.Start.Compare(b.Start) })
	incidents := 0
	for _, a := range all {
		if a.cause != nil {
			incidents++
			a.number = incidents
		}
	}
	return all, nil
}

// Next gives the next row. Where incidents overlap, it is labelled with the one
// that began last.
func (g *Generator) Next() Row {
	g.begin()
	s := &g.current
	*s = g.sample()
	g.addBlip(s)
	row := Row{Time: g.now, Uptime: g.now.Sub(g.boot)}
	for _, a := range g.running {
		g.apply(a, s, &row)
	}
	row.CPU = percent(s.cpu * g.host.CPUScale)
	row.Memory = percent(s.memory * g.host.MemoryScale)
	row.Network = s.network * g.host.NetworkScale
	g.now = g.now.Add(g.interval)
	return row
}

// begin starts the events whose time has come and ends those that are over.
func (g *Generator) begin() {
	for len(g.pending) > 0 && !g.pending[0].Start.After(g.now) {
		a := g.pending[0]
		g.pending = g.pending[1:]
		if a.Kind == Reboot {
			g.reboot(a)
			continue
		}
		g.running = append(g.running, a)
	}
	if len(g.running) > 0 {
		g.running = slices.DeleteFunc(g.running, g.over)
	}
}

// over also sends a weekly job to its next turn.
func (g *Generator) over(a *active) bool {
	if a.Kind == WeeklyJob {
		for g.now.Sub(a.Start) >= week {
			a.Start = a.Start.Add(week)
		}
		return false
	}
	return g.now.Sub(a.Start) >= max(a.Duration, g.interval)
}

// reboot leaves the rows of its duration out.
func (g *Generator) reboot(a *active) {
	g.boot = a.Start.Add(a.Duration)
	for g.now.Before(g.boot) {
		g.now = g.now.Add(g.interval)
	}
}

func (g *Generator) apply(a *active, s *sample, row *Row) {
	elapsed := g.now.Sub(a.Start)
	if elapsed >= max(a.Duration, g.interval) {
		return // a weekly job between its turns
	}
	a.behaviour.apply(s, a, min(1, float64(elapsed)/float64(a.Duration)))
	if a.number > 0 {
		row.Label, row.Event, row.Kind, row.Cause = true, a.number, a.Kind, a.cause
	}
}

func (g *Generator) sample() sample {
	l := g.host.load(g.now) + g.load.next(g.random)
	s := sample{
		cpu:     baseCPU + float64(cpuPerLoad*l) + g.cpu.next(g.random),
		memory:  baseMemory + float64(memoryPerLoad*l) + g.memory.next(g.random),
		network: baseNetwork * math.Exp(float64(netPerLoad*l)+g.network.next(g.random)),
		full:    [2]float64{limit / g.host.CPUScale, limit / g.host.MemoryScale},
		random:  g.random,
	}
	seconds := g.now.Unix()
	if seconds%3600 < cronSeconds {
		s.cpu += cronExtra
	}
	s.memory += float64(sawtoothHeight*float64(seconds%sawtoothTime)) / sawtoothTime
	return s
}

func (g *Generator) addBlip(s *sample) {
	if !g.now.Before(g.training) {
		return
	}
	if !g.now.Before(g.blipEnd) {
		g.blip = g.random.IntN(int(3 / blipShare))
		g.blipEnd = g.now.Add(max(blipLength, g.interval))
	}
	switch g.blip {
	case 0:
		s.cpu += 30
	case 1:
		s.memory += 8
	case 2:
		s.network *= 3
	}
}

// autoregressive is x ← φ·x + ε with a given stationary deviation.
type autoregressive struct{ phi, noise, x float64 }

// newAutoregressive keeps the correlation over a minute, rho, at steps of any
// length.
func newAutoregressive(random *rand.Rand, rho, sd, minutes float64) autoregressive {
	phi := math.Pow(rho, minutes)
	return autoregressive{phi: phi, noise: sd * math.Sqrt(1-float64(phi*phi)), x: sd * random.NormFloat64()}
}

func (a *autoregressive) next(random *rand.Rand) float64 {
	a.x = float64(a.phi*a.x) + float64(a.noise*random.NormFloat64())
	return a.x
}

func percent(v float64) float64 { return min(100, max(0, v)) }
