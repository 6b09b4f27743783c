package sim_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
)

// line is a parsed line of line protocol.
type line struct {
	measurement string
	tags        map[string]string
	fields      map[string]lineprotocol.Value
	order       string // of the fields
	time        time.Time
}

func parse(t require.TestingT, text []byte) (lines []line) {
	d := lineprotocol.NewDecoder(bytes.NewReader(text))
	for d.Next() {
		l := line{tags: map[string]string{}, fields: map[string]lineprotocol.Value{}}
		m, err := d.Measurement()
		require.NoError(t, err)
		l.measurement = string(m)
		previous := ""
		for {
			key, value, err := d.NextTag()
			require.NoError(t, err)
			if key == nil {
				break
			}
			require.Less(t, previous, string(key), "tags are sorted")
			previous = string(key)
			l.tags[previous] = string(value)
		}
		for {
			key, value, err := d.NextField()
			require.NoError(t, err)
			if key == nil {
				break
			}
			require.NotContains(t, l.fields, string(key))
			l.fields[string(key)] = value
			l.order += string(key) + " "
		}
		l.time, err = d.Time(lineprotocol.Nanosecond, time.Time{})
		require.NoError(t, err)
		lines = append(lines, l)
	}
	return lines
}

func telegraf(t testing.TB, host sim.Host, interval time.Duration, n int, events ...sim.Event) (lines []line, rows []sim.Row) {
	rows = generate(t, 3, sim.Config{Host: host, Interval: interval, Events: events}, n)
	format, text := sim.Telegraf(3, host), []byte(nil)
	for _, row := range rows {
		text = format(text, row)
	}
	return parse(t, text), rows
}

// schema is a line's series with its fields and their types, in alphabetical
// order.
func schema(l line) string {
	var fields []string
	for name, value := range l.fields {
		fields = append(fields, name+":"+value.Kind().String())
	}
	slices.Sort(fields)
	series := l.measurement
	for _, tag := range []string{"cpu", "interface", "path"} {
		if v := l.tags[tag]; v != "" {
			series += " " + v
		}
	}
	return series + " | " + strings.Join(fields, " ")
}

// The fields and types are those of a recording of Telegraf 1.39.3.
func TestSchemaIsTelegrafs(t *testing.T) {
	const (
		cpu  = "usage_guest:float usage_guest_nice:float usage_idle:float usage_iowait:float usage_irq:float usage_nice:float usage_softirq:float usage_steal:float usage_system:float usage_user:float"
		net  = "bytes_recv:int bytes_sent:int drop_in:int drop_out:int err_in:int err_out:int packets_recv:int packets_sent:int speed:int"
		disk = "free:int inodes_free:int inodes_total:int inodes_used:int inodes_used_percent:float total:int used:int used_percent:float"
		mem  = "active:int available:int available_percent:float buffered:int cached:int commit_limit:int committed_as:int dirty:int free:int high_free:int high_total:int huge_page_size:int huge_pages_free:int huge_pages_total:int inactive:int low_free:int low_total:int mapped:int page_tables:int shared:int slab:int sreclaimable:int sunreclaim:int swap_cached:int swap_free:int swap_total:int total:int used:int used_percent:float vmalloc_chunk:int vmalloc_total:int vmalloc_used:int write_back:int write_back_tmp:int"
	)
	lines, _ := telegraf(t, web, 10*time.Second, 5)
	schemas := map[string]bool{}
	for _, l := range lines {
		schemas[schema(l)] = true
	}
	want := map[string]bool{
		"cpu cpu0 | " + cpu: true, "cpu cpu1 | " + cpu: true, "cpu cpu-total | " + cpu: true,
		"mem | " + mem:      true,
		"net eth0 | " + net: true, "net eth1 | " + net: true, "net lo | " + net: true,
		"disk / | " + disk: true, "disk /run/netns | " + disk: true,
		"system | load15:float load1:float load5:float n_cpus:int n_physical_cpus:int": true,
		"system | uptime:int":           true,
		"system | uptime_format:string": true,
	}
	require.Equal(t, want, schemas)
}

func TestEveryLineIsOfTheHostAndItsTime(t *testing.T) {
	odd := sim.Host{Name: "web 01,a=b"}
	lines, rows := telegraf(t, odd, 10*time.Second, 20)
	require.Len(t, lines, 12*20-3, "no cpu in the first interval")
	for i, l := range lines {
		require.Equal(t, odd.Name, l.tags["host"])
		require.Equal(t, rows[(i+3)/12].Time, l.time.UTC())
	}
}

func TestThereIsNoCPUBeforeThereIsADifference(t *testing.T) {
	reboot := sim.Event{Kind: sim.Reboot, Start: monday.Add(5 * time.Minute)}
	lines, rows := telegraf(t, web, time.Minute, 10, reboot)
	with := map[time.Time]bool{}
	for _, l := range lines {
		with[l.time.UTC()] = with[l.time.UTC()] || l.measurement == "cpu"
	}
	for i, row := range rows {
		require.Equal(t, i != 0 && i != 5, with[row.Time], "row %d", i)
	}
}

func TestFieldsAndInputsComeInRandomOrder(t *testing.T) {
	lines, _ := telegraf(t, web, time.Second, 200)
	fields, first := map[string]bool{}, map[string]bool{}
	for i, l := range lines {
		if l.measurement == "mem" {
			fields[l.order] = true
		}
		if i > 0 && l.time != lines[i-1].time {
			first[l.measurement] = true
		}
	}
	require.Greater(t, len(fields), 10)
	require.Len(t, first, 5)
}

func TestTheSameSeedGivesTheSameLines(t *testing.T) {
	a, _ := telegraf(t, web, time.Second, 20)
	b, _ := telegraf(t, web, time.Second, 20)
	require.Equal(t, a, b)
}

