package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"telegraf-anomaly/internal/dashboards"
)

// emptyGrafana has nothing and takes everything.
func emptyGrafana(t *testing.T) (address string, saved map[string]map[string]any) {
	t.Helper()
	saved = map[string]map[string]any{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/health":
			_, _ = w.Write([]byte(`{"version":"12.4.1"}`))
		case r.URL.Path == "/api/folders" && r.Method == http.MethodGet:
			_, _ = w.Write([]byte(`[]`))
		case r.Method == http.MethodPost:
			body := map[string]any{}
			_ = json.NewDecoder(r.Body).Decode(&body)
			if board, ok := body["dashboard"].(map[string]any); ok {
				body = board
			}
			saved[body["uid"].(string)] = body
			_, _ = w.Write([]byte(`{"url":"/d/x"}`))
		case strings.HasSuffix(r.URL.Path, "/health"):
			_, _ = w.Write([]byte(`{"status":"OK","message":"datasource is working"}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, saved
}

func TestGrafanaGetsTheDashboardsOfOneLanguage(t *testing.T) {
	for _, set := range []struct {
		name, source string
		flags        []string
	}{
		{"influxql", "influxdb-influxql", nil},
		{"flux", "influxdb-flux", []string{"--flux", "--org", "o", "--database", "telegraf/autogen"}},
	} {
		t.Run(set.name, func(t *testing.T) {
			address, saved := emptyGrafana(t)
			_, said, code := train(t, append([]string{"grafana", "--url", address, "--check"}, set.flags...)...)
			require.Equal(t, exitGate, code)
			require.Contains(t, said, "missing")
			require.Empty(t, saved)

			_, said, code = train(t, append([]string{"grafana", "--url", address}, set.flags...)...)
			require.Equal(t, exitOK, code, said)
			require.Regexp(t, `dashboard Anomaly fleet \(\w+\) +created`, said)
			var uids []string
			for _, board := range []string{"fleet", "host", "model", "processor"} {
				uids = append(uids, "anomaly-"+board+"-"+set.name)
			}
			require.ElementsMatch(t, append(uids, set.source, "telegraf-anomaly"), slices.Collect(maps.Keys(saved)))
		})
	}
}

func TestGrafanaThatIsAway(t *testing.T) {
	out, _, code := train(t, "grafana", "--url", "http://127.0.0.1:1", "--json")
	require.Equal(t, exitFailure, code)
	var steps []map[string]string
	require.NoError(t, json.Unmarshal([]byte(out), &steps))
	require.Equal(t, "failed", steps[0]["result"])
	_, _, code = train(t, "grafana", "--url", "localhost:3000")
	require.Equal(t, exitUsage, code)
}

// The secrets come from files or the environment, and go nowhere but to Grafana.
func TestGrafanaGetsTheSecrets(t *testing.T) {
	address, saved := emptyGrafana(t)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("influx-token\n"), 0o600))
	t.Setenv("GRAFANA_AUTH", "admin:grafana-password")
	t.Setenv("INFLUX_PASSWORD", "influx-password")
	out, said, code := train(t, "grafana", "--url", address, "--token-file", file, "--json")
	require.Equal(t, exitOK, code, said)
	secrets := saved["influxdb-influxql"]["secureJsonData"]
	require.Equal(t, map[string]any{"password": "influx-password", "httpHeaderValue1": "Token influx-token"}, secrets)
	for _, secret := range []string{"influx-token", "grafana-password", "influx-password"} {
		require.NotContains(t, out+said, secret)
	}
}

// What train makes is what the file of grafana/provisioning makes.
func TestGrafanaGetsTheSourcesOfTheProvisioningFile(t *testing.T) {
	text, err := os.ReadFile("../../grafana/provisioning/datasources/influxdb.yaml")
	require.NoError(t, err)
	var file struct {
		Datasources []map[string]any
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	connections := map[dashboards.Language]dashboards.Connection{
		dashboards.InfluxQL: {URL: "$INFLUXDB_URL", Database: "telegraf", User: "$INFLUXDB_USER", Password: "$INFLUXDB_PASSWORD"},
		dashboards.Flux:     {URL: "$INFLUXDB_URL", Database: "telegraf/autogen", Org: "telegraf", Token: "$INFLUXDB_TOKEN"},
	}
	for i, l := range dashboards.Languages() {
		provisioned := file.Datasources[i]
		delete(provisioned, "editable")  // a matter of files,
		delete(provisioned, "isDefault") // and of who was there first
		require.Equal(t, provisioned, dashboards.DataSource(l, connections[l]))
	}
}
