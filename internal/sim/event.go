package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Kind names what happens to a host.
type Kind string

// Incidents: their rows are labelled. Values are those of size 1.
const (
	Spike10x        Kind = "spike10x"          // 2 min: cpu or memory at 99.5 %, or network × 10
	Spike3s         Kind = "spike3s"           // 5 min: cpu +12, memory +4 or network × 2.2: three deviations of the noise
	MemLeak         Kind = "mem_leak"          // 240 min: memory rises by 14, evenly
	FlatlineCPU     Kind = "flatline_cpu"      // 60 min: cpu stays what it was at the start
	LevelShiftNight Kind = "level_shift_night" // 120 min: cpu +16, at night as high as by day
	CorrBurst       Kind = "corr_burst"        // 30 min: cpu +8, memory +2.5 and network × 1.5 together
	CorrSwap        Kind = "corr_swap"         // 90 min: network mirrored at 20e6 B/s, low when the load is high
	NetDrop         Kind = "net_drop"          // 20 min: network × 0.15
	VarBurst        Kind = "var_burst"         // 30 min: noise of deviation 9 on cpu
)

// Changes that are nobody's fault: their rows carry no label, and a good
// detector gets over them.
const (
	Deploy    Kind = "deploy"     // for good: cpu +10, memory +6, network × 1.5
	Reboot    Kind = "reboot"     // 3 min without rows, then counters and uptime from 0
	WeeklyJob Kind = "weekly_job" // 60 min, again every week: cpu +15, network × 3
)

// Kinds lists the nine kinds of incident.
func Kinds() []Kind {
	return []Kind{Spike10x, Spike3s, MemLeak, FlatlineCPU, LevelShiftNight, CorrBurst, CorrSwap, NetDrop, VarBurst}
}

// The features by their names.
const (
	CPU     = "cpu"
	Memory  = "memory"
	Network = "network"
)

// Event is something that happens to a host. It covers the rows from Start up
// to, not including, Start + Duration, and at least one.
type Event struct {
	Kind     Kind
	Start    time.Time
	Duration time.Duration // 0: the kind's own

	// Size makes it stronger or weaker, 0 stands for 1: what is added is
	// multiplied by it, factors are raised to its power.
	Size float64

	// Feature is the one that a spike hits: CPU ("" too), Memory or Network.
	Feature string
}

// sample is a row in the making, before the host's scale.
type sample struct {
	cpu, memory, network float64
	full                 [2]float64 // cpu and memory of a machine at its limit
	random               *rand.Rand
}

// behaviour is what a kind does to a sample; progress runs from 0 to 1.
type behaviour struct {
	duration time.Duration
	cause    []string // nil for changes; the feature hit comes from the event
	apply    func(s *sample, a *active, progress float64)
}

var behaviours = map[Kind]behaviour{
	Spike10x:        {2 * time.Minute, []string{CPU}, spike10x},
	Spike3s:         {5 * time.Minute, []string{CPU}, spike3s},
	MemLeak:         {240 * time.Minute, []string{Memory}, memLeak},
	FlatlineCPU:     {60 * time.Minute, []string{CPU}, flatlineCPU},
	LevelShiftNight: {120 * time.Minute, []string{CPU}, add(16, 0, 1)},
	CorrBurst:       {30 * time.Minute, []string{CPU, Memory, Network}, add(8, 2.5, 1.5)},
	CorrSwap:        {90 * time.Minute, []string{Network}, corrSwap},
	NetDrop:         {20 * time.Minute, []string{Network}, add(0, 0, .15)},
	VarBurst:        {30 * time.Minute, []string{CPU}, varBurst},
	Deploy:          {forever, nil, add(10, 6, 1.5)},
	Reboot:          {3 * time.Minute, nil, add(0, 0, 1)},
	WeeklyJob:       {60 * time.Minute, nil, add(15, 0, 3)},
}

const (
	week    = 7 * 24 * time.Hour
	forever = 100 * 365 * 24 * time.Hour
)

func add(cpu, memory, network float64) func(*sample, *active, float64) {
	return func(s *sample, a *active, _ float64) {
		s.cpu += float64(cpu * a.Size)
		s.memory += float64(memory * a.Size)
		if network != 1 {
			s.network *= math.Pow(network, a.Size)
		}
	}
}

func spike10x(s *sample, a *active, _ float64) {
	switch a.Feature {
	case CPU:
		s.cpu += float64((s.full[0] - s.cpu) * a.Size)
	case Memory:
		s.memory += float64((s.full[1] - s.memory) * a.Size)
	case Network:
		s.network *= math.Pow(10, a.Size)
	}
}

func spike3s(s *sample, a *active, _ float64) {
	switch a.Feature {
	case CPU:
		s.cpu += float64(12 * a.Size)
	case Memory:
		s.memory += float64(4 * a.Size)
	case Network:
		s.network *= math.Pow(2.2, a.Size)
	}
}

func memLeak(s *sample, a *active, progress float64) {
	s.memory += float64(float64(14*a.Size) * progress)
}

func flatlineCPU(s *sample, a *active, _ float64) {
	if math.IsNaN(a.held) {
		a.held = s.cpu
	}
	s.cpu = a.held
}

func corrSwap(s *sample, a *active, _ float64) {
	s.network *= math.Pow(baseNetwork/s.network, 2*a.Size)
}

func varBurst(s *sample, a *active, _ float64) {
	s.cpu += float64(float64(9*a.Size) * s.random.NormFloat64())
}

// active is an event that a generator has to mind.
type active struct {
	Event
	behaviour
	number int     // among the incidents, from 1; 0 for a change
	held   float64 // the first value of a flatline
}

func newActive(e Event) (*active, error) {
	b, known := behaviours[e.Kind]
	if !known {
		return nil, fmt.Errorf("sim: no kind of event is called %q", e.Kind)
	}
	if e.Duration == 0 {
		e.Duration = b.duration
	}
	e.Size = orOne(e.Size)
	if e.Kind == Spike10x || e.Kind == Spike3s {
		if e.Feature == "" {
			e.Feature = CPU
		}
		b.cause = []string{e.Feature}
	}
	switch e.Feature {
	case "", CPU, Memory, Network:
	default:
		return nil, fmt.Errorf("sim: %s cannot hit %q, only %s, %s or %s", e.Kind, e.Feature, CPU, Memory, Network)
	}
	return &active{Event: e, behaviour: b, held: math.NaN()}, nil
}
