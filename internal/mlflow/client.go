package mlflow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// OperationTimeout bounds an upload whose context has no deadline.
	OperationTimeout = 30 * time.Second
	// MaxResponse bounds what is read of one answer, in bytes.
	MaxResponse = 4 << 20

	maxHeader    = 64 << 10
	maxRedirects = 5
)

var (
	errRedirect = errors.New("redirect refused")
	errAnswer   = errors.New("unusable answer")
)

// Client talks to one tracking server. It is safe for concurrent use. Credentials
// live in closures only, out of reach of anything that prints a Client.
type Client struct {
	base   *url.URL
	http   *http.Client
	auth   func(*http.Request)
	redact func(string) string
	cfg    Config // without credentials
}

// New checks cfg and returns its client without contacting the server. It fails
// with [ErrNotConfigured] when cfg names no server.
func New(cfg Config) (*Client, error) {
	base, err := cfg.endpoint()
	if err != nil {
		return nil, err
	}
	transport, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	if cfg.RunID != "" && !identifier.MatchString(cfg.RunID) {
		return nil, errors.New("mlflow: MLFLOW_RUN_ID is not a run id")
	}
	c := &Client{base: base, auth: cfg.authenticator(), redact: redactor(cfg)}
	c.http = &http.Client{Transport: transport, CheckRedirect: c.sameServer}
	cfg.TrackingURI, cfg.Username, cfg.Password, cfg.Token = "", "", "", ""
	cfg.Timeout = cmp.Or(cfg.Timeout, OperationTimeout)
	c.cfg = cfg
	return c, nil
}

// String returns the server's address, without credentials.
func (c *Client) String() string { return c.base.String() }

// sameServer follows a redirect only where it cannot carry credentials or data
// elsewhere, nor turn a POST into a GET.
func (c *Client) sameServer(r *http.Request, via []*http.Request) error {
	from := via[0]
	switch {
	case r.URL.Scheme != from.URL.Scheme || r.URL.Host != from.URL.Host:
		return fmt.Errorf("%w: to %s: if that is the server, put it into MLFLOW_TRACKING_URI",
			errRedirect, c.quote(r.URL.Scheme+"://"+r.URL.Host))
	case r.Method != from.Method:
		return fmt.Errorf("%w: it turns %s into %s", errRedirect, from.Method, r.Method)
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: more than %d", errRedirect, maxRedirects)
	}
	return nil
}

// api calls one endpoint of the tracking API, with retries. A nil in sends no body,
// a nil out drops the answer.
func (c *Client) api(ctx context.Context, method, path string, in, out any) error {
	return c.retry(ctx, func(ctx context.Context) error { return c.apiOnce(ctx, method, path, in, out) })
}

func (c *Client) apiOnce(ctx context.Context, method, path string, in, out any) error {
	req, err := c.apiRequest(ctx, method, path, in)
	if err != nil {
		return err
	}
	path, _, _ = strings.Cut(path, "?")
	op := method + " " + path
	answer, err := c.send(req, op)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return c.unusable(op+": not MLflow's JSON ("+c.quote(err.Error())+")", string(answer))
	}
	return nil
}

func (c *Client) apiRequest(ctx context.Context, method, path string, in any) (*http.Request, error) {
	path, query, _ := strings.Cut(path, "?")
	address := c.base.JoinPath("api/2.0/mlflow", path)
	address.RawQuery = query
	if in == nil {
		return http.NewRequestWithContext(ctx, method, address.String(), nil)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(text))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}

// send does one request and returns the body of a successful answer.
func (c *Client) send(req *http.Request, op string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.cfg.Timeout)
	defer cancel()
	req = req.WithContext(ctx)
	c.auth(req)
	req.Header.Set("User-Agent", "telegraf-anomaly")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.newFailure(op, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxResponse+1))
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, c.newError(op, resp, body)
	case err != nil:
		return nil, c.newFailure(op, err)
	case len(body) > MaxResponse:
		return nil, fmt.Errorf("%s: %w: more than %d bytes", op, errAnswer, MaxResponse)
	}
	return body, nil
}

// retry tries until success, a final error, the last try, or until the next try
// would begin after the deadline.
func (c *Client) retry(ctx context.Context, try func(context.Context) error) error {
	for n := 0; ; n++ {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if !transient(err) || n == c.cfg.MaxRetries || !sleep(ctx, c.pause(n, err)) {
			return triedTimes(n+1, err)
		}
	}
}

// ensure finds a thing or creates it, as one step that is retried: a creation that
// seems to have failed may not have. Unless unseen, it may exist from the start.
func (c *Client) ensure(ctx context.Context, unseen bool, find func(context.Context) (bool, error), create func(context.Context) error) error {
	return c.retry(ctx, func(ctx context.Context) error {
		if !unseen {
			if found, err := find(ctx); found || err != nil {
				return err
			}
		}
		unseen = false
		return create(ctx)
	})
}

func triedTimes(n int, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("%w (tried %d times)", err, n)
}

// pause is the wait before retry n = 0, 1, …
func (c *Client) pause(n int, err error) time.Duration {
	wait := c.cfg.BackoffFactor<<n + rand.N(c.cfg.BackoffJitter+1)
	var e *Error
	if c.cfg.RespectRetryAfter && errors.As(err, &e) {
		wait = max(wait, e.retryAfter(time.Now()))
	}
	return wait
}

// sleep waits for d. It returns false, at once, when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(deadline) <= d {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
