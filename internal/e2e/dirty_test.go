package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
)

// minutes are the lines of a host, by the interval in which Telegraf wrote them.
type minutes [][]string

// Dirt in a stream must never look like an incident: with it there are no alarms
// that the clean stream does not have, no vector is scored twice, and every line
// arrives.
func TestDirtRaisesNoAlarm(t *testing.T) {
	const at, length = 60, 12 // the minutes that are soiled
	some := func(edit func(line string) string) func(minutes) {
		return func(m minutes) {
			for i := at; i < at+length; i++ {
				m.each(i, edit)
			}
		}
	}
	for _, test := range []struct {
		name string
		soil func(minutes)
	}{
		{"clean", func(minutes) {}},
		{"NaN and infinities", some(func(line string) string {
			return set(set(line, "mem", "used_percent", "NaN"), "cpu", "usage_idle", "+Inf")
		})},
		{"type flips to an integer", some(integer)},
		{"type flips to a string", some(func(line string) string { return set(line, "mem", "used_percent", `"51.2"`) })},
		{"type flips to a boolean", some(func(line string) string { return set(line, "cpu", "usage_idle", "true") })},
		{"impossible percentages", some(func(line string) string {
			return set(set(line, "mem", "used_percent", "-3"), "cpu", "usage_idle", "-1e9")
		})},
		{"percentages off by rounding", func(m minutes) {
			m.each(at, func(line string) string { return strings.ReplaceAll(line, "usage_steal=0", "usage_steal=-7e-10") })
		}},
		{"fields missing", some(func(line string) string { return strings.Replace(line, "used_percent=", "other=", 1) })},
		{"garbage between", some(func(line string) string { return line + "\ncpu,cpu=cpu-total usage_idle=\n\x00\xff=,, \"" })},
		{"counters start over", func(m minutes) { m.counters(at, at, func(v int64) int64 { return v }) }},
		{"32-bit counters wrap", func(m minutes) { m.counters(0, at, func(v int64) int64 { return int64(uint32(v)) }) }},
		{"64-bit counters wrap", func(m minutes) { m.counters(0, at, func(v int64) int64 { return v + math.MinInt64 }) }},
		{"an interface comes and goes", func(m minutes) {
			m.quietInterface(func(i int) bool { return i < at || i >= at+4*length || i/4%2 == 1 })
		}},
		{"an interface is gone for good", func(m minutes) { m.quietInterface(func(i int) bool { return i < at }) }},
		{"a container's interfaces", func(m minutes) {
			for i := at; i < at+length; i++ {
				m[i] = append(m[i], fmt.Sprintf("net,host=host0001,interface=veth%d bytes_recv=%di,bytes_sent=1i %d", i, i*1e9, stamp(i)))
			}
		}},
		{"an interface with a long history appears", func(m minutes) {
			for i := at; i < len(m); i++ {
				m[i] = append(m[i], fmt.Sprintf("net,host=host0001,interface=eth9 bytes_recv=%di,bytes_sent=%di %d", 1<<50, 1<<51, stamp(i)))
			}
		}},
		{"every line twice", some(func(line string) string { return line + "\n" + line })},
		{"intervals sent again", func(m minutes) { m[at+length] = append(m[at+length], slices.Concat(m[at:at+length]...)...) }},
		{"late by two intervals", func(m minutes) {
			for i := at + length; i >= at; i-- {
				m[i+2] = append(m[i+2], m.drop(i, "net,")...)
			}
		}},
		{"shuffled", func(m minutes) {
			random := rand.New(rand.NewPCG(1, 1))
			for i := at; i < at+length; i += 3 {
				lines := slices.Concat(m[i : i+3]...)
				random.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
				m[i], m[i+1], m[i+2] = lines, nil, nil
			}
		}},
		{"a gap", func(m minutes) { clear(m[at : at+length]) }},
		{"a reboot", func(m minutes) {
			m.counters(at, at, func(v int64) int64 { return v })
			clear(m[at : at+3])
			m.drop(at+3, "cpu,")
		}},
		{"no network for a while", func(m minutes) {
			for i := at; i < at+length; i++ {
				m.drop(i, "net,")
			}
		}},
		{"the clock jumps an hour ahead and back", func(m minutes) { m.each(at, shift(time.Hour)) }},
		{"the clock jumps a day back and forth", func(m minutes) { m.each(at, shift(-24*time.Hour)) }},
		{"the clock is at the epoch", func(m minutes) { m.each(at, restamp(0)) }},
		{"the clock is at the end of time", func(m minutes) { m.each(at, restamp(math.MaxInt64)) }},
		{"time stamps jitter", func(m minutes) {
			for i := range m {
				m.each(i, shift(time.Duration(i%7-3)*time.Second))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clean, dirty := life(t), life(t)
			test.soil(dirty)
			_, expected := through(t, serving(t, ""), clean.feed)
			in, out := through(t, serving(t, ""), dirty.feed)

			requireAllOf(t, in, out)
			require.Subset(t, expected.alarms(), out.alarms(), "alarms with and without dirt")
			require.Greater(t, len(out.predictions), len(expected.predictions)/2)
			if !strings.Contains(test.name, "ahead") { // where time itself repeats
				requireOnce(t, out.predictions)
			}
			last := out.predictions[len(out.predictions)-1]
			require.Equal(t, "ok", last.fields["status"], "it is to recover")
		})
	}
}

func requireOnce(t *testing.T, predictions []prediction) {
	t.Helper()
	seen := map[time.Time]bool{}
	for _, p := range predictions {
		require.False(t, seen[p.time], "%v is scored twice", p.time)
		seen[p.time] = true
	}
}

// lifetime is how many minutes of the host are looked at.
const lifetime = 300

// life is an uneventful part of the trained host's life.
func life(t *testing.T) minutes {
	t.Helper()
	host := hosts(t, 1, birth.Add(trainingTime))[0]
	m := make(minutes, lifetime)
	for i := range m {
		var text bytes.Buffer
		require.NoError(t, sim.Write(&text, 1, host))
		m[i] = strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	}
	return m
}

func (m minutes) feed(w io.Writer) error {
	for _, lines := range m {
		for _, line := range lines {
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return err
			}
		}
	}
	return nil
}

