package chaos

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"
)

// A ledger knows of each line when it was sent and whether it came out.
type ledger struct {
	mu      sync.Mutex
	lines   map[string]*passage
	order   []*passage      // as sent
	strange int             // lines that nobody sent
	latest  time.Time       // of the last arrival
	after   time.Time       // what was sent from then on counts as scored again
	scored  time.Time       // when the first such line came out scored
	hosts   map[string]bool // of which a line came out scored
}

// A passage is a line on its way. Lines of the same series and time are one
// passage with several goes.
type passage struct {
	measurement   string
	sent          time.Time
	times, passed int
}

func newLedger() *ledger { return &ledger{lines: map[string]*passage{}, hosts: map[string]bool{}} }

// identity is a line's series and its time: Telegraf writes fields in any order.
func identity(line []byte) (id, measurement string) {
	head := line[:bytes.IndexByte(line, ' ')]
	return string(head) + string(line[bytes.LastIndexByte(line, ' '):]), string(head[:max(0, bytes.IndexByte(head, ','))])
}

func (l *ledger) send(line []byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, measurement := identity(line)
	p := l.lines[id]
	if p == nil {
		p = &passage{measurement: measurement, sent: now}
		l.lines[id] = p
		l.order = append(l.order, p)
	}
	p.times++
}

// arrive takes a line that came out. What the processor, or an aggregator, adds is
// not counted.
func (l *ledger) arrive(line []byte, now time.Time) {
	if bytes.IndexByte(line, ' ') < 0 || bytes.HasPrefix(line, []byte("ai_predictions")) || bytes.HasPrefix(line, []byte("anomaly_")) || bytes.Contains(line, []byte("_mean=")) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id, _ := identity(line)
	p := l.lines[id]
	if p == nil {
		l.strange++
		return
	}
	p.passed++
	l.latest = now
	if !bytes.Contains(line, []byte("anomaly_score=")) {
		return
	}
	l.hosts[hostOf(id)] = true
	if l.scored.IsZero() && !p.sent.Before(l.after) {
		l.scored = now
	}
}

func hostOf(id string) string {
	_, behind, _ := strings.Cut(id, ",host=")
	return behind[:strings.IndexAny(behind+" ", ", ")]
}

// judged is the number of hosts that were scored so far.
func (l *ledger) judged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.hosts)
}

// back waits until a line that was sent after t comes out scored, and returns
// when that was, or the time when it gave up.
func (l *ledger) back(ctx context.Context, t time.Time, limit time.Duration) time.Time {
	l.mu.Lock()
	l.after, l.scored = t, time.Time{}
	l.mu.Unlock()
	for end := time.Now().Add(limit); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		at := l.scored
		l.mu.Unlock()
		if !at.IsZero() {
			return at
		}
	}
	return time.Now()
}

// complete reports whether everything that was sent came out, and when the last
// line did.
func (l *ledger) complete() (all bool, latest time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.order {
		if p.passed < p.times {
			return false, l.latest
		}
	}
	return true, l.latest
}

// An account sums up: lines in and out over all time, and what became of those
// that were sent within a span.
type account struct {
	in, out, lost, twice, strange int
	outside                       int // lost, but not sent within the span, or not routed to the processor
	passed                        int // routed to the processor within the span, and came out
	features                      int // that came out, of measurements that make features
}

func (l *ledger) account(from, to time.Time) (a account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.strange = l.strange
	for _, p := range l.order {
		within := routed[p.measurement] != "" && !p.sent.Before(from) && !p.sent.After(to)
		lost := max(0, p.times-p.passed)
		a.in += p.times
		a.out += p.passed
		a.lost += lost
		a.twice += max(0, p.passed-p.times)
		if !within {
			a.outside += lost
		} else {
			a.passed += p.passed
		}
		if routed[p.measurement] != "" && p.passed > 0 {
			a.features++
		}
	}
	return a
}

// routed are the measurements that Telegraf sends through the processor, with a
// field that each of their lines has.
var routed = map[string]string{"cpu": "usage_idle", "mem": "used_percent", "net": "bytes_recv", "system_metrics": "cpu"}
