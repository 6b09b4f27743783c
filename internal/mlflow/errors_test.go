package mlflow

import (
	"io"
	"log"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestErrorText(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		code   string
		want   string
	}{
		"MLflow's JSON":  {400, `{"error_code":"INVALID_PARAMETER_VALUE","message":"no"}`, "INVALID_PARAMETER_VALUE", "POST ping: HTTP 400: INVALID_PARAMETER_VALUE: no"},
		"no message":     {404, `{"error_code":"ENDPOINT_NOT_FOUND"}`, "ENDPOINT_NOT_FOUND", "POST ping: HTTP 404: ENDPOINT_NOT_FOUND"},
		"HTML":           {502, "<html>\n <h1>Bad gateway</h1>", "", "POST ping: HTTP 502: <html> <h1>Bad gateway</h1>"},
		"nothing":        {418, "", "", "POST ping: HTTP 418"},
		"other JSON":     {503, `{"detail":"artifacts off"}`, "", `POST ping: HTTP 503: {"detail":"artifacts off"}`},
		"wrong types":    {400, `{"error_code":7}`, "", `POST ping: HTTP 400: {"error_code":7}`},
		"who are you":    {401, "", "", "POST ping: HTTP 401: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"},
		"unlisted host":  {403, "Invalid Host header - possible DNS rebinding attack detected", "", "POST ping: HTTP 403: Invalid Host header - possible DNS rebinding attack detected: start the server with --allowed-hosts"},
		"not permitted":  {403, `{"error_code":"PERMISSION_DENIED"}`, "PERMISSION_DENIED", "POST ping: HTTP 403: PERMISSION_DENIED"},
		"not authorised": {401, `{"error_code":"X"}`, "X", "POST ping: HTTP 401: X: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			})
			err := ping(t.Context(), c)
			require.EqualError(t, err, tc.want)
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tc.status, e.Status)
			require.Equal(t, tc.code, e.Code)
		})
	}
}

func TestNoEndpointIsNotNoResource(t *testing.T) {
	require.True(t, noEndpoint(&Error{Status: 404}))
	require.True(t, noEndpoint(&Error{Status: 404, Code: "ENDPOINT_NOT_FOUND"}))
	require.False(t, noEndpoint(&Error{Status: 404, Code: codeNotFound}))
	require.False(t, noEndpoint(&Error{Status: 500}))
	require.False(t, noEndpoint(nil))
}

func TestCut(t *testing.T) {
	require.Equal(t, "ééé", cut("ééé", 3))
	require.Equal(t, "éé…", cut("éééé", 3))
	rapid.Check(t, func(t *rapid.T) {
		s, n := rapid.String().Draw(t, "s"), rapid.IntRange(1, 20).Draw(t, "n")
		short := cut(s, n)
		require.LessOrEqual(t, utf8.RuneCountInString(short), n)
		require.Equal(t, short, cut(short, n))
		if utf8.RuneCountInString(s) <= n {
			require.Equal(t, s, short)
		}
	})
}
