package mlflow

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArtifactLocations(t *testing.T) {
	const remote, local = "http://tracking.example:5000/prefix", "http://127.0.0.1:5000"
	const proxy = "/api/2.0/mlflow-artifacts/artifacts"
	for name, tc := range map[string]struct {
		server, location string
		want             artifactStore
		problem          string
	}{
		"proxy":                   {server: remote, location: "mlflow-artifacts:/1/r1/artifacts", want: proxyStore{base: parseURL(t, remote+proxy+"/1/r1/artifacts")}},
		"proxy, named":            {server: remote, location: "mlflow-artifacts://tracking.example:5000/1", want: proxyStore{base: parseURL(t, remote+proxy+"/1")}},
		"proxy with spaces":       {server: remote, location: "mlflow-artifacts:/a%20b/r1", want: proxyStore{base: parseURL(t, remote+proxy+"/a%20b/r1")}},
		"path":                    {server: local, location: "/srv/1/r1/artifacts", want: localStore("/srv/1/r1/artifacts")},
		"file":                    {server: local, location: "file:///srv/1/r1/artifacts", want: localStore("/srv/1/r1/artifacts")},
		"file of localhost":       {server: "http://localhost:1", location: "file:/srv/1/r1/artifacts", want: localStore("/srv/1/r1/artifacts")},
		"proxy on another host":   {server: remote, location: "mlflow-artifacts://evil.example/1", problem: "is on another host"},
		"proxy on another port":   {server: remote, location: "mlflow-artifacts://tracking.example:1/1", problem: "is on another host"},
		"proxy above":             {server: remote, location: "mlflow-artifacts:/1/../../x", problem: "leads elsewhere"},
		"proxy above, encoded":    {server: remote, location: "mlflow-artifacts:/%2e%2e/x", problem: "leads elsewhere"},
		"encoded twice":           {server: remote, location: "mlflow-artifacts:/%252e%252e/x", problem: "leads elsewhere"},
		"backslashes":             {server: remote, location: `mlflow-artifacts:/..\x`, problem: "leads elsewhere"},
		"relative proxy":          {server: remote, location: "mlflow-artifacts:1/r1", problem: "no plain location"},
		"with a query":            {server: remote, location: "mlflow-artifacts:/1?x=1", problem: "no plain location"},
		"with credentials":        {server: remote, location: "mlflow-artifacts://u:p@tracking.example:5000/1", problem: "no plain location"},
		"broken":                  {server: remote, location: "mlflow-artifacts://[", problem: "no plain location"},
		"s3":                      {server: remote, location: "s3://bucket/1/r1/artifacts", problem: "start it with --serve-artifacts"},
		"another server":          {server: remote, location: "http://evil.example/1/r1/artifacts", problem: "is not served by the tracking server"},
		"path of another host":    {server: remote, location: "/srv/1/r1/artifacts", problem: "of another machine"},
		"file of another host":    {server: local, location: "file://nas/1/r1/artifacts", problem: "of another machine"},
		"relative path":           {server: local, location: "mlruns/1/r1/artifacts", problem: "of another machine"},
		"nothing":                 {server: local, location: "", problem: "of another machine"},
		"path above":              {server: local, location: "/srv/../etc/r1/artifacts", problem: "leads elsewhere"},
		"path of somebody else":   {server: local, location: "/etc/cron.d", problem: "is not the directory of r1"},
		"path of another run":     {server: local, location: "/srv/1/r2/artifacts", problem: "is not the directory of r1"},
		"path that ends the same": {server: local, location: "/srv/1/xr1/artifacts", problem: "is not the directory of r1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testClient(t, Config{TrackingURI: Secret(tc.server)}).artifactStore(tc.location, "r1")
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				require.ErrorIs(t, err, errAnswer)
				return
			}
			require.NoError(t, err)
			if p, ok := got.(proxyStore); ok {
				require.Equal(t, tc.want.(proxyStore).base.String(), p.base.String())
				return
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestUploadThroughTheProxyReadsFilesAnewForEachTry(t *testing.T) {
	f := newFake(t)
	failed := false
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || failed {
			return false
		}
		failed = true
		_, _ = r.Body.Read(make([]byte, 3))
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	file := filepath.Join(t.TempDir(), "report")
	require.NoError(t, os.WriteFile(file, []byte("the whole report"), 0o600))
	run := Run{Name: "r", Start: began, End: ended, Artifacts: []Artifact{{Path: "a b/ü+&=.html", File: file}}}
	_, _, err := Upload(t.Context(), f.client(t), run)
	require.NoError(t, err)
	require.True(t, failed)
	require.Equal(t, "the whole report", f.state.Files["1/r1/artifacts/a b/ü+&=.html"])
}

func TestLocalStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1", "r1", "artifacts")
	store := localStore(dir)
	require.NoError(t, store.put(t.Context(), &Artifact{Path: "plots/roc.svg", Data: []byte("<svg>")}))
	require.NoError(t, store.put(t.Context(), &Artifact{Path: "plots/roc.svg", Data: []byte("new")}), "again, after a failure")
	text, err := os.ReadFile(filepath.Join(dir, "plots", "roc.svg"))
	require.NoError(t, err)
	require.Equal(t, "new", string(text))
}

func TestLocalStoreFollowsNoLinkOutOfItsDirectory(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "plots")))
	err := localStore(dir).put(t.Context(), &Artifact{Path: "plots/roc.svg", Data: []byte("<svg>")})
	require.Error(t, err)
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestLocalStoreErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, localStore(filepath.Join(file, "x")).put(t.Context(), &Artifact{Path: "a"}), "its directory cannot be made")
	require.Error(t, localStore(dir).put(t.Context(), &Artifact{Path: "file/a"}), "nor one below")
	require.ErrorIs(t, localStore(dir).put(t.Context(), &Artifact{Path: "a", File: file + "x"}), os.ErrNotExist)
}
