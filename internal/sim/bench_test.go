package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
)

// A day of fifty hosts at ten seconds, in turn.
func BenchmarkFleetDay(b *testing.B) {
	const rows = 24 * 360
	for b.Loop() {
		for _, host := range sim.Fleet(1, 50) {
			g, err := sim.New(1, sim.Config{Host: host, Interval: 10 * time.Second})
			require.NoError(b, err)
			for range rows {
				g.Next()
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*50*rows), "ns/row")
}

func BenchmarkPlan(b *testing.B) {
	for b.Loop() {
		_, err := sim.Plan(1, web, monday, monday.Add(21*24*time.Hour), 6)
		require.NoError(b, err)
	}
}

func BenchmarkWriteCSV(b *testing.B) {
	var c counter
	s := stream(b, web, sim.CSV)
	for b.Loop() {
		require.NoError(b, sim.Write(&c, 1000, s))
	}
	b.ReportMetric(float64(c.lines)/b.Elapsed().Seconds(), "lines/s")
}
