// Command learning runs a simulated fleet through the engine as it learns by
// itself, from nothing, and prints what an operator would have seen.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/retrain"
	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/plugins/processors/anomaly"
)

var (
	hosts    = flag.Int("hosts", 50, "simulated hosts")
	days     = flag.Int("days", 30, "simulated days")
	interval = flag.Duration("interval", time.Minute, "spacing of the metrics")
	scope    = flag.String("scope", anomaly.ScopeGroup, "group or shared")
	seed     = flag.Uint64("seed", 1, "seed of the fleet and of what happens to it")
	verbose  = flag.Bool("v", false, "print decisions and false alarms")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "learning:", err)
		os.Exit(1)
	}
}

// fewestDays have room for what happens to each host.
const fewestDays = 7

func run() error {
	if *days < fewestDays || *hosts < 1 {
		return fmt.Errorf("%d hosts and %d days: want at least one host and %d days", *hosts, *days, fewestDays)
	}
	fleet, err := newFleet(*seed, *hosts, *days, *interval)
	if err != nil {
		return err
	}
	c := anomaly.DefaultConfig()
	c.Scope = *scope
	learner := &retrain.Learner{Sync: true, Log: func(format string, a ...any) {
		if *verbose {
			fmt.Printf(format+"\n", a...)
		}
	}}
	ec, err := c.Load(learner)
	if err != nil {
		return err
	}
	e, err := engine.New(ec, engine.Output[struct{}](fleet))
	if err != nil {
		return err
	}
	began := time.Now()
	lines := &feeder{engine: e}
	if err := sim.Write(lines, int(time.Duration(*days)*24*time.Hour / *interval), fleet.streams...); err != nil {
		return err
	}
	e.Flush(time.Time{})
	fmt.Printf("%d lines in %v\n", lines.count, time.Since(began).Round(time.Second))
	fleet.print(os.Stdout)
	return nil
}

// feeder is an io.Writer that gives lines to an engine.
type feeder struct {
	engine *engine.Engine[struct{}]
	framer lp.Framer
	point  lp.Point
	count  int
}

func (f *feeder) Write(p []byte) (int, error) {
	_, _ = f.framer.Write(p)
	for {
		line, _, ok := f.framer.Next(false)
		if !ok {
			return len(p), nil
		}
		f.count++
		if !f.engine.Wants(lp.Name(line)) {
			continue
		}
		if err := lp.Decode(&f.point, line, time.Time{}); err != nil {
			return 0, err
		}
		f.engine.Add(&f.point, struct{}{}, time.Unix(0, f.point.Time))
	}
}

// incidents are kinds that stand out by three deviations or more of the feature
// that they hit.
var incidents = []sim.Kind{sim.Spike10x, sim.MemLeak, sim.NetDrop}

// story draws what happens to one host: three incidents, two deploys, three
// reboots, at least half a day apart, none on the first two days.
func story(random *rand.Rand, start time.Time, days int) (events []sim.Event) {
	kinds := append([]sim.Kind{sim.Deploy, sim.Deploy, sim.Reboot, sim.Reboot, sim.Reboot}, incidents...)
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	slot := time.Duration(days-2) * 24 * time.Hour / time.Duration(len(kinds))
	for i, kind := range kinds {
		at := start.Add(48*time.Hour + time.Duration(i)*slot + time.Duration(random.Int64N(int64(slot-12*time.Hour))))
		e := sim.Event{Kind: kind, Start: at.Truncate(time.Minute)}
		if kind == sim.Spike10x {
			e.Feature = []string{sim.CPU, sim.Memory, sim.Network}[random.IntN(3)]
		}
		if kind == sim.Deploy {
			e.Size = []float64{-0.6, 0.6, 1}[random.IntN(3)]
		}
		events = append(events, e)
	}
	return events
}
