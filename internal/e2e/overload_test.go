package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/sim"
	"telegraf-anomaly/internal/testbed"
)

// overload says that the sizes of the specification are wanted, as `make overload`
// does, else what fits into a test.
var overload = os.Getenv("OVERLOAD") == "full"

func loaded(full, usual int) int {
	if overload {
		return full
	}
	return usual
}

// A program is one that is fed by hand. What goes in and what comes out is
// counted and digested.
type program struct {
	*exec.Cmd
	t     *testing.T
	stdin io.WriteCloser
	in    digest
	out   passed
	done  chan error
}

// A digest is the same for the same lines in whatever order: lines that make a
// vector are kept for a moment, others are not. The parts of a line that is too
// long are only counted.
type digest struct {
	lines, sum, long uint64
}

func (d *digest) line(text []byte) {
	d.lines++
	d.sum += maphash.Bytes(hashSeed, text)
}

// feed starts the program with a stderr that nobody reads.
func feed(t *testing.T, config string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(testbed.Anomaly.Path(need(t)), "-config", config), t: t, done: make(chan error, 1)}
	var err error
	p.stdin, err = p.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	unread, stderr, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { unread.Close() })
	p.Stderr = stderr
	require.NoError(t, p.Start())
	stderr.Close()
	go func() {
		_, err := io.Copy(&p.out, bufio.NewReaderSize(stdout, 1<<20))
		p.done <- err
	}()
	return p
}

// say sends lines.
func (p *program) say(text string) {
	for line := range strings.Lines(text) {
		p.in.line([]byte(line))
	}
	p.send(text)
}

func (p *program) send(text string) {
	_, err := io.WriteString(p.stdin, text)
	require.NoError(p.t, err)
}

// end closes the program's stdin and returns the most memory that it had, in
// bytes.
func (p *program) end() (memory float64) {
	p.t.Helper()
	memory = procStatus(p.t, p.Process.Pid, "VmHWM")
	require.NoError(p.t, p.stdin.Close())
	require.NoError(p.t, <-p.done)
	require.NoError(p.t, p.Wait())
	require.Equal(p.t, p.in, p.out.digest, "lines in and out")
	return memory
}

// procStatus reads a size, in bytes, that Linux tells of a process.
func procStatus(t *testing.T, pid int, key string) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("memory is read from /proc, which is not here")
	}
	_, behind, _ := strings.Cut(string(text), key+":")
	var kB float64
	_, err = fmt.Sscan(behind, &kB)
	require.NoError(t, err)
	return kB * 1024
}

// passed is what came out: the lines that went in, without what the processor
// appended, and its own ones.
type passed struct {
	digest
	rest   []byte
	scored int
	report map[string]any // the newest one
}

func (o *passed) Write(text []byte) (int, error) {
	n := len(text)
	text = append(o.rest, text...)
	end := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:end]) {
		o.take(line)
	}
	o.rest = append(o.rest[:0], text[end:]...)
	if len(o.rest) > mega {
		o.long += uint64(bytes.Count(o.rest, []byte("x")))
		o.rest = o.rest[:0]
	}
	return n, nil
}

func (o *passed) take(line []byte) {
	switch {
	case bytes.HasPrefix(line, []byte("x")):
		o.long += uint64(bytes.Count(line, []byte("x")))
	case bytes.HasPrefix(line, []byte("anomaly_processor")):
		o.report = fieldsOf(bytes.TrimSuffix(line, []byte("\n")))
	case !own(line):
		text, scored := original(line)
		o.line(text)
		if scored {
			o.scored++
		}
	}
}

// count is a counter of the program's report on itself.
func (o *passed) count(t *testing.T, name string) int {
	t.Helper()
	n, ok := o.report[name].(int64)
	require.True(t, ok, "%s in %v", name, o.report)
	return int(n)
}

const mega = 1 << 20

// A line of a gigabyte passes, in little memory, and the next ones are scored.
func TestEndlessLine(t *testing.T) {
	size, chunk := loaded(1024, 256), strings.Repeat("x", mega)
	p := feed(t, serving(t, ""))
	for range size {
		p.send(chunk)
	}
	p.send("\n")
	p.in.long = uint64(size) * mega
	began := time.Now()
	p.say(calm(3))
	memory := p.end()
	t.Logf("a line of %d MiB: %.1f MB of memory at most; it and the next lines were out %v after its end", size, memory/1e6, time.Since(began).Round(time.Millisecond))
	require.LessOrEqual(t, memory, 32.*mega)
	require.Positive(t, p.out.scored, "the next lines")
	require.Positive(t, p.out.count(t, "errors_too_long"))
}

// calm is what the trained host writes in some intervals.
func calm(intervals int) string {
	var text strings.Builder
	for k := range intervals {
		text.WriteString(interval3("host0001", k, 30, 55, float64(k)*1e8))
	}
	return text.String()
}

// interval3 are the lines of a host that make its k-th vector.
func interval3(host string, k int, cpu, memory, received float64) string {
	at := birth.Add(trainingTime + time.Duration(k)*interval).UnixNano()
	return fmt.Sprintf("cpu,cpu=cpu-total,host=%s usage_idle=%.3f %d\nmem,host=%s used_percent=%.3f %d\nnet,host=%s,interface=eth0 bytes_recv=%di,bytes_sent=5i %d\n",
		host, 100-cpu, at, host, memory, at, host, int64(received), at)
}

