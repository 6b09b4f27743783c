package drift_test

import (
	"fmt"
	"math"
	"time"

	"telegraf-anomaly/internal/drift"
)

// load is a day of a server, in hours: 40 % ± 20, busiest at three in the afternoon.
func load(hour float64) float64 { return 40 - 20*math.Cos(2*math.Pi*(hour-3)/24) }

func ExampleNewReference() {
	sample := make([]float64, 24*60)
	for minute := range sample {
		sample[minute] = load(float64(minute) / 60)
	}
	r, err := drift.NewReference("cpu", sample)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d values, mean %.1f, deviation %.1f, median %.1f\n", r.Name, r.Count, r.Mean, r.Deviation, r.Grid[50])
	// Output: cpu: 1440 values, mean 40.0, deviation 14.1, median 40.3
}

func ExampleKolmogorovSmirnov() {
	reference := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	current := []float64{4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
	fmt.Printf("%.1f\n", drift.KolmogorovSmirnov(reference, current))
	// Output: 0.3
}

func ExamplePSI() {
	reference := make([]float64, 1000)
	stable := make([]float64, 1000)
	moved := make([]float64, 1000)
	for i := range reference {
		reference[i] = float64(i)
		stable[i] = float64(i) + 10
		moved[i] = float64(i) + 200
	}
	fmt.Printf("%.2f %.2f\n", drift.PSI(reference, stable), drift.PSI(reference, moved))
	// Output: 0.00 1.27
}

func ExampleWasserstein() {
	reference := []float64{10, 20, 30}
	current := []float64{15, 25, 35}
	fmt.Println(drift.Wasserstein(reference, current, 10), "deviations")
	// Output: 0.5 deviations
}

func ExamplePageHinkley() {
	var p drift.PageHinkley
	for range 100 {
		p.Add(0) // hours at the reference
	}
	hours := 0
	for p.Statistic() <= drift.PageHinkleyThreshold {
		p.Add(1) // and one deviation above it
		hours++
	}
	fmt.Println(hours, "hours")
	// Output: 97 hours
}

func ExampleADWIN() {
	var a drift.ADWIN
	for range 500 {
		a.Add(0)
	}
	for range 200 {
		a.Add(1)
	}
	fmt.Printf("%d values, mean %.2f, shift %.2f\n", a.Len(), a.Mean(), a.Shift(168))
	// Output: 196 values, mean 1.00, shift 1.00
}

func ExampleMonitor() {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	sample := make([]float64, 7*24*60)
	for minute := range sample {
		sample[minute] = load(float64(minute) / 60)
	}
	reference, _ := drift.NewReference("cpu", sample)
	monitor, err := drift.NewMonitor(drift.Profile{
		From: start.AddDate(0, 0, -7), To: start, References: []drift.Reference{reference},
	}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for hour := range 21 * 24 {
		at := start.Add(time.Duration(hour) * time.Hour)
		value := load(float64(hour % 24))
		if hour >= 14*24 {
			value += 20 // a new release
		}
		if err := monitor.Add(at, []float64{value}); err != nil {
			fmt.Println(err)
			return
		}
		if hour%168 == 167 {
			fmt.Printf("week %d: %v\n", hour/168+1, drift.Drifted(monitor.Check()))
		}
	}
	// Output:
	// week 1: []
	// week 2: []
	// week 3: [cpu]
}