// stamp is the time of minute i.
func stamp(i int) int64 { return birth.Add(trainingTime + time.Duration(i)*interval).UnixNano() }

func (m minutes) each(i int, edit func(line string) string) {
	for k := range m[i] {
		m[i][k] = edit(m[i][k])
	}
}

// quietInterface adds one that carries a hundredth of the traffic, while it is up.
func (m minutes) quietInterface(up func(i int) bool) {
	for i := range m {
		if up(i) {
			m[i] = append(m[i], fmt.Sprintf("net,host=host0001,interface=eth2 bytes_recv=%di,bytes_sent=0i %d", 1_000_000+240_000*i, stamp(i)))
		}
	}
}

// drop takes the lines that contain text out of minute i.
func (m minutes) drop(i int, text string) (dropped []string) {
	m[i] = slices.DeleteFunc(m[i], func(line string) bool {
		if strings.Contains(line, text) {
			dropped = append(dropped, line)
			return true
		}
		return false
	})
	return dropped
}

var byteCounter = regexp.MustCompile(`(bytes_(?:recv|sent)=)(\d+)i`)

// counters gives the byte counters of all interfaces other values from a minute
// on; edit gets their growth since minute origin.
func (m minutes) counters(from, origin int, edit func(growth int64) int64) {
	base := map[string]int64{} // by series and field
	value := func(line string, part []string) (key string, v int64) {
		v, _ = strconv.ParseInt(part[2], 10, 64)
		return string(seriesOf([]byte(line))) + part[1], v
	}
	for _, line := range m[origin] {
		for _, part := range byteCounter.FindAllStringSubmatch(line, -1) {
			key, v := value(line, part)
			base[key] = v
		}
	}
	for i := from; i < len(m); i++ {
		m.each(i, func(line string) string {
			return byteCounter.ReplaceAllStringFunc(line, func(text string) string {
				part := byteCounter.FindStringSubmatch(text)
				key, v := value(line, part)
				return fmt.Sprintf("%s%di", part[1], edit(v-base[key]))
			})
		})
	}
}

// set gives a field of a measurement's lines another value.
func set(line, measurement, field, value string) string {
	if !strings.HasPrefix(line, measurement+",") {
		return line
	}
	return regexp.MustCompile(`\b`+field+`=[^, ]+`).ReplaceAllString(line, field+"="+value)
}

// integer makes the percentages of a line integers.
func integer(line string) string {
	return regexp.MustCompile(`\b(used_percent|usage_idle)=(\d+)(\.\d+)?`).ReplaceAllString(line, "$1=${2}i")
}

func shift(by time.Duration) func(line string) string {
	return func(line string) string {
		space := strings.LastIndexByte(line, ' ')
		ns, _ := strconv.ParseInt(line[space+1:], 10, 64)
		return fmt.Sprintf("%s %d", line[:space], ns+int64(by))
	}
}

func restamp(ns int64) func(line string) string {
	return func(line string) string { return fmt.Sprintf("%s %d", line[:strings.LastIndexByte(line, ' ')], ns) }
}
