package mlflow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// inMemory calls a server without a network, so that time can be simulated.
func inMemory(h http.Handler) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		if r.Body == nil {
			r.Body = http.NoBody
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result(), nil
	}
}

// slowly delays a transport, as long as the request lasts.
func slowly(next http.RoundTripper, delay time.Duration) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(delay):
			return next.RoundTrip(r)
		}
	}
}

// dripping is a body of one byte per second without end.
type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}

func (dripping) Close() error { return nil }

func newMemoryFake() *fake {
	return &fake{state: fakeState{Aliases: map[string]string{}, Files: map[string]string{}}}
}

// defaults is the configuration of a user who named nothing but the server.
func defaults(t *testing.T) Config {
	cfg, err := fromEnv(map[string]string{"MLFLOW_TRACKING_URI": "http://tracking.invalid"})
	require.NoError(t, err)
	return cfg
}

// Whatever a server does to gain time, an upload from the spool ends within 30
// seconds, and the run is still there.
func TestAHostileServerCostsAtMost30Seconds(t *testing.T) {
	status := func(code int, retryAfter string) transportFunc {
		return func(*http.Request) (*http.Response, error) { return answer(code, "", retryAfter), nil }
	}
	for name, server := range map[string]transportFunc{
		"silence":                  slowly(nil, time.Hour),
		"a day per answer":         slowly(status(200, ""), 24*time.Hour),
		"nine seconds per refusal": slowly(status(503, ""), 9*time.Second),
		"ask again at once":        status(429, "0"),
		"ask again in a second":    status(429, "1"),
		"ask again in an hour":     status(429, "3600"),
		"one byte per second": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: dripping{r.Context()}}, nil
		},
		"one byte per second of an error": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 500, Body: dripping{r.Context()}}, nil
		},
		"progress, but at 16 seconds per call": slowly(inMemory(newMemoryFake()), 16*time.Second),
	} {
		for _, cfg := range []Config{defaults(t), insistent(t)} {
			t.Run(fmt.Sprintf("%s/%d retries", name, cfg.MaxRetries), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					spool := Spool(t.TempDir())
					id, err := spool.Add(sample())
					require.NoError(t, err)
					c := testClient(t, cfg)
					c.http.Transport = server
					start := time.Now()
					_, _, err = spool.Upload(context.Background(), c, id)
					require.Error(t, err)
					require.LessOrEqual(t, time.Since(start), OperationTimeout)
					require.Equal(t, []string{id}, pending(t, spool))
				})
			})
		}
	}
}

// insistent is the most patient configuration that the environment can ask for.
func insistent(t *testing.T) Config {
	cfg := defaults(t)
	cfg.MaxRetries, cfg.Timeout = 10, time.Hour
	return cfg
}

// A slow but honest server gets the run in several goes, each of which continues
// where the one before ran out of time.
func TestASlowServerIsServedInSeveralGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		undisturbed, slow := newMemoryFake(), newMemoryFake()
		c := testClient(t, defaults(t))
		c.http.Transport = inMemory(undisturbed)
		_, _, err := Upload(t.Context(), c, sample())
		require.NoError(t, err)

		c.http.Transport = slowly(inMemory(slow), 3*time.Second/2)
		goes := 1
		for ; goes < 10; goes++ {
			if _, _, err = Upload(t.Context(), c, sample()); err == nil {
				break
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.NoError(t, err)
		require.Greater(t, goes, 1)
		require.Equal(t, undisturbed.snapshot(t), slow.snapshot(t))
	})
}

// The caller's deadline replaces the default one, in both directions.
func TestTheCallersDeadlineWins(t *testing.T) {
	for _, limit := range []time.Duration{time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := testClient(t, insistent(t))
			c.http.Transport = slowly(nil, 24*time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			start := time.Now()
			_, _, err := Upload(ctx, c, sample())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, limit, time.Since(start))
		})
	}
}

// An endless answer to any one call of an upload costs little memory.
func TestEndlessAnswersDuringAnUpload(t *testing.T) {
	undisturbed := newFake(t)
	_, _, err := Upload(t.Context(), undisturbed.client(t), sample())
	require.NoError(t, err)
	chunk := strings.Repeat(" ", 1<<20)
	for n, call := range undisturbed.calls {
		t.Run(call, func(t *testing.T) {
			f := failingAt(t, n, false, func(w http.ResponseWriter) {
				for range 10 << 10 { // 10 GiB
					if _, err := io.WriteString(w, chunk); err != nil {
						return
					}
				}
			})
			c := f.client(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Upload(t.Context(), c, sample())
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, errAnswer)
			require.ErrorContains(t, err, "more than 4194304 bytes")
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "bytes allocated in all")
		})
	}
}

// Several trainers share an experiment and a registered model.
func TestTrainersAtOnce(t *testing.T) {
	const trainers = 8
	f := newFake(t)
	c := f.client(t)
	versions := make([]string, trainers)
	var all sync.WaitGroup
	for i := range trainers {
		all.Go(func() {
			run := sample()
			run.ID = fmt.Sprint("trainer-", i)
			_, version, err := Upload(t.Context(), c, run)
			if err == nil {
				versions[i] = version
			}
		})
	}
	all.Wait()
	require.ElementsMatch(t, []string{"1", "2", "3", "4", "5", "6", "7", "8"}, versions)
	require.Len(t, f.state.Experiments, 1)
	require.Len(t, f.state.Registered, 1)
	require.Len(t, f.state.Runs, trainers*3)
}

// A run that failed or was killed is tracked as such.
func TestStatusOfARun(t *testing.T) {
	for _, status := range []Status{Finished, Failed, Killed} {
		f := newFake(t)
		run := sample()
		run.Status = status
		for range 2 {
			_, _, err := Upload(t.Context(), f.client(t), run)
			require.NoError(t, err)
		}
		require.Equal(t, string(status), f.state.Runs[0].Status)
		require.Len(t, f.state.Runs, 3)
	}
}
