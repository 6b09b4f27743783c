package sim_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/sim"
)

func stream(t testing.TB, host sim.Host, format sim.Format, events ...sim.Event) *sim.Stream {
	g, err := sim.New(1, sim.Config{Host: host, Events: events})
	require.NoError(t, err)
	return &sim.Stream{Generator: g, Format: format}
}

func TestCSVIsReadBackAsItWas(t *testing.T) {
	burst := sim.Event{Kind: sim.CorrBurst, Start: monday.Add(time.Hour)}
	want := generate(t, 1, sim.Config{Host: web, Events: []sim.Event{burst}}, 200)
	text := bytes.NewBufferString(sim.CSVHeader)
	require.NoError(t, sim.Write(text, 200, stream(t, web, sim.CSV, burst)))

	c, err := history.NewCSV(text, "sim.csv", []string{sim.CPU, sim.Memory, sim.Network})
	require.NoError(t, err)
	for _, row := range want {
		got, err := c.Next()
		require.NoError(t, err)
		require.Equal(t, row.Time, got.Time)
		require.InDeltaSlice(t, []float64{row.CPU, row.Memory, row.Network}, got.Values, .051)
		require.Equal(t, row.Label, got.Label)
		require.Equal(t, row.Event, got.Event)
		require.Equal(t, string(row.Kind), got.Kind)
		require.Equal(t, row.Cause, got.Cause)
	}
	_, err = c.Next()
	require.ErrorIs(t, err, io.EOF)
	require.Zero(t, c.Report().Bad)
}

func TestSystemMetrics(t *testing.T) {
	rows := generate(t, 1, sim.Config{Host: web}, 50)
	var text bytes.Buffer
	require.NoError(t, sim.Write(&text, 50, stream(t, web, sim.SystemMetrics(web))))
	lines := parse(t, text.Bytes())
	require.Len(t, lines, 50)
	for i, l := range lines {
		require.Equal(t, "system_metrics", l.measurement)
		require.Equal(t, map[string]string{"host": "web01"}, l.tags)
		require.Equal(t, rows[i].Time, l.time.UTC())
		require.InDelta(t, rows[i].CPU, number(l, "cpu"), 1e-4)
		require.InDelta(t, rows[i].Memory, number(l, "memory"), 1e-4)
		require.InDelta(t, rows[i].Network, number(l, "network"), .1)
	}
}

// One host reboots; the others' lines are not held back, and it comes back in
// its place.
func TestHostsStayInStepOverAReboot(t *testing.T) {
	a, b := sim.Host{Name: "a"}, sim.Host{Name: "b"}
	var text bytes.Buffer
	reboot := sim.Event{Kind: sim.Reboot, Start: monday.Add(2 * time.Minute)}
	require.NoError(t, sim.Write(&text, 8, stream(t, a, sim.SystemMetrics(a), reboot), stream(t, b, sim.SystemMetrics(b))))
	minutes := map[string][]float64{}
	last := monday
	for _, l := range parse(t, text.Bytes()) {
		require.False(t, l.time.Before(last), "time never goes back")
		last = l.time
		minutes[l.tags["host"]] = append(minutes[l.tags["host"]], l.time.Sub(monday).Minutes())
	}
	require.Equal(t, []float64{0, 1, 5, 6, 7}, minutes["a"])
	require.Equal(t, []float64{0, 1, 2, 3, 4, 5, 6, 7}, minutes["b"])
}

func TestWritingGoesOnWhereItEnded(t *testing.T) {
	var once, twice bytes.Buffer
	require.NoError(t, sim.Write(&once, 10, stream(t, web, sim.Telegraf(1, web))))
	s := stream(t, web, sim.Telegraf(1, web))
	require.NoError(t, sim.Write(&twice, 4, s))
	require.NoError(t, sim.Write(&twice, 6, s))
	require.Equal(t, once.String(), twice.String())
}

// wholeLines fails at the first piece that ends inside a line.
type wholeLines struct {
	t      *testing.T
	pieces int
}

func (w *wholeLines) Write(p []byte) (int, error) {
	require.True(w.t, strings.HasSuffix(string(p), "\n"))
	require.Less(w.t, len(p), 80<<10)
	w.pieces++
	return len(p), nil
}

func TestTextGoesOutInWholeLines(t *testing.T) {
	w := &wholeLines{t: t}
	require.NoError(t, sim.Write(w, 500, stream(t, web, sim.Telegraf(1, web)), stream(t, web, sim.CSV)))
	require.Greater(t, w.pieces, 10)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is gone") }

func TestAWriterThatFailsEndsTheSimulation(t *testing.T) {
	for _, intervals := range []int{1, 1 << 40} {
		err := sim.Write(broken{}, intervals, stream(t, web, sim.Telegraf(1, web)))
		require.EqualError(t, err, "sim: pipe is gone")
	}
}

func TestWritingTakesNoMemory(t *testing.T) {
	for name, format := range map[string]sim.Format{"system_metrics": sim.SystemMetrics(web), "csv": sim.CSV} {
		s := stream(t, web, format)
		var c counter
		require.Less(t, testing.AllocsPerRun(5, func() { _ = sim.Write(&c, 10_000, s) }), 100., name)
	}
}

func BenchmarkCSV(b *testing.B) {
	row := generate(b, 1, sim.Config{}, 1)[0]
	var dst []byte
	for b.Loop() {
		dst = sim.CSV(dst[:0], row)
	}
}

func BenchmarkSystemMetrics(b *testing.B) {
	row, format := generate(b, 1, sim.Config{}, 1)[0], sim.SystemMetrics(web)
	var dst []byte
	for b.Loop() {
		dst = format(dst[:0], row)
	}
}
