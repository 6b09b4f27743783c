// Package load asks a server over HTTP at a given rate and reports how it did.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Options say how hard and how long.
type Options struct {
	URL      string
	Rate     int           // requests per second
	Ramp     time.Duration // time to rise evenly from nothing to the rate; it comes on top of Duration
	Duration time.Duration // at the full rate
	Workers  int           // that ask at the same time, at most
}

func (o Options) check() error {
	if o.URL == "" || o.Rate < 1 || o.Duration <= 0 || o.Ramp < 0 || o.Workers < 1 {
		return errors.New("load: want an address, a rate and workers of at least 1, and a duration above 0")
	}
	return nil
}

// Result is what came of it.
type Result struct {
	URL        string         `json:"url"`
	Requests   uint64         `json:"requests"`
	Seconds    float64        `json:"seconds"`
	Throughput float64        `json:"throughput"` // successful requests per second
	Success    float64        `json:"success"`    // share of requests
	P50        float64        `json:"p50_ms"`
	P95        float64        `json:"p95_ms"`
	P99        float64        `json:"p99_ms"`
	Status     map[string]int `json:"status"` // requests by code; "0" where there was no answer
	Errors     []string       `json:"errors"`
}

// Run asks until the time is up or ctx ends, and calls progress, which may be
// nil, about once a second.
func Run(ctx context.Context, o Options, progress func(Result)) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	attacker := vegeta.NewAttacker(vegeta.MaxWorkers(uint64(o.Workers)), vegeta.Timeout(10*time.Second))
	results := attacker.Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: o.URL}), o.pacer(), o.Ramp+o.Duration, o.URL)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	var m vegeta.Metrics
	shown := time.Now()
	for r := range results {
		m.Add(r)
		if progress != nil && time.Since(shown) >= time.Second {
			shown = time.Now()
			m.Close() // computes, and may be called again
			progress(o.result(&m))
		}
	}
	m.Close()
	return o.result(&m), ctx.Err()
}

// pacer rises to the rate and stays there.
func (o Options) pacer() vegeta.Pacer {
	steady := vegeta.Rate{Freq: o.Rate, Per: time.Second}
	if o.Ramp == 0 {
		return steady
	}
	return ramp{o}
}

// ramp has sent, after t, r·t²/(2·ramp) requests while it rises, and r·(t − ramp/2)
// from then on.
type ramp struct{ Options }

func (p ramp) sent(t time.Duration) float64 {
	rate, rise := float64(p.Options.Rate), p.Ramp.Seconds()
	if t < p.Ramp {
		return rate * t.Seconds() * t.Seconds() / (2 * rise)
	}
	return rate * (t.Seconds() - rise/2)
}

// Pace is vegeta.Pacer: how long to wait for the next request.
func (p ramp) Pace(elapsed time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if elapsed > p.Ramp+p.Options.Duration {
		return 0, true
	}
	behind := p.sent(elapsed) - float64(hits)
	if behind >= 1 {
		return 0, false
	}
	return time.Duration((1 - behind) / max(1, p.Rate(elapsed)) * float64(time.Second)), false
}

// Rate is vegeta.Pacer: requests per second at a time.
func (p ramp) Rate(elapsed time.Duration) float64 {
	return float64(p.Options.Rate) * min(1, elapsed.Seconds()/p.Ramp.Seconds())
}

func (o Options) result(m *vegeta.Metrics) Result {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Result{
		URL: o.URL, Requests: m.Requests, Seconds: (m.Duration + m.Wait).Seconds(), Throughput: m.Throughput, Success: m.Success,
		P50: ms(m.Latencies.P50), P95: ms(m.Latencies.P95), P99: ms(m.Latencies.P99), Status: m.StatusCodes, Errors: m.Errors,
	}
}

// Print writes a result for people.
func (r Result) Print(w io.Writer) {
	fmt.Fprintf(w, "%d requests in %.1f s, %.1f answered per second, %.2f %% success\nlatency  p50 %.2f ms  p95 %.2f ms  p99 %.2f ms\n",
		r.Requests, r.Seconds, r.Throughput, 100*r.Success, r.P50, r.P95, r.P99)
	for _, e := range r.Errors {
		fmt.Fprintln(w, "error:", e)
	}
}
