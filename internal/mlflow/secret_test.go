package mlflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	user     = "trainer"
	password = `pa"ss/w ö`
	token    = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"
)

// leaks lists the credentials, in any of their encodings, that text shows.
func leaks(text string) (found []string) {
	for _, s := range []string{password, token, basic(user, password), "pa%22ss%2Fw%20%C3%B6", "pa%22ss%2Fw+%C3%B6"} {
		if strings.Contains(text, s) {
			found = append(found, s)
		}
	}
	return found
}

func TestAuthorization(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		uri  string
		want string
	}{
		"none":                       {want: ""},
		"token":                      {cfg: Config{Token: token}, want: "Bearer " + token},
		"user and password win":      {cfg: Config{Username: user, Password: password, Token: token}, want: "Basic " + basic(user, password)},
		"user alone does not":        {cfg: Config{Username: user, Token: token}, want: "Bearer " + token},
		"in the URI":                 {uri: "trainer:pa%22ss%2Fw%20%C3%B6@", want: "Basic " + basic(user, password)},
		"environment before the URI": {cfg: Config{Username: user, Password: password}, uri: "a:b@", want: "Basic " + basic(user, password)},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			seen, _ := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Get("Authorization")
				_, _ = w.Write([]byte("{}"))
			})
			tc.cfg.TrackingURI = Secret(strings.Replace(seen.String(), "://", "://"+tc.uri, 1))
			c := testClient(t, tc.cfg)
			defer c.http.CloseIdleConnections()
			require.NoError(t, ping(t.Context(), c))
			require.Equal(t, tc.want, got)
			require.NotContains(t, c.String(), "@")
		})
	}
}

func TestNothingPrintsACredential(t *testing.T) {
	cfg := Config{TrackingURI: "http://trainer:pa%22ss%2Fw%20%C3%B6@tracking.invalid", Username: user, Password: password, Token: token}
	c := testClient(t, cfg)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("hi", "cfg", cfg, "secret", cfg.Token, "client", c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("hi", "cfg", cfg, "secret", cfg.Token, "client", c)
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	log.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, verb+verb+verb+verb, cfg, &cfg, c, *c)
		fmt.Fprintf(&log, verb, cfg.Password)
	}
	require.Empty(t, leaks(log.String()))
	require.NotContains(t, log.String(), fmt.Sprintf("%x", token))
	require.Equal(t, "***", fmt.Sprint(cfg.Token))
}

// A server that echoes what it was sent, wherever it can, does not get it into an error.
func TestNoErrorShowsACredential(t *testing.T) {
	long := strings.Repeat("x", maxSnippet-10) // so that a cut would split the credential
	for name, reply := range map[string]func(w http.ResponseWriter, said string){
		"body":       func(w http.ResponseWriter, said string) { w.WriteHeader(400); fmt.Fprint(w, said) },
		"body, cut":  func(w http.ResponseWriter, said string) { w.WriteHeader(400); fmt.Fprint(w, long+said) },
		"message":    func(w http.ResponseWriter, said string) { w.WriteHeader(400); echoJSON(w, "message", said) },
		"error code": func(w http.ResponseWriter, said string) { w.WriteHeader(400); echoJSON(w, "error_code", said) },
		"not JSON":   func(w http.ResponseWriter, said string) { fmt.Fprint(w, said) },
		"experiment id": func(w http.ResponseWriter, said string) {
			fmt.Fprintf(w, `{"experiment":{"experiment_id":%q}}`, long+said)
		},
		"redirect":          func(w http.ResponseWriter, said string) { redirect(w, "http://"+said+".invalid/") },
		"redirect, in path": func(w http.ResponseWriter, said string) { redirect(w, "http://x.invalid/"+said) },
		"status line":       func(w http.ResponseWriter, said string) { raw(w, "HTTP/1.1 "+said+"\r\n\r\n") },
		"header":            func(w http.ResponseWriter, said string) { raw(w, "HTTP/1.1 200 OK\r\n"+said+"\r\n\r\n") },
		"no HTTP":           func(w http.ResponseWriter, said string) { raw(w, said+"\r\n\r\n") },
	} {
		for _, cfg := range []Config{{Token: token}, {Username: user, Password: password}} {
			t.Run(name, func(t *testing.T) {
				c, _ := serve(t, cfg, func(w http.ResponseWriter, r *http.Request) {
					_, said, _ := strings.Cut(r.Header.Get("Authorization"), " ")
					reply(w, said)
				})
				_, _, err := Upload(t.Context(), c, sample())
				require.Error(t, err)
				require.Empty(t, leaks(err.Error()))
				require.Less(t, len(err.Error()), 1000)
				var e *Error
				if errors.As(err, &e) {
					require.Empty(t, leaks(fmt.Sprintf("%+v", *e)))
				}
			})
		}
	}
}

func echoJSON(w http.ResponseWriter, key, said string) {
	_ = json.NewEncoder(w).Encode(map[string]string{"error_code": "X", key: said})
}

func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func raw(w http.ResponseWriter, text string) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	_, _ = conn.Write([]byte(text))
	conn.Close()
}

func TestErrorsAreOneShortPrintableLine(t *testing.T) {
	c, _ := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, "a\nb\x1b[31m\u202e", strings.Repeat("é", 10_000))
	})
	err := ping(t.Context(), c)
	require.Regexp(t, `^POST ping: HTTP 409: a b \[31m é+…$`, err.Error())
	require.NotContains(t, err.Error(), "\n")
}
