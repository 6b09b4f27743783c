package sim_test

import (
	"fmt"
	"os"
	"time"

	"telegraf-anomaly/internal/sim"
)

func ExampleFleet() {
	for _, host := range sim.Fleet(1, 3) {
		fmt.Println(host.Name, host.Cores >= 2, host.NetworkScale > 0)
	}
	// Output:
	// host0001 true true
	// host0002 true true
	// host0003 true true
}

func ExampleNew() {
	night := time.Date(2024, 1, 2, 2, 0, 0, 0, time.UTC)
	g, err := sim.New(1, sim.Config{
		Host:   sim.Host{Name: "db01", MemoryScale: 1.2},
		Events: []sim.Event{{Kind: sim.MemLeak, Start: night}, {Kind: sim.Reboot, Start: night.Add(5 * time.Hour)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	leaking := 0
	for range 24 * 60 * 2 {
		if g.Next().Label {
			leaking++
		}
	}
	fmt.Println(leaking, "rows of a leak")
	// Output: 240 rows of a leak
}

func ExampleNew_unknownKind() {
	_, err := sim.New(1, sim.Config{Events: []sim.Event{{Kind: "flood"}}})
	fmt.Println(err)
	// Output: sim: no kind of event is called "flood"
}

func ExamplePlan() {
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	events, err := sim.Plan(1, sim.Host{}, from, from.Add(7*24*time.Hour), 1)
	fmt.Println(len(events), "incidents", err)
	_, err = sim.Plan(1, sim.Host{}, from, from.Add(time.Hour), 1)
	fmt.Println(err)
	// Output:
	// 9 incidents <nil>
	// sim: no room for another spike3s between 2024-01-01 00:00:00 and 2024-01-01 01:00:00: plan fewer events or more time
}

func ExampleReference() {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	config, _ := sim.Reference(101, sim.Host{}, start, time.Minute)
	fmt.Println(config.Training, len(config.Events))
	// Output: 336h0m0s 54
}

func ExampleWrite() {
	g, _ := sim.New(1, sim.Config{Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)})
	fmt.Print(sim.CSVHeader)
	constant := func(dst []byte, row sim.Row) []byte { // stands in for sim.CSV, whose values are random
		row.CPU, row.Memory, row.Network = 35, 55, 20e6
		return sim.CSV(dst, row)
	}
	_ = sim.Write(os.Stdout, 2, &sim.Stream{Generator: g, Format: constant})
	// Output:
	// time,cpu,memory,network,label,event,kind,cause
	// 2024-01-01T00:00:00Z,35.0000,55.0000,20000000.0,0,0,,
	// 2024-01-01T00:01:00Z,35.0000,55.0000,20000000.0,0,0,,
}

func ExampleSystemMetrics() {
	format := sim.SystemMetrics(sim.Host{Name: "web01"})
	row := sim.Row{Time: time.Unix(1700000000, 0), CPU: 12.5, Memory: 48, Network: 1.5e6}
	fmt.Print(string(format(nil, row)))
	// Output: system_metrics,host=web01 cpu=12.5000,memory=48.0000,network=1500000.0 1700000000000000000
}
