package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A fleet writes lines of many hosts at little cost: the four lines of each that
// feed features, fields as many as matter.
type fleet struct {
	hosts  int
	random *rand.Rand
	at     time.Time
	bytes  uint64
	text   []byte
}

func newFleet(hosts int) *fleet {
	return &fleet{hosts: hosts, random: rand.New(rand.NewPCG(seed, uint64(hosts))), at: epoch}
}

const linesPerHost = 4

// write writes an interval of all hosts.
func (f *fleet) write(w io.Writer) error {
	f.at, f.bytes = f.at.Add(interval), f.bytes+1_000_000
	for h := range f.hosts {
		host := fmt.Sprintf("web%06d", h)
		f.line("cpu,cpu=cpu-total,host="+host+" usage_idle=", strconv.FormatFloat(60+30*f.random.Float64(), 'g', -1, 64))
		f.line("mem,host="+host+" used_percent=", strconv.FormatFloat(40+5*f.random.Float64(), 'g', -1, 64))
		for _, nic := range []string{"eth0", "eth1"} {
			n := strconv.FormatUint(f.bytes+f.random.Uint64N(100_000), 10)
			f.line("net,host="+host+",interface="+nic+" bytes_recv="+n+"i,bytes_sent=", n+"i")
		}
		if len(f.text) > 1<<16 || h == f.hosts-1 {
			if _, err := w.Write(f.text); err != nil {
				return err
			}
			f.text = f.text[:0]
		}
	}
	return nil
}

func (f *fleet) line(head, value string) {
	f.text = append(append(append(f.text, head...), value...), ' ')
	f.text = append(strconv.AppendInt(f.text, f.at.UnixNano(), 10), '\n')
}

// A run is what the program took for a fleet.
type run struct {
	lines          int
	cpu            time.Duration
	resident, peak int64 // bytes
}

const (
	learning = 70               // intervals until windows are warm and a host's own level is known
	serving  = 6                // intervals that are scored, at least
	enough   = 100_000          // lines, for the clock
	longest  = 6000             // intervals, before the next model is due
	rest     = 20 * time.Second // after which idle memory has been given back
	fitting  = 2 * time.Second  // that a fit may take
)

// serveFleet has the program serve a fleet that it has to learn first, with more
// configuration keys.
func (b *bench) serveFleet(hosts int, keys string) (r run, err error) {
	config := filepath.Join(b.dir, "fleet.conf")
	if err := os.WriteFile(config, []byte(fleetConfig+keys), 0o600); err != nil {
		return r, err
	}
	c := exec.Command(b.program, "-config", config)
	in, err := c.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := c.Start(); err != nil {
		return r, err
	}
	scored := make(chan int)
	go func() { scored <- countScored(out) }()
	f, steps := newFleet(hosts), min(longest, max(serving, enough/linesPerHost/hosts))
	err = f.play(in, learning+800/hosts)
	time.Sleep(fitting)
	before := settled(c.Process.Pid)
	err = errors.Join(err, f.play(in, steps))
	r.lines, r.cpu = steps*hosts*linesPerHost, settled(c.Process.Pid)-before
	time.Sleep(rest)
	r.resident, r.peak = memory(c.Process.Pid)
	in.Close()
	n := <-scored
	err = errors.Join(err, c.Wait())
	if want := hosts * linesPerHost * (serving - 1); err == nil && n < want {
		err = fmt.Errorf("%d lines of %d hosts were scored, want %d", n, hosts, want)
	}
	return r, err
}

// settled waits until a process has nothing to do and returns its processor time
// so far.
func settled(pid int) (d time.Duration) {
	for last := time.Duration(-1); d != last; {
		last = d
		time.Sleep(300 * time.Millisecond)
		d = ticks(pid)
	}
	return d
}

// ticks is the processor time of a process, threads that ended included, to a
// hundredth of a second.
func ticks(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // nothing where there is no /proc
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64) // digits
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// processorTime is what the living threads of a process have used so far, to the
// nanosecond, 0 where there is no /proc.
func processorTime(pid int) (d time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // a fixed pattern
	for _, t := range threads {
		var ns int64
		if text, err := os.ReadFile(t); err == nil {
			_, _ = fmt.Sscan(string(text), &ns)
		}
		d += time.Duration(ns)
	}
	return d
}

var fleetConfig = fmt.Sprintf("[[processors.anomaly]]\n  scope = \"shared\"\n  interval = %q\n", interval)

func (f *fleet) play(w io.Writer, intervals int) error {
	for range intervals {
		if err := f.write(w); err != nil {
			return err
		}
	}
	return nil
}

func countScored(r io.Reader) (n int) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if line := lines.Bytes(); bytes.Contains(line, []byte("anomaly_score=")) && !bytes.HasPrefix(line, []byte("ai_")) {
			n++
		}
	}
	return n
}

var memoryOf = map[string]*regexp.Regexp{"now": regexp.MustCompile(`VmRSS:\s+(\d+) kB`), "peak": regexp.MustCompile(`VmHWM:\s+(\d+) kB`)}

// memory is what a process holds now and held at most, 0 where there is no /proc.
func memory(pid int) (now, peak int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	kB := func(which string) int64 {
		m := memoryOf[which].FindSubmatch(status)
		if m == nil {
			return 0
		}
		n, _ := strconv.ParseInt(string(bytes.TrimSpace(m[1])), 10, 64) // digits
		return n << 10
	}
	return kB("now"), kB("peak")
}

// fleets measures memory and cost per line from one host to a hundred thousand.
func (b *bench) fleets() error {
	hosts := []int{1, 10, 100, 1000, 10_000, 100_000}
	for _, n := range hosts {
		if n > b.options.Hosts {
			continue
		}
		r, err := b.serveFleet(n, "")
		if err != nil {
			return err
		}
		b.report.Fleet = append(b.report.Fleet, point{X: float64(n), Y: map[string]float64{
			"resident_MB": float64(r.resident) / 1e6, "peak_MB": float64(r.peak) / 1e6, "us_per_line": micros(r.cpu) / float64(r.lines),
		}})
		fmt.Printf("%d hosts: %.1f MB, at most %.1f MB, %.2f µs a line\n", n, float64(r.resident)/1e6, float64(r.peak)/1e6, micros(r.cpu)/float64(r.lines))
	}
	return nil
}
