package datacenter

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func serve(t *testing.T) string {
	t.Helper()
	c, err := New(small, time.Now())
	require.NoError(t, err)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, url string, header ...string) (status int, contentType, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	return answer(t, request)
}

func post(t *testing.T, url, body string) (status int, answered string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	status, _, answered = answer(t, request)
	return status, answered
}

func answer(t *testing.T, request *http.Request) (status int, contentType, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

func TestMetricsAsJSON(t *testing.T) {
	status, kind, body := get(t, serve(t)+"/metrics")
	require.Equal(t, 200, status)
	require.Equal(t, "application/json", kind)
	var readings []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &readings))
	require.Len(t, readings, 3)
	require.Equal(t, "host0001", readings[0]["host"])
	for _, key := range []string{"timestamp", "cpu", "memory", "network"} {
		require.IsType(t, 0.0, readings[0][key], key)
	}
}

func TestMetricsAsLineProtocol(t *testing.T) {
	url := serve(t)
	for name, ask := range map[string]func() (int, string, string){
		"by parameter": func() (int, string, string) { return get(t, url+"/metrics?format=influx") },
		"by header":    func() (int, string, string) { return get(t, url+"/metrics", "Accept", "text/plain") },
	} {
		t.Run(name, func(t *testing.T) {
			status, kind, body := ask()
			require.Equal(t, 200, status)
			require.Equal(t, "text/plain; charset=utf-8", kind)
			require.Regexp(t, `^(system_metrics,host=host\d{4} cpu=[\d.]+,memory=[\d.]+,network=[\d.]+ \d{19}\n){3}$`, body)
		})
	}
}

func TestMetricsInAFormatThatNobodyKnows(t *testing.T) {
	status, _, body := get(t, serve(t)+"/metrics?format=xml")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "use json or influx")
}

func TestHistoryAndHealth(t *testing.T) {
	url := serve(t)
	_, _, body := get(t, url+"/history")
	require.GreaterOrEqual(t, strings.Count(body, "\n"), 10*3)
	status, _, body := get(t, url+"/healthz")
	require.Equal(t, 200, status)
	require.Equal(t, "ok\n", body)
}

func TestStressIsSeenByTheNextReader(t *testing.T) {
	url := serve(t)
	status, body := post(t, url+"/stress", `{"kind": "network", "host": "host0002", "size": 3, "duration": "30s"}`)
	require.Equal(t, http.StatusAccepted, status, body)
	var s Stress
	require.NoError(t, json.Unmarshal([]byte(body), &s))
	require.Equal(t, 30*time.Second, s.Until.Sub(s.From))
	require.Eventually(t, func() bool {
		_, _, body := get(t, url+"/metrics")
		var readings []Reading
		require.NoError(t, json.Unmarshal([]byte(body), &readings))
		return readings[1].Network > 100*readings[0].Network
	}, 5*time.Second, 50*time.Millisecond)
}

func TestStressRefuses(t *testing.T) {
	url := serve(t)
	for _, c := range []struct{ name, body, want string }{
		{"not JSON", "cpu", "invalid character"},
		{"nothing", "", "want JSON such as"},
		{"a number as duration", `{"kind": "cpu", "duration": 30}`, `want JSON such as {\"kind\": \"cpu\"`},
		{"two", `{"kind": "cpu", "duration": "1s"} {"kind": "cpu", "duration": "1s"}`, "more than one"},
		{"a misspelt key", `{"kind": "cpu", "durration": "30s"}`, `unknown field \"durration\"`},
		{"a bad duration", `{"kind": "cpu", "duration": "soon"}`, "invalid duration"},
		{"an unknown kind", `{"kind": "flood", "duration": "1s"}`, "unknown"},
		{"times", `{"kind": "cpu", "duration": "1s", "from": "2026-01-01T00:00:00Z"}`, "set by the server"},
		{"too much", `{"kind": "` + strings.Repeat("x", 8000) + `"}`, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := post(t, url+"/stress", c.body)
			require.Equal(t, http.StatusBadRequest, status)
			require.Contains(t, body, c.want)
		})
	}
	status, _, _ := get(t, url+"/stress")
	require.Equal(t, http.StatusMethodNotAllowed, status)
}
