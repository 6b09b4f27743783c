package grafana

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNewRefusesBadAddresses(t *testing.T) {
	for _, address := range []string{"", "localhost:3000", "ftp://x", "http://", "http://u:pa ss@h\x7f"} {
		_, err := New(address, "")
		require.ErrorContains(t, err, "http://host:3000", address)
		require.NotContains(t, err.Error(), "pa ss")
	}
}

func TestCredentials(t *testing.T) {
	var seen string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, "{}")
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	for _, set := range []struct{ address, auth, want string }{
		{s.URL, "", ""},
		{s.URL, "glsa_x", "Bearer glsa_x"},
		{s.URL, "admin:secret", "Basic YWRtaW46c2VjcmV0"},
		{"http://admin:secret@" + host + "/sub/", "ignored", "Basic YWRtaW46c2VjcmV0"},
	} {
		c, err := New(set.address, set.auth)
		require.NoError(t, err)
		require.NoError(t, c.call(t.Context(), http.MethodGet, "/api/health", nil, nil))
		require.Equal(t, set.want, seen)
		require.NotContains(t, c.String(), "secret")
	}
}

// A server may do what it likes: it costs neither memory nor a secret.
func TestHostileServers(t *testing.T) {
	const secret = "s3cret"
	for name, set := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 2 * MaxAnswer / 1024 {
				if _, err := io.WriteString(w, strings.Repeat("x", 1024)); err != nil {
					return
				}
			}
		}, "larger than"},
		"not JSON":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>"+secret) }, "not an answer of Grafana: <html>***"},
		"elsewhere":         {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://127.0.0.1:1/"+secret, 302) }, "302"},
		"echoes the secret": {func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.Header.Get("Authorization"), 500) }, "500"},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(set.serve)
			defer s.Close()
			c, err := New(s.URL, secret)
			require.NoError(t, err)
			err = c.call(t.Context(), http.MethodGet, "/api/health", nil, &Object{})
			require.ErrorContains(t, err, set.want)
			require.NotContains(t, err.Error(), secret)
			require.Less(t, len(err.Error()), 600)
		})
	}
}

func TestASilentServerIsLeft(t *testing.T) {
	block := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer s.Close()
	defer close(block)
	c, err := New(s.URL, "")
	require.NoError(t, err)
	require.Equal(t, Patience, c.http.Timeout)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, c.call(ctx, http.MethodGet, "/api/health", nil, nil), "deadline exceeded")
}
