// Package grafana looks after a data source, a folder and dashboards in a Grafana
// that runs, through its HTTP API. What is there already is left as it is, what
// differs is brought up to date: it may be done as often as one likes.
//
// The server is not trusted: an answer is read up to MaxAnswer bytes, nothing is
// waited for longer than Patience, redirects are not followed, and credentials
// appear in no error.
package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// Patience is how long a request may take.
	Patience = 30 * time.Second
	// MaxAnswer bounds what is read of one answer, in bytes.
	MaxAnswer = 8 << 20

	maxSaid = 300
)

// Error is a refusal by Grafana.
type Error struct {
	Status  int    // of HTTP
	Message string // Grafana's words
	call    string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", e.call, e.Status, http.StatusText(e.Status), e.Message)
}

// status is that of a refusal, 0 of any other error.
func status(err error) int {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Client talks to one Grafana. Credentials live in a closure only, out of reach of
// anything that prints a Client.
type Client struct {
	base      *url.URL
	http      *http.Client
	authorize func(*http.Request)
	conceal   func(string) string
}

// New checks an address and credentials without contacting the server. auth is
// the token of a service account, or "user:password".
func New(address, auth string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("grafana: the address must look like http://host:3000") // not quoted: it may hold a password
	}
	if u.User != nil {
		auth, u.User = userPassword(u.User), nil
	}
	u.RawQuery, u.Fragment = "", ""
	c := &Client{base: u, authorize: func(r *http.Request) {}, conceal: func(s string) string { return s }}
	c.http = &http.Client{Timeout: Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if auth != "" {
		c.use(auth)
	}
	return c, nil
}

func userPassword(u *url.Userinfo) string {
	password, _ := u.Password()
	return u.Username() + ":" + password
}

func (c *Client) use(auth string) {
	secret := auth
	if user, password, ok := strings.Cut(auth, ":"); ok {
		secret = password
		c.authorize = func(r *http.Request) { r.SetBasicAuth(user, password) }
	} else {
		c.authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+auth) }
	}
	if secret != "" {
		c.conceal = func(s string) string { return strings.ReplaceAll(s, secret, "***") }
	}
}

// String is the address, without credentials.
func (c *Client) String() string { return c.base.String() }

// call does one request. A nil in sends no body, a nil out drops the answer.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	request, err := c.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	what := method + " " + path
	answer, err := c.http.Do(request)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %s", c, c.conceal(err.Error()))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	switch {
	case answer.StatusCode != http.StatusOK:
		return &Error{answer.StatusCode, c.said(text), what}
	case err != nil:
		return fmt.Errorf("%s: %s", what, c.conceal(err.Error()))
	case len(text) > MaxAnswer:
		return fmt.Errorf("%s: the answer is larger than %d bytes", what, MaxAnswer)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: not an answer of Grafana: %s", what, c.said(text))
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	c.authorize(r)
	return r, nil
}

// said is the message of an answer, or its beginning if it is no answer of Grafana.
func (c *Client) said(text []byte) string {
	var refusal struct{ Message string }
	if json.Unmarshal(text, &refusal) != nil || refusal.Message == "" {
		refusal.Message = strings.Join(strings.Fields(string(text)), " ")
	}
	said := []rune(c.conceal(strings.ToValidUTF8(refusal.Message, "?")))
	return string(said[:min(len(said), maxSaid)])
}
