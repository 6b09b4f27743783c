package mlflow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering is a transport whose answers are the given ones, in turn, then success.
func answering(tries *int, answers ...*http.Response) transportFunc {
	return func(*http.Request) (*http.Response, error) {
		*tries++
		if *tries > len(answers) {
			return answer(200, "{}", ""), nil
		}
		return answers[*tries-1], nil
	}
}

func answer(status int, body, retryAfter string) *http.Response {
	h := http.Header{}
	if retryAfter != "" {
		h.Set("Retry-After", retryAfter)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func testClient(t *testing.T, cfg Config) *Client {
	if cfg.TrackingURI == "" {
		cfg.TrackingURI = "http://tracking.invalid"
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

func ping(ctx context.Context, c *Client) error {
	return c.api(ctx, http.MethodPost, "ping", object{}, &object{})
}

func TestRetries(t *testing.T) {
	defaults := defaults(t)
	defaults.BackoffJitter = 0
	impatient := defaults
	impatient.RespectRetryAfter = false
	for name, tc := range map[string]struct {
		cfg     Config
		answers []*http.Response
		limit   time.Duration // of the operation, default 30 s
		tries   int
		wait    time.Duration
		problem string
	}{
		"success":                      {cfg: defaults, tries: 1},
		"429 without Retry-After":      {cfg: defaults, answers: statuses(429), tries: 2, wait: 1 * time.Second},
		"429 with Retry-After":         {cfg: defaults, answers: []*http.Response{answer(429, "", "7")}, tries: 2, wait: 7 * time.Second},
		"a short Retry-After":          {cfg: defaults, answers: []*http.Response{answer(429, "", "0")}, tries: 2, wait: 1 * time.Second},
		"Retry-After not respected":    {cfg: impatient, answers: []*http.Response{answer(429, "", "7")}, tries: 2, wait: 1 * time.Second},
		"Retry-After beyond the limit": {cfg: defaults, answers: []*http.Response{answer(503, "", "3600")}, tries: 1, wait: 0, problem: "HTTP 503"},
		"Retry-After is a date":        {cfg: defaults, answers: []*http.Response{answer(503, "", "Sat, 01 Jan 2000 00:00:09 GMT")}, tries: 2, wait: 9 * time.Second},
		"Retry-After is nonsense":      {cfg: defaults, answers: []*http.Response{answer(503, "", "soon")}, tries: 2, wait: 1 * time.Second},
		"Retry-After overflows":        {cfg: defaults, answers: []*http.Response{answer(503, "", "99999999999999999999")}, tries: 2, wait: 1 * time.Second},
		"growing waits":                {cfg: defaults, answers: statuses(500, 502, 504), tries: 4, wait: 7 * time.Second},
		"all tries used":               {cfg: defaults, answers: statuses(500, 502, 503, 504), tries: 4, wait: 7 * time.Second, problem: "HTTP 504 (tried 4 times)"},
		"deadline before next try":     {cfg: defaults, answers: statuses(500, 500, 500), limit: 2 * time.Second, tries: 2, wait: 1 * time.Second, problem: "HTTP 500 (tried 2 times)"},
		"408":                          {cfg: defaults, answers: statuses(408), tries: 2, wait: 1 * time.Second},
		"400 is final":                 {cfg: defaults, answers: statuses(400), tries: 1, problem: "HTTP 400"},
		"501 is final":                 {cfg: defaults, answers: statuses(501), tries: 1, problem: "HTTP 501"},
		"HTML is final":                {cfg: defaults, answers: []*http.Response{answer(200, "<html>log in</html>", "")}, tries: 1, problem: "<html>log in</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testClient(t, tc.cfg)
				tries := 0
				c.http.Transport = answering(&tries, tc.answers...)
				if tc.limit == 0 {
					tc.limit = OperationTimeout
				}
				ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
				defer cancel()
				start := time.Now()
				err := ping(ctx, c)
				if tc.problem == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, tc.problem)
				}
				require.Equal(t, tc.tries, tries)
				require.Equal(t, tc.wait, time.Since(start))
			})
		})
	}
}

func statuses(codes ...int) []*http.Response {
	list := []*http.Response{}
	for _, code := range codes {
		list = append(list, answer(code, "", ""))
	}
	return list
}

func TestJitterSpreadsTheWaits(t *testing.T) {
	c := testClient(t, Config{BackoffFactor: time.Second, BackoffJitter: time.Second})
	seen := map[time.Duration]bool{}
	for range 100 {
		wait := c.pause(1, &failure{})
		require.GreaterOrEqual(t, wait, 2*time.Second)
		require.LessOrEqual(t, wait, 3*time.Second)
		seen[wait] = true
	}
	require.Greater(t, len(seen), 90)
}

