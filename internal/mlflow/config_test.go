package mlflow

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func fromEnv(vars map[string]string) (Config, error) {
	return FromEnv(func(name string) string { return vars[name] })
}

func TestFromEnv(t *testing.T) {
	defaults, err := fromEnv(nil)
	require.NoError(t, err)
	require.Equal(t, Config{Timeout: 30 * time.Second, MaxRetries: 3, BackoffFactor: time.Second,
		BackoffJitter: time.Second, RespectRetryAfter: true}, defaults)

	all, err := fromEnv(map[string]string{
		"MLFLOW_TRACKING_URI":                    "https://tracking.example/mlflow",
		"MLFLOW_TRACKING_USERNAME":               "user",
		"MLFLOW_TRACKING_PASSWORD":               "password",
		"MLFLOW_TRACKING_TOKEN":                  "token",
		"MLFLOW_TRACKING_INSECURE_TLS":           "TRUE",
		"MLFLOW_TRACKING_SERVER_CERT_PATH":       "ca.pem",
		"MLFLOW_TRACKING_CLIENT_CERT_PATH":       "me.pem",
		"MLFLOW_EXPERIMENT_NAME":                 "hosts",
		"MLFLOW_EXPERIMENT_ID":                   "7",
		"MLFLOW_RUN_ID":                          "r1",
		"MLFLOW_REGISTRY_URI":                    "https://tracking.example/mlflow",
		"MLFLOW_HTTP_REQUEST_TIMEOUT":            "120",
		"MLFLOW_HTTP_REQUEST_MAX_RETRIES":        "7",
		"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR":     "2",
		"MLFLOW_HTTP_REQUEST_BACKOFF_JITTER":     "0.5",
		"MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "0",
	})
	require.NoError(t, err)
	require.Equal(t, Config{
		TrackingURI: "https://tracking.example/mlflow", Username: "user", Password: "password", Token: "token",
		InsecureTLS: true, ServerCertPath: "ca.pem", ClientCertPath: "me.pem",
		ExperimentName: "hosts", ExperimentID: "7", RunID: "r1",
		Timeout: 2 * time.Minute, MaxRetries: 7, BackoffFactor: 2 * time.Second, BackoffJitter: time.Second / 2,
	}, all)
}

func TestFromEnvNamesEveryBadVariable(t *testing.T) {
	_, err := fromEnv(map[string]string{
		"MLFLOW_TRACKING_INSECURE_TLS":       "maybe",
		"MLFLOW_HTTP_REQUEST_TIMEOUT":        "soon",
		"MLFLOW_HTTP_REQUEST_MAX_RETRIES":    "-1",
		"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1e9",
		"MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "NaN",
		"MLFLOW_REGISTRY_URI":                "https://elsewhere.example",
	})
	for _, want := range []string{
		`MLFLOW_TRACKING_INSECURE_TLS: must be "true" or "false"`,
		"MLFLOW_HTTP_REQUEST_TIMEOUT: must be a number from 0 to 3600",
		"MLFLOW_HTTP_REQUEST_MAX_RETRIES: must be a number from 0 to 10",
		"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: must be a number from 0 to 120",
		"MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: must be a number from 0 to 120",
		"MLFLOW_REGISTRY_URI: a registry on another server is not supported",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	const uri = "https://tracking.invalid"
	for name, tc := range map[string]struct {
		cfg     Config
		problem string
	}{
		"no URI":              {Config{}, "set MLFLOW_TRACKING_URI"},
		"a database":          {Config{TrackingURI: "sqlite:///mlflow.db"}, "start `mlflow server`"},
		"a directory":         {Config{TrackingURI: "./mlruns"}, "http or https"},
		"databricks":          {Config{TrackingURI: "databricks"}, "http or https"},
		"no host":             {Config{TrackingURI: "http://"}, "not a valid URL"},
		"a bad port":          {Config{TrackingURI: "http://u:hidden@host:hidden"}, "not a valid URL"},
		"a bad escape":        {Config{TrackingURI: "http://hidden:%zz@host"}, "not a valid URL"},
		"two ways to verify":  {Config{TrackingURI: uri, InsecureTLS: true, ServerCertPath: "x"}, "only one of"},
		"no authorities":      {Config{TrackingURI: uri, ServerCertPath: empty}, "holds no PEM certificate"},
		"missing authorities": {Config{TrackingURI: uri, ServerCertPath: empty + "x"}, "no such file"},
		"no client key":       {Config{TrackingURI: uri, ClientCertPath: empty}, "TLS certificates"},
		"a run id of two":     {Config{TrackingURI: uri, RunID: "a/../b"}, "MLFLOW_RUN_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tc.cfg)
			require.ErrorContains(t, err, tc.problem)
			require.NotContains(t, err.Error(), "hidden")
		})
	}
	_, err := New(Config{})
	require.ErrorIs(t, err, ErrNotConfigured)
}

func TestTLS(t *testing.T) {
	own := certificate(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("{}"))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, text, 0o600))

	for name, tc := range map[string]struct {
		cfg     Config
		problem string
	}{
		"unknown authority":       {Config{ClientCertPath: own}, "certificate signed by unknown authority"},
		"known authority":         {Config{ClientCertPath: own, ServerCertPath: ca}, ""},
		"any authority":           {Config{ClientCertPath: own, InsecureTLS: true}, ""},
		"no certificate of ours":  {Config{ServerCertPath: ca}, "certificate required"},
		"retries change nothing.": {Config{ClientCertPath: own, MaxRetries: 3, BackoffFactor: time.Hour}, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.cfg.TrackingURI = Secret(server.URL)
			c := testClient(t, tc.cfg)
			defer c.http.CloseIdleConnections()
			err := ping(t.Context(), c)
			if tc.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.problem)
			require.NotContains(t, err.Error(), "tried")
		})
	}
}

// certificate writes a self-signed certificate and its key to one file.
func certificate(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	path := filepath.Join(t.TempDir(), "me.pem")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}
