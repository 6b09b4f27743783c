package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func server(t *testing.T, answer func(n int64) int) (string, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answer(n.Add(1))) }))
	t.Cleanup(s.Close)
	return s.URL, &n
}

func TestRun(t *testing.T) {
	url, seen := server(t, func(int64) int { return http.StatusOK })
	calls := 0
	r, err := Run(t.Context(), Options{URL: url, Rate: 50, Duration: 2500 * time.Millisecond, Workers: 5}, func(Result) { calls++ })
	require.NoError(t, err)
	require.EqualValues(t, seen.Load(), r.Requests)
	require.InDelta(t, 125, r.Requests, 10)
	require.Equal(t, 1.0, r.Success)
	require.LessOrEqual(t, r.P50, r.P95)
	require.LessOrEqual(t, r.P95, r.P99)
	require.Positive(t, r.P50)
	require.Equal(t, map[string]int{"200": int(r.Requests)}, r.Status)
	require.Positive(t, calls)
	var b strings.Builder
	r.Print(&b)
	require.Contains(t, b.String(), "100.00 % success")
}

func TestFailuresAreCounted(t *testing.T) {
	url, _ := server(t, func(n int64) int {
		if n%2 == 0 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	r, err := Run(t.Context(), Options{URL: url, Rate: 100, Duration: 500 * time.Millisecond, Workers: 5}, nil)
	require.NoError(t, err)
	require.InDelta(t, .5, r.Success, .05)
	require.NotEmpty(t, r.Errors)
}

func TestRunEndsWithItsContext(t *testing.T) {
	url, _ := server(t, func(int64) int { return http.StatusOK })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := Run(ctx, Options{URL: url, Rate: 20, Duration: time.Hour, Workers: 1}, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, r.Requests, uint64(100))
}

func TestRunRefuses(t *testing.T) {
	good := Options{URL: "http://127.0.0.1:1", Rate: 1, Duration: time.Second, Workers: 1}
	for name, change := range map[string]func(*Options){
		"no address":  func(o *Options) { o.URL = "" },
		"no rate":     func(o *Options) { o.Rate = 0 },
		"no duration": func(o *Options) { o.Duration = 0 },
		"no workers":  func(o *Options) { o.Workers = 0 },
		"ramp":        func(o *Options) { o.Ramp = -1 },
	} {
		o := good
		change(&o)
		_, err := Run(t.Context(), o, nil)
		require.ErrorContains(t, err, "load: want", name)
	}
}

// Whatever the ramp, the pacer sends as many requests as the area under the rate.
func TestRampSendsTheAreaUnderTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := ramp{Options{Rate: rapid.IntRange(1, 500).Draw(t, "rate"), Ramp: time.Duration(rapid.IntRange(1, 20).Draw(t, "ramp")) * time.Second, Duration: 5 * time.Second}}
		hits, elapsed := uint64(0), time.Duration(0)
		for {
			wait, stop := p.Pace(elapsed, hits)
			if stop {
				break
			}
			elapsed += wait
			hits++
		}
		want := float64(p.Options.Rate) * (p.Ramp.Seconds()/2 + 5)
		require.InDelta(t, want, float64(hits), want*.05+3)
	})
}

func TestRampRises(t *testing.T) {
	p := ramp{Options{Rate: 100, Ramp: 10 * time.Second, Duration: time.Second}}
	require.Equal(t, 0.0, p.Rate(0))
	require.Equal(t, 50.0, p.Rate(5*time.Second))
	require.Equal(t, 100.0, p.Rate(time.Minute))
	require.InDelta(t, 125, p.sent(5*time.Second), 1e-9)
	require.InDelta(t, 500, p.sent(10*time.Second), 1e-9)
}