func TestServerThatIsAway(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c := testClient(t, Config{TrackingURI: Secret(server.URL), MaxRetries: 2})
	err := ping(t.Context(), c)
	require.ErrorContains(t, err, "POST ping: no answer from "+server.URL)
	require.ErrorContains(t, err, "refused (tried 3 times)")
}

// serve starts a server with the given behaviour and returns its client, and how
// often it was called.
func serve(t *testing.T, cfg Config, handler http.HandlerFunc) (*Client, *atomic.Int32) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	cfg.TrackingURI = Secret(server.URL)
	c := testClient(t, cfg)
	t.Cleanup(c.http.CloseIdleConnections)
	return c, &calls
}

func TestSlowLorisEndsWithTheTimeOut(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	}
	t.Run("of one request", func(t *testing.T) {
		c, calls := serve(t, Config{Timeout: 50 * time.Millisecond, MaxRetries: 1}, drip)
		require.ErrorIs(t, ping(t.Context(), c), context.DeadlineExceeded)
		require.EqualValues(t, 2, calls.Load())
	})
	t.Run("of the operation", func(t *testing.T) {
		c, calls := serve(t, Config{MaxRetries: 5}, drip)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, ping(ctx, c), context.DeadlineExceeded)
		require.EqualValues(t, 1, calls.Load())
	})
}

func TestEndlessAnswerCostsLittleMemory(t *testing.T) {
	chunk := make([]byte, 1<<20)
	var sent atomic.Int64
	pour := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			for range 10 << 10 { // 10 GiB
				if _, err := w.Write(chunk); err != nil {
					return
				}
				sent.Add(int64(len(chunk)))
			}
		}
	}
	for _, status := range []int{200, 400} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			sent.Store(0)
			c, calls := serve(t, Config{MaxRetries: 3}, pour(status))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := ping(t.Context(), c)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Less(t, len(err.Error()), 2*maxSnippet)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "bytes allocated in all")
			require.EqualValues(t, 1, calls.Load(), "asking again would not help")
			c.http.CloseIdleConnections()
			require.Less(t, sent.Load(), int64(64<<20))
		})
	}
}

func TestEndlessHeadersAreCut(t *testing.T) {
	c, _ := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", maxHeader+1))
	})
	require.ErrorContains(t, ping(t.Context(), c), "no answer")
}

func TestAnswerThatBreaksOff(t *testing.T) {
	c, calls := serve(t, Config{MaxRetries: 1}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
	})
	require.ErrorIs(t, ping(t.Context(), c), io.ErrUnexpectedEOF)
	require.EqualValues(t, 2, calls.Load())
}

func TestRedirects(t *testing.T) {
	elsewhere, stolen := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("{}")) })
	for name, tc := range map[string]struct {
		status  int
		to      string
		problem string
	}{
		"same server":           {status: 307, to: "/elsewhere"},
		"same server for good":  {status: 308, to: "/elsewhere"},
		"another host":          {status: 307, to: elsewhere.String(), problem: "redirect refused: to " + elsewhere.String()},
		"another scheme":        {status: 307, to: "https://HOST/", problem: "redirect refused: to https://"},
		"no scheme of the web":  {status: 307, to: "file:///etc/passwd", problem: "redirect refused: to file://"},
		"POST to GET":           {status: 302, to: "/elsewhere", problem: "redirect refused: it turns POST into GET"},
		"in circles":            {status: 307, to: "/api/2.0/mlflow/ping", problem: "redirect refused: more than 5"},
		"broken location":       {status: 307, to: "http://[::1", problem: "no answer"},
		"login page of a proxy": {status: 302, to: elsewhere.String() + "/login", problem: "put it into MLFLOW_TRACKING_URI"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, Config{Token: "s3cr3t"}, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					_, _ = w.Write([]byte("{}"))
					return
				}
				w.Header().Set("Location", strings.ReplaceAll(tc.to, "HOST", r.Host))
				w.WriteHeader(tc.status)
			})
			err := ping(t.Context(), c)
			if tc.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.problem)
			require.Zero(t, stolen.Load(), "the other server was never asked")
		})
	}
}

func TestRedirectIsNotRetried(t *testing.T) {
	c, calls := serve(t, Config{MaxRetries: 3}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://other.invalid/", http.StatusPermanentRedirect)
	})
	require.ErrorIs(t, ping(t.Context(), c), errRedirect)
	require.EqualValues(t, 1, calls.Load())
}

func TestPathOfTheTrackingURIIsKept(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	c := testClient(t, Config{TrackingURI: Secret(server.URL + "/tracking/")})
	defer c.http.CloseIdleConnections()
	require.NoError(t, ping(t.Context(), c))
	require.Equal(t, "/tracking/api/2.0/mlflow/ping", path)
}
