package chaos

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"telegraf-anomaly/internal/sim"
)

// A load is what the hosts say.
type load struct {
	hosts    int
	interval time.Duration // of each host
	single   bool          // one line for all features, else Telegraf's stock inputs
	shared   bool          // one model for all hosts, else each has its own
}

// seed makes every run the same.
const seed = 7

// past is how many intervals lie behind a host when a fault comes.
const past = 300

// streams are the load's hosts, from their past on.
func (l load) streams() (all []*sim.Stream, err error) {
	start := time.Now().Truncate(l.interval).Add(-past * l.interval)
	for _, host := range sim.Fleet(seed, l.hosts) {
		host.Cores = 2
		g, err := sim.New(seed, sim.Config{Host: host, Start: start, Interval: l.interval})
		if err != nil {
			return nil, fmt.Errorf("chaos: %w", err)
		}
		s := &sim.Stream{Generator: g, Format: sim.Telegraf(seed, host)}
		if l.single {
			s.Format = sim.SystemMetrics(host)
		}
		all = append(all, s)
	}
	return all, nil
}

// A feed writes hosts into a pipe in the time of the wall: within an interval one
// host after the other, as their Telegrafs would be heard at a gateway.
type feed struct {
	load
	pipe   *os.File
	ledger *ledger
	hosts  []*sim.Stream
	shift  atomic.Int64 // added to time stamps, in nanoseconds
	pause  sync.Mutex   // held while nothing is to be sent
	stop   chan struct{}
	done   chan struct{}
	err    error
}

// startFeed writes the hosts' past at once, and then goes on in its own time.
func startFeed(l load, pipe *os.File, to *ledger) (*feed, error) {
	hosts, err := l.streams()
	if err != nil {
		return nil, err
	}
	f := &feed{load: l, pipe: pipe, ledger: to, hosts: hosts, stop: make(chan struct{}), done: make(chan struct{})}
	if err := sim.Write(f, past, hosts...); err != nil {
		return nil, err
	}
	go f.run()
	return f, nil
}

func (f *feed) run() {
	defer close(f.done)
	step := f.interval / time.Duration(len(f.hosts))
	for next, i := time.Now(), 0; f.err == nil; i++ {
		select {
		case <-f.stop:
			return
		case <-time.After(time.Until(next)):
		}
		f.pause.Lock()
		f.err = sim.Write(f, 1, f.hosts[i%len(f.hosts)])
		f.pause.Unlock()
		if next = next.Add(step); time.Since(next) > f.interval {
			next = time.Now() // who was held up does not make up for it in a hurry
		}
	}
}

// end stops the feed.
func (f *feed) end() error {
	close(f.stop)
	<-f.done
	return f.err
}

// Write notes every line and sends it.
func (f *feed) Write(text []byte) (int, error) {
	if by := f.shift.Load(); by != 0 {
		text = restamp(text, by)
	}
	now := time.Now()
	for line := range bytes.Lines(text) {
		f.ledger.send(bytes.TrimSuffix(line, []byte("\n")), now)
	}
	return f.pipe.Write(text)
}

// restamp moves the time of every line.
func restamp(text []byte, by int64) (moved []byte) {
	for line := range bytes.Lines(text) {
		at := bytes.LastIndexByte(line, ' ') + 1
		ns, _ := strconv.ParseInt(string(line[at:len(line)-1]), 10, 64)
		moved = append(strconv.AppendInt(append(moved, line[:at]...), ns+by, 10), '\n')
	}
	return moved
}
