package sim

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// Host is one simulated machine. The zero value of each field but Name stands
// for the ordinary.
type Host struct {
	Name string

	// Factors on the values of the package's formulas; 0 stands for 1. What
	// events do is scaled alike, percentages stay within 0 and 100.
	CPUScale, MemoryScale, NetworkScale float64

	// Phase moves the host's day, night and weekend to later hours.
	Phase time.Duration

	Cores int // 0 stands for 2
	Veths int // container interfaces that repeat traffic of eth0
}

// Fleet draws n hosts, "host0001" onwards, that differ as the machines of one
// company do: busy and idle ones, network rates over two decades, days that
// begin up to three hours apart.
func Fleet(seed uint64, n int) []Host {
	random := rand.New(rand.NewPCG(seed, 0))
	hosts := make([]Host, n)
	for i := range hosts {
		hosts[i] = Host{
			Name:         fmt.Sprintf("host%04d", i+1),
			CPUScale:     between(random, .3, 1.2),
			MemoryScale:  between(random, .5, 1.2),
			NetworkScale: math.Pow(10, between(random, -1.5, .5)),
			Phase:        time.Duration(between(random, -3, 3) * float64(time.Hour)).Truncate(time.Minute),
			Cores:        2 << random.IntN(3),
		}
	}
	return hosts
}

const (
	day          = 86400 // seconds
	weekendShift = -0.5
	morning      = 9 * 3600 // the sine's rise through zero
)

// load is the expected latent load: the daily sine and the weekend.
func (h Host) load(t time.Time) float64 {
	s := t.Unix() - int64(h.Phase/time.Second)
	l := math.Sin(2 * math.Pi * float64(s-morning) / day)
	if weekday := (s/day + int64(time.Thursday)) % 7; weekday == int64(time.Saturday) || weekday == int64(time.Sunday) {
		l += weekendShift
	}
	return l
}

// meanLoad is the expected load's mean over a span, in steps of ten minutes.
func (h Host) meanLoad(start time.Time, d time.Duration) float64 {
	const step = 10 * time.Minute
	sum, n := 0.0, 0.0
	for at := time.Duration(0); at == 0 || at < d; at += step {
		sum += h.load(start.Add(at))
		n++
	}
	return sum / n
}

// random gives the host its own stream of numbers.
func (h Host) random(seed uint64) *rand.Rand {
	name := fnv.New64a()
	_, _ = name.Write([]byte(h.Name))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}

func (h Host) withDefaults() Host {
	h.CPUScale = orOne(h.CPUScale)
	h.MemoryScale = orOne(h.MemoryScale)
	h.NetworkScale = orOne(h.NetworkScale)
	if h.Cores == 0 {
		h.Cores = 2
	}
	return h
}

func orOne(factor float64) float64 {
	if factor == 0 {
		return 1
	}
	return factor
}

func between(random *rand.Rand, low, high float64) float64 {
	return low + float64((high-low)*random.Float64())
}
