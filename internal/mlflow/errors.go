package mlflow

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxSnippet bounds what an error quotes of a server's answer, in runes.
const maxSnippet = 300

// MLflow's error codes that this client acts on.
const (
	codeNotFound = "RESOURCE_DOES_NOT_EXIST"
	codeExists   = "RESOURCE_ALREADY_EXISTS"
)

// Error is an answer of the server other than success.
type Error struct {
	Op      string // what was asked, such as "POST runs/create"
	Status  int    // HTTP status
	Code    string // MLflow's error_code; empty when the answer is not MLflow's JSON
	Message string // MLflow's message, or the start of whatever came instead
	wait    string // Retry-After
}

// Error says what was asked, what came back and, where it is known, what to do.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: HTTP %d", e.Op, e.Status)
	for _, part := range []string{e.Code, e.Message, e.hint()} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

func (e *Error) hint() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
	case e.Status == http.StatusForbidden && strings.Contains(e.Message, "Invalid Host header"):
		return "start the server with --allowed-hosts"
	}
	return ""
}

// newError reads MLflow's JSON error, or quotes the body where it is none.
func (c *Client) newError(op string, resp *http.Response, body []byte) *Error {
	var said struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil || said.Code == "" {
		said.Code, said.Message = "", string(body)
	}
	return &Error{
		Op:      op,
		Status:  resp.StatusCode,
		Code:    c.quote(said.Code),
		Message: c.quote(said.Message),
		wait:    resp.Header.Get("Retry-After"),
	}
}

// failure is a request that got no answer.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

// newFailure drops the outer layer of http.Client's errors: it repeats the request,
// or shows the address to which a hostile server pointed.
func (c *Client) newFailure(op string, err error) *failure {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return &failure{text: op + ": no answer from " + c.String() + ": " + c.quote(err.Error()), cause: err}
}

// unusable is an error about an answer that this client cannot or will not use.
func (c *Client) unusable(what, said string) error {
	return fmt.Errorf("%w: %s: %s", errAnswer, what, c.quote(said))
}

// retryAfter returns the wait that the server asked for, 0 for none.
func (e *Error) retryAfter(now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(e.wait, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(e.wait); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

func hasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// noEndpoint tells a server that lacks the endpoint from one that lacks the resource.
func noEndpoint(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code != codeNotFound
}

// transient tells whether the same request may succeed later. No answer may mean
// that the server is just starting; a refused redirect or certificate stays refused.
func transient(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		var silent *failure
		var certificate *tls.CertificateVerificationError
		return errors.As(err, &silent) && !errors.Is(err, errRedirect) && !errors.As(err, &certificate)
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// quote makes a server's text fit for errors and logs: without the credentials that
// a hostile server or a debugging proxy may echo, printable, on one line, short.
func (c *Client) quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, c.redact(s))
	return cut(strings.Join(strings.Fields(s), " "), maxSnippet)
}

// cut shortens s to at most n runes, the last of which then is an ellipsis.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// redactor returns a function that hides the credentials of cfg in any text.
func redactor(cfg Config) func(string) string {
	pairs := []string{}
	hide := func(s string) {
		if s != "" {
			pairs = append(pairs, s, "***")
		}
	}
	if cfg.Username != "" && cfg.Password != "" {
		hide(basic(cfg.Username, cfg.Password))
	}
	for _, s := range []Secret{cfg.Password, cfg.Token} {
		hide(string(s))
		hide(url.QueryEscape(string(s)))
		hide(url.PathEscape(string(s)))
	}
	return strings.NewReplacer(pairs...).Replace
}

func basic(user, password Secret) string {
	return base64.StdEncoding.EncodeToString([]byte(string(user) + ":" + string(password)))
}
