package mlflow

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wherever a server says that artifacts go, they go to its own artifact proxy or to
// the directory of the run.
func FuzzArtifactLocation(f *testing.F) {
	for _, s := range []string{"mlflow-artifacts:/1/r1/artifacts", "mlflow-artifacts://127.0.0.1:5000/x", "file:///a/r1/artifacts",
		"/a/r1/artifacts", "mlflow-artifacts:/%2e%2e/x", "mlflow-artifacts:/%252e%252e", "//host/r1/artifacts", "/r1//artifacts", `\\host\r1`, "s3://b/c"} {
		f.Add(s)
	}
	c, err := New(Config{TrackingURI: "http://127.0.0.1:5000"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, location string) {
		store, err := c.artifactStore(location, "r1")
		if err != nil {
			require.ErrorIs(t, err, errAnswer)
			require.Less(t, len(err.Error()), 2000)
			return
		}
		switch s := store.(type) {
		case proxyStore:
			at := parseURL(t, s.base.JoinPath("report.html").String())
			require.Equal(t, "http", at.Scheme)
			require.Equal(t, "127.0.0.1:5000", at.Host)
			require.True(t, strings.HasPrefix(at.Path, artifactPrefix), at.Path)
			require.NotContains(t, at.Path+"/", "/../")
		case localStore:
			require.True(t, strings.HasPrefix(string(s), "/"))
			require.True(t, strings.HasSuffix(filepath.Clean(string(s)), "/r1/artifacts"), string(s))
			require.NotContains(t, string(s)+"/", "/../")
		}
	})
}

// Whatever a server answers, an upload ends in a value or a short error.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"experiment":{"experiment_id":"1"},"runs":[{"info":{"run_id":"r","experiment_id":"1","status":"FINISHED"}}],"model_versions":[{"version":"1"}]}`)
	f.Add(200, `{"experiment":{"experiment_id":"1"},"runs":[{"info":{"run_id":"../r"}}]}`)
	f.Add(400, `{"error_code":"RESOURCE_ALREADY_EXISTS"}`)
	f.Add(404, `{"error_code":"RESOURCE_DOES_NOT_EXIST"}`)
	f.Add(200, `[]`)
	f.Add(307, ``)
	c, err := New(Config{TrackingURI: "http://127.0.0.1:5000"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c.http.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			require.NotContains(t, r.URL.Path+"/", "/../")
			return answer(status, body, body), nil
		})
		_, _, err := Upload(t.Context(), c, sample())
		if err != nil {
			require.Less(t, len(err.Error()), 3000)
			require.NotContains(t, err.Error(), "\n")
		}
	})
}
