package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// quiet is the least time between two planned incidents.
const quiet = time.Hour

// Plan draws perKind incidents of each kind between two times, at random but an
// hour apart or more, and in the order of their starts. A night-time shift is
// put where the host's expected load stays below −0.5 in the mean, a swapped
// relation where it is beyond ±0.7: anywhere else they would change next to
// nothing. Too many for the time is an error.
func Plan(seed uint64, host Host, from, to time.Time, perKind int) ([]Event, error) {
	p := plan{host: host, from: from, to: to, random: rand.New(rand.NewPCG(seed, 1))}
	for range perKind {
		for _, kind := range Kinds() {
			if err := p.place(kind); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(p.events, func(a, b Event) int { return a.Start.Compare(b.Start) })
	return p.events, nil
}

// Reference is the configuration of the project's synthetic benchmark: 14 days
// of training, then 21 days with six incidents of each kind, none in the first
// of these days.
func Reference(seed uint64, host Host, start time.Time, interval time.Duration) (Config, error) {
	const training, test = 14 * 24 * time.Hour, 21 * 24 * time.Hour
	from := start.Add(training)
	events, err := Plan(seed, host, from.Add(24*time.Hour), from.Add(test), 6)
	return Config{Host: host, Start: start, Interval: interval, Events: events, Training: training}, err
}

type plan struct {
	host     Host
	from, to time.Time
	random   *rand.Rand
	events   []Event
}

// place tries more often than any sensible plan needs.
func (p *plan) place(kind Kind) error {
	e := p.draw(kind)
	minutes := int64((p.to.Sub(p.from) - e.Duration) / time.Minute)
	for range 10_000 {
		if minutes <= 0 {
			break
		}
		e.Start = p.from.Add(time.Duration(p.random.Int64N(minutes)) * time.Minute)
		if p.free(e) && p.suits(e) {
			p.events = append(p.events, e)
			return nil
		}
	}
	return fmt.Errorf("sim: no room for another %s between %s and %s: plan fewer events or more time",
		kind, p.from.Format(time.DateTime), p.to.Format(time.DateTime))
}

func (p *plan) draw(kind Kind) Event {
	e := Event{Kind: kind, Duration: behaviours[kind].duration}
	if kind == Spike10x {
		e.Duration = time.Duration(1+p.random.IntN(3)) * time.Minute
	}
	if kind == Spike10x || kind == Spike3s {
		e.Feature = []string{CPU, Memory, Network}[p.random.IntN(3)]
	}
	return e
}

func (p *plan) free(e Event) bool {
	return !slices.ContainsFunc(p.events, func(other Event) bool {
		return e.Start.Before(other.Start.Add(other.Duration+quiet)) &&
			other.Start.Before(e.Start.Add(e.Duration+quiet))
	})
}

func (p *plan) suits(e Event) bool {
	switch mean := p.host.meanLoad(e.Start, e.Duration); e.Kind {
	case LevelShiftNight:
		return mean < -.5
	case CorrSwap:
		return math.Abs(mean) > .7
	}
	return true
}