func integer(l line, field string) int64 { return l.fields[field].IntV() }

func number(l line, field string) float64 { return l.fields[field].FloatV() }

// The features of DESIGN's defaults, computed from the lines, are the rows.
func TestTheFeaturesAreInTheLines(t *testing.T) {
	host := web
	host.Veths, host.Cores = 3, 4
	interval := 10 * time.Second
	lines, rows := telegraf(t, host, interval, 300)
	bytesBefore, growth := map[string]int64{}, map[time.Time]float64{}
	cores := map[time.Time]float64{}
	at := map[time.Time]sim.Row{}
	for _, row := range rows {
		at[row.Time] = row
	}
	for _, l := range lines {
		row := at[l.time.UTC()]
		switch {
		case l.tags["cpu"] == "cpu-total":
			require.InDelta(t, row.CPU, 100-number(l, "usage_idle"), 1e-9)
			sum := number(l, "usage_user") + number(l, "usage_system") + number(l, "usage_iowait")
			require.InDelta(t, row.CPU, sum, 1e-9)
		case l.measurement == "cpu":
			require.True(t, number(l, "usage_idle") >= 0 && number(l, "usage_idle") <= 100)
			cores[row.Time] += (100 - number(l, "usage_idle")) / 4
		case l.measurement == "mem":
			require.Equal(t, row.Memory, number(l, "used_percent"))
			require.InEpsilon(t, row.Memory, 100*float64(integer(l, "used"))/float64(integer(l, "total")), 1e-6)
		case strings.HasPrefix(l.tags["interface"], "eth"):
			bytes := integer(l, "bytes_recv") + integer(l, "bytes_sent")
			growth[row.Time] += float64(bytes-bytesBefore[l.tags["interface"]]) / interval.Seconds()
			bytesBefore[l.tags["interface"]] = bytes
		}
	}
	for _, row := range rows[1:] {
		require.InEpsilon(t, row.Network, growth[row.Time], 1e-5)
		require.InDelta(t, row.CPU, cores[row.Time], 1e-9)
	}
}

func TestCountersGrowUntilAReboot(t *testing.T) {
	host := web
	host.Veths = 1
	reboot := sim.Event{Kind: sim.Reboot, Start: monday.Add(50 * time.Minute)}
	lines, _ := telegraf(t, host, time.Minute, 100, reboot)
	before := map[string]line{}
	resets := 0
	for _, l := range lines {
		if l.measurement != "net" {
			continue
		}
		last, seen := before[l.tags["interface"]]
		before[l.tags["interface"]] = l
		for _, counter := range []string{"bytes_recv", "bytes_sent", "packets_recv", "packets_sent"} {
			switch {
			case !seen:
				require.Positive(t, integer(l, counter), "%v of %v: the host has been up before", counter, l.tags)
			case l.time.Sub(last.time) > time.Minute:
				require.Zero(t, integer(l, counter))
				resets++
			default:
				require.GreaterOrEqual(t, integer(l, counter), integer(last, counter))
			}
		}
	}
	require.Equal(t, 4*4, resets)
}

func TestUptime(t *testing.T) {
	reboot := sim.Event{Kind: sim.Reboot, Start: monday.Add(5 * time.Minute), Duration: 150 * time.Second}
	lines, rows := telegraf(t, web, time.Minute, 10, reboot)
	var uptimes []int64
	for _, l := range lines {
		if v, ok := l.fields["uptime"]; ok {
			uptimes = append(uptimes, v.IntV())
		}
		if v, ok := l.fields["uptime_format"]; ok {
			require.Regexp(t, `^\d+ days, [ \d]\d:\d\d$`, v.StringV())
		}
	}
	for i, row := range rows {
		require.Equal(t, int64(row.Uptime/time.Second), uptimes[i])
	}
	require.Equal(t, int64(30), uptimes[5])
}

func TestLoadFollowsTheBusyCores(t *testing.T) {
	lines, rows := telegraf(t, web, time.Minute, 300)
	var last line
	for _, l := range lines {
		if _, ok := l.fields["load15"]; ok {
			last = l
		}
	}
	recent := rows[len(rows)-15:]
	mean := 0.
	for _, r := range recent {
		mean += r.CPU / 100 * 2 / 15
	}
	require.InDelta(t, mean, number(last, "load15"), .15)
	require.False(t, math.IsNaN(number(last, "load1")))
}

func ExampleTelegraf() {
	host := sim.Host{Name: "web01"}
	g, _ := sim.New(1, sim.Config{Host: host, Interval: 10 * time.Second})
	var text bytes.Buffer
	_ = sim.Write(&text, 2, &sim.Stream{Generator: g, Format: sim.Telegraf(1, host)})
	for _, measurement := range []string{"cpu", "mem", "net", "disk", "system"} {
		fmt.Println(measurement, strings.Count("\n"+text.String(), "\n"+measurement+","))
	}
	// Output:
	// cpu 3
	// mem 2
	// net 6
	// disk 4
	// system 6
}

func BenchmarkTelegraf(b *testing.B) {
	var streams []*sim.Stream
	for _, host := range sim.Fleet(1, 20) {
		host.Cores = 2
		g, err := sim.New(1, sim.Config{Host: host, Interval: 10 * time.Second})
		require.NoError(b, err)
		streams = append(streams, &sim.Stream{Generator: g, Format: sim.Telegraf(1, host)})
	}
	var c counter
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, sim.Write(&c, 1, streams...))
	}
	b.ReportMetric(float64(c.lines)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(c.bytes)/float64(c.lines), "B/line")
}

// counter is where lines go in a benchmark.
type counter struct{ lines, bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	c.bytes += len(p)
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
