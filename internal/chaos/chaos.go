// Package chaos lets things go wrong around the processor, one after the other,
// under a real Telegraf that writes into a real InfluxDB, and says of each what it
// cost: which lines were lost, how long nothing was scored, how much memory was
// taken, and what a user reads in the log.
package chaos

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say where and how long.
type Options struct {
	Root string // of a checkout with the programs in its bin folder
	Dir  string // for configurations, data and logs
	Long bool   // faults last as long as they may in real life, else a few seconds
	Only string // regular expression that names of faults must match
	Jobs int    // faults at the same time, each in a stack of its own; times are then lenient
	Say  func(format string, arguments ...any)
}

// A Result is what a fault cost.
type Result struct {
	Name    string
	In, Out int           // lines
	Lost    int           // lines that were sent and never came out
	Allowed int           // of them, at most
	Stored  int           // points in InfluxDB, of measurements that make features
	Back    time.Duration // from the end of the fault to the first scored line that was sent after it
	Before  float64       // memory of the processor before the fault, in bytes
	Most    float64       // and the most that it had from then on
	Log     []string      // what Telegraf's log says from the fault on: warnings and errors, each once
	Wrong   []string      // what was not as it has to be
}

// Run lets the faults happen, and returns what became of each.
func Run(ctx context.Context, o Options) (results []Result, err error) {
	only, err := regexp.Compile(o.Only)
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	faults := slices.DeleteFunc(script(o.Long), func(f fault) bool { return !only.MatchString(f.name) })
	results = make([]Result, len(faults))
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(max(1, o.Jobs))
	for i, f := range faults {
		jobs.Go(func() (err error) {
			began := time.Now()
			if results[i], err = f.happen(ctx, &o, filepath.Join(o.Dir, fmt.Sprintf("%02d", i+1))); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			o.Say("%-48s %s (%v)", f.name, results[i].verdict(), time.Since(began).Round(time.Second))
			return nil
		})
	}
	err = jobs.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.In == 0 }), err
}

// patience is how much longer scoring may take to be back where several stacks
// share a machine.
const patience = 5

// A fault is one thing that goes wrong.
type fault struct {
	name string
	load load
	with func(*setup) // what is set up otherwise; may be nil
	do   func(context.Context, *rig) (spell, error)

	lose int           // lines that may be lost, all within the spell
	gone bool          // what is routed to the processor within the spell is lost for certain
	back time.Duration // within which lines are to be scored again; 0: a second
	grow float64       // bytes of memory that it may cost; 0: 32 MiB, since models are fitted meanwhile
}

// A spell is the time of a fault. Lines that were sent within it may be lost, if
// any may; from its end on lines are to be scored.
type spell struct{ from, to time.Time }

// settle is how long a stack runs before and after a fault.
const settle = time.Second

func (f *fault) happen(ctx context.Context, o *Options, dir string) (Result, error) {
	s := standard
	if f.with != nil {
		f.with(&s)
	}
	r, err := start(ctx, o.Root, dir, f.load, s)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	result := Result{Name: f.name, Allowed: f.lose}
	time.Sleep(settle)
	mark := len(r.telegraf.Log())
	result.Before = r.memory.begin(r.processors())
	when, err := f.do(ctx, r)
	if err != nil {
		return result, err
	}
	result.Back = r.ledger.back(ctx, when.to, 30*time.Second).Sub(when.to)
	time.Sleep(settle)
	r.drain(ctx)
	result.Log = complaints(r.telegraf.Log()[mark:], r.dir)
	result.Most = r.end()
	result.Stored, err = r.stored(ctx)
	limit := cmp.Or(f.back, time.Second)
	if o.Jobs > 1 {
		limit *= patience
	}
	f.judge(&result, r, when, limit)
	return result, err
}

// judge says what is wrong with a result.
func (f *fault) judge(result *Result, r *rig, when spell, limit time.Duration) {
	wrong := func(format string, arguments ...any) {
		result.Wrong = append(result.Wrong, fmt.Sprintf(format, arguments...))
	}
	a := r.ledger.account(when.from.Add(-maxHold), when.to.Add(result.Back))
	result.In, result.Out, result.Lost = a.in, a.out, a.lost
	if result.Back > limit {
		wrong("scoring was back after %v, want at most %v", result.Back.Round(time.Millisecond), limit)
	}
	switch {
	case f.gone:
		if certain := r.ledger.account(when.from.Add(settle), when.to); certain.passed > 0 {
			wrong("%d lines passed a processor that was not there", certain.passed)
		}
	case a.lost > f.lose:
		wrong("%d lines were lost, %d may be", a.lost, f.lose)
	}
	if a.outside > 0 {
		wrong("%d lines were lost outside of the fault", a.outside)
	}
	if a.twice > 0 || a.strange > 0 {
		wrong("%d lines came twice, %d nobody had sent", a.twice, a.strange)
	}
	if result.Stored != a.features {
		wrong("InfluxDB has %d points of %d", result.Stored, a.features)
	}
	if grown := result.Most - result.Before; grown > cmp.Or(f.grow, 32<<20) {
		wrong("it took %.0f MB more memory", grown/1e6)
	}
}

func (r *Result) verdict() string {
	if len(r.Wrong) > 0 {
		return "FAIL"
	}
	return "pass"
}