// A million lines that cannot be read pass as they are, are counted, and block
// nothing, although nobody reads what is said about them.
func TestMalformedLines(t *testing.T) {
	lines := loaded(1_000_000, 200_000)
	p := feed(t, serving(t, ""))
	began := time.Now()
	for i := range lines / 100 {
		p.say(strings.Repeat(fmt.Sprintf("cpu,cpu=cpu-total,host=h%d usage_idle=,broken %d\n", i%50, i), 100))
	}
	took := time.Since(began)
	p.say(calm(3))
	memory := p.end()
	t.Logf("%d malformed lines: %.0f lines/s, %.1f MB of memory at most", lines, float64(lines)/took.Seconds(), memory/1e6)
	require.Equal(t, lines, p.out.count(t, "errors_malformed"))
	require.LessOrEqual(t, memory, 32.*mega)
	require.Positive(t, p.out.scored, "the next lines")
}

// groups is how many hosts the processor remembers, see feature.DefaultLimits.
const groups = 100_000

// Hosts without end: what is remembered of those that are beyond the limit is
// forgotten and counted, and memory stays where it was.
func TestHostsWithoutEnd(t *testing.T) {
	hosts := loaded(1_000_000, 220_000)
	config := write(t, filepath.Join(t.TempDir(), "anomaly.conf"), "[[processors.anomaly]]\nscope = \"shared\"\ninterval = \"1m\"\n")
	p := feed(t, config)
	var full float64
	for h := range hosts {
		p.say(interval3(fmt.Sprintf("h%d", h), h*10/hosts, 30, 55, 0))
		if h == groups*16/10 {
			full = procStatus(t, p.Process.Pid, "VmHWM")
		}
	}
	memory := p.end()
	t.Logf("%d hosts: %.0f MB of memory at most, %.0f MB with %d", hosts, memory/1e6, full/1e6, groups*16/10)
	require.Equal(t, groups, p.out.count(t, "hosts"))
	require.Equal(t, hosts-groups, p.out.count(t, "evicted"))
	require.LessOrEqual(t, memory, 1.5*full)
}

// All hosts in trouble at once: lines pass nearly as fast as when all is well.
// What is left out to that end are words, and they are counted. Of each cost the
// median of some turns counts, and more are taken while the answer is open: a machine
// that is shared takes up to half as long again for the same work, and now and then less.
func TestEverythingIsAnomalous(t *testing.T) {
	const least, most, wanted = 3, 10, 0.95
	config, size := serving(t, ""), loaded(10_000, 2_000)
	var calm, storm []float64
	ratio := 0.0
	for turn := 0; turn < least || turn < most && ratio < wanted; turn++ {
		c, s := stormCost(t, config, size)
		calm, storm = append(calm, c), append(storm, s)
		ratio = median(calm) / median(storm)
	}
	t.Logf("%d hosts, all anomalous: lines pass at %.1f %% of the usual rate", size, 100*ratio)
	require.Greater(t, ratio, wanted)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// stormCost is the processor time, in seconds, of as many intervals of a fleet
// when all is well and when nothing is.
func stormCost(t *testing.T, config string, size int) (calm, storm float64) {
	t.Helper()
	const warm, intervals = 8, 15 // warm: until what was saved for words is spent
	f := &fleet{program: feed(t, config), size: size, random: rand.New(rand.NewPCG(1, 1))}
	var err error
	f.model, err = sim.New(seed, sim.Config{Host: sim.Fleet(seed, 1)[0], Start: birth.Add(trainingTime), Interval: interval})
	require.NoError(t, err)
	cost := func(storm bool) float64 {
		f.play(storm, warm)
		before := f.processorTime()
		f.play(storm, intervals)
		return f.processorTime() - before
	}
	calm, storm = cost(false), cost(true)
	memory, anomalies := f.end(), f.out.count(t, "anomalies")
	t.Logf("%.2f s, in a storm %.2f s; %.0f MB of memory at most; %d anomalies, %d with a shortened reason", calm, storm, memory/1e6, anomalies, f.out.count(t, "reasons_shortened"))
	require.GreaterOrEqual(t, anomalies, (warm+intervals)*size*7/10, "in a storm most are, until it is the past of all")
	require.LessOrEqual(t, anomalies, (warm+intervals)*size*11/10, "else hardly any")
	require.Positive(t, f.out.count(t, "reasons_shortened"))
	return calm, storm
}

// fleet are hosts that do what one host does, but for storms.
type fleet struct {
	*program
	size     int
	model    *sim.Generator
	k        int
	received float64
	random   *rand.Rand
}

func (f *fleet) play(storm bool, intervals int) {
	for range intervals {
		row := f.model.Next()
		if storm {
			row.CPU, row.Memory, row.Network = 99.5, 99, 100*row.Network
		}
		f.received += row.Network * interval.Seconds()
		for h := range f.size {
			host := fmt.Sprintf("h%d", h)
			some := f.random.Float64() // no two hosts are alike
			f.say(interval3(host, f.k, row.CPU-2*some, row.Memory-some, f.received*(1+some/10)) + strings.Repeat(fmt.Sprintf("disk,host=%s,path=/ used_percent=50 %d\n", host, f.k), 9))
		}
		f.k++
	}
}

// processorTime is what the program took so far, in seconds.
func (p *program) processorTime() (seconds float64) {
	time.Sleep(100 * time.Millisecond) // for what is still on its way
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		p.t.Skip("processor time is read from /proc, which is not here")
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var user, system float64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	require.NoError(p.t, err)
	return (user + system) / 100
}
