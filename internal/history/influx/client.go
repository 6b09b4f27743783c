// Package influx copies history out of InfluxDB into line protocol.
//
// InfluxQL over /query serves 1.x, 2.x (through a DBRP mapping) and 3 Core; Flux
// over /api/v2/query serves a 2.x without a mapping. The server is not trusted:
// an answer is read up to MaxAnswer bytes and token by token, nothing is waited
// for longer than Patience, redirects are not followed, and credentials appear in
// no error and no log.
package influx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// Patience is how long nothing at all may come of a request, retries included.
	Patience = 30 * time.Second
	// MaxAnswer bounds what is read of one answer, in bytes.
	MaxAnswer = 6 << 20

	maxSnippet = 300
	firstPause = 500 * time.Millisecond
)

// Errors that callers tell apart.
var (
	ErrLarge = errors.New("influx: answer is too large")
	ErrAuth  = errors.New("influx: access denied")
)

// Secret is a credential. It prints as "***".
type Secret string

// Format implements fmt.Formatter.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// Config says where the history is.
type Config struct {
	URL       string
	Database  string // the bucket, with Flux
	Retention string // retention policy of a 1.x, "" for the default one
	Org       string // of Flux
	Flux      bool

	Token              Secret
	Username, Password Secret
}

// Client talks to one server.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New checks c without contacting the server. Credentials in the URL are taken
// out of it.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("influx: the address must look like http://host:8086") // not quoted: it may hold a password
	}
	if u.User != nil {
		password, _ := u.User.Password()
		c.Username, c.Password = Secret(u.User.Username()), Secret(password)
		u.User = nil
	}
	if c.Flux && c.Org == "" {
		return nil, errors.New("influx: Flux needs an organisation, see --org or INFLUX_ORG")
	}
	u.Path, u.RawQuery, u.Fragment = strings.TrimSuffix(u.Path, "/"), "", ""
	c.URL = u.String()
	return &Client{config: c, base: u, http: &http.Client{
		Timeout:       Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// String is the address, without credentials.
func (c *Client) String() string { return c.config.URL }

// post sends a query and returns the body of a good answer, bounded. It tries
// again while the server is busy, as long as ctx lets it.
func (c *Client) post(ctx context.Context, path string, query url.Values, contentType, body string) (io.ReadCloser, error) {
	pause := firstPause
	for {
		answer, retry, err := c.try(ctx, path, query, contentType, body)
		if err == nil || retry < 0 {
			return answer, err
		}
		wait := max(retry, pause+time.Duration(rand.Int64N(int64(pause))))
		pause *= 2
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return nil, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// try returns how long the server asks to wait; below 0 there is no use in it.
func (c *Client) try(ctx context.Context, path string, query url.Values, contentType, body string) (io.ReadCloser, time.Duration, error) {
	u := *c.base
	u.Path += path
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, -1, c.wrap(err)
	}
	request.Header.Set("Content-Type", contentType)
	c.authorize(request)
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, -1, c.wrap(err)
	}
	if answer.StatusCode == http.StatusOK {
		return &bounded{ReadCloser: answer.Body, left: MaxAnswer}, -1, nil
	}
	defer answer.Body.Close()
	return nil, busy(answer), c.refusal(answer)
}

func (c *Client) authorize(r *http.Request) {
	switch {
	case c.config.Token != "":
		r.Header.Set("Authorization", "Token "+string(c.config.Token))
	case c.config.Username != "":
		r.SetBasicAuth(string(c.config.Username), string(c.config.Password))
	}
}

// busy is how long to wait before another try, -1 if none would help.
func busy(answer *http.Response) time.Duration {
	if answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode < 500 {
		return -1
	}
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func (c *Client) refusal(answer *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxSnippet)) // as much as there is
	said := c.conceal(strings.ToValidUTF8(strings.TrimSpace(string(text)), "?"))
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w by %s (%s): %s; set INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD", ErrAuth, c, answer.Status, said)
	case code >= 300 && code < 400:
		return fmt.Errorf("influx: %s redirects to another address (%s); give that one", c, answer.Status)
	default:
		return fmt.Errorf("influx: %s answers %s: %s", c, answer.Status, said)
	}
}

// wrap keeps what a server or a library echoes from showing a credential.
func (c *Client) wrap(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // its URL holds the query, which helps nobody
	}
	return fmt.Errorf("influx: %s: %w", c, &concealed{err, c.conceal(err.Error())})
}

type concealed struct {
	error
	text string
}

func (c *concealed) Error() string { return c.text }
func (c *concealed) Unwrap() error { return c.error }

func (c *Client) conceal(text string) string {
	for _, s := range []Secret{c.config.Token, c.config.Password} {
		if s != "" {
			text = strings.ReplaceAll(text, string(s), "***")
		}
	}
	return text
}

// bounded fails with ErrLarge where an answer goes on and on.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
