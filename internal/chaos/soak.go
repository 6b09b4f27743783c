package chaos

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// fleet is what a long run listens to: Telegraf's usual interval at a gateway.
var fleet = load{hosts: 200, interval: 10 * time.Second, single: true, shared: true}

// A Sample is what the processor holds at a moment of a long run.
type Sample struct {
	At                   time.Duration
	RSS                  float64 // bytes
	Threads, Descriptors int
	In, Out              int // lines
}

// samples is how many a long run takes.
const samples = 30

// Soak lets nothing go wrong for a long time.
func Soak(ctx context.Context, o Options, d time.Duration) (all []Sample, lost int, err error) {
	r, err := start(ctx, o.Root, filepath.Join(o.Dir, "soak"), fleet, standard)
	if err != nil {
		return nil, 0, err
	}
	defer r.close()
	began := time.Now()
	for range samples {
		sleep(ctx, d/samples)
		s, err := r.sample(time.Since(began))
		if err != nil {
			return all, 0, err
		}
		all = append(all, s)
		o.Say("%.0f MB of memory, %d threads, %d descriptors, %d lines", s.RSS/1e6, s.Threads, s.Descriptors, s.Out)
	}
	r.drain(ctx)
	return all, r.ledger.account(began, time.Now()).lost, ctx.Err()
}

func (r *rig) sample(at time.Duration) (s Sample, err error) {
	pid, err := r.processor()
	if err != nil {
		return s, err
	}
	opened, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	a := r.ledger.account(time.Time{}, time.Time{})
	return Sample{At: at, RSS: status(pid, "VmRSS"), Threads: len(threads), Descriptors: len(opened), In: a.in, Out: a.out}, err
}

// Growth is how much memory, in bytes, and how many descriptors the second half
// of a long run took more than the first, at most.
func Growth(all []Sample) (rss float64, descriptors int) {
	half := len(all) / 2
	var most [2]Sample
	for i, s := range all {
		m := &most[min(1, i/max(1, half))]
		m.RSS, m.Descriptors = max(m.RSS, s.RSS), max(m.Descriptors, s.Descriptors)
	}
	return most[1].RSS - most[0].RSS, most[1].Descriptors - most[0].Descriptors
}

// maxDrift is how much more memory the second half of a long run may take, in
// bytes: what the collector of garbage does is no straight line.
const maxDrift = 8 << 20

// PrintSoak prints the samples, and reports whether all is well.
func PrintSoak(w io.Writer, all []Sample, lost int) bool {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AFTER\tMEMORY\tTHREADS\tDESCRIPTORS\tIN\tOUT")
	for _, s := range all {
		fmt.Fprintf(table, "%v\t%.1f MB\t%d\t%d\t%d\t%d\n", s.At.Round(time.Second), s.RSS/1e6, s.Threads, s.Descriptors, s.In, s.Out)
	}
	table.Flush()
	rss, descriptors := Growth(all)
	well := lost == 0 && rss <= maxDrift && descriptors <= 0
	fmt.Fprintf(w, "\n%d hosts every %v: %d lines lost; the second half took %.1f MB and %d descriptors more than the first: %s\n",
		fleet.hosts, fleet.interval, lost, rss/1e6, descriptors, map[bool]string{true: "pass", false: "FAIL"}[well])
	return well
}
