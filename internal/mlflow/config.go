package mlflow

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrNotConfigured says that no tracking server was named, so there is nothing to track to.
var ErrNotConfigured = errors.New("mlflow: no tracking server: set MLFLOW_TRACKING_URI")

// Secret is a credential. It prints and marshals as "***".
type Secret string

// Format hides the secret from every verb of package fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// MarshalText hides the secret from encoders and structured loggers.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Config says how to reach a tracking server. Each field is named after MLflow's
// environment variable.
type Config struct {
	TrackingURI        Secret // may hold user:password@
	Username, Password Secret // HTTP basic authentication; wins over Token, as in MLflow's own client
	Token              Secret // bearer token
	InsecureTLS        bool   // do not verify the server's certificate
	ServerCertPath     string // PEM file of the authorities to trust
	ClientCertPath     string // PEM file with the client's certificate and key

	ExperimentName string // used where Run.Experiment is empty
	ExperimentID   string // if both are set, they must name the same experiment
	RunID          string // log into this existing run instead of a new one

	Timeout           time.Duration // of one HTTP request
	MaxRetries        int           // of one HTTP request; 0 = try once
	BackoffFactor     time.Duration // the n-th retry waits BackoffFactor·2ⁿ (n = 0, 1, …) …
	BackoffJitter     time.Duration // … plus a random time up to this
	RespectRetryAfter bool          // wait as long as the server's Retry-After asks
}

// FromEnv reads MLflow's official environment variables through getenv (normally
// [os.Getenv]). Defaults are MLflow's except MLFLOW_HTTP_REQUEST_TIMEOUT (30 s
// instead of 120), _MAX_RETRIES (3 instead of 7) and _BACKOFF_FACTOR (1 s instead
// of 2): a run that is safe in a spool need not insist.
func FromEnv(getenv func(string) string) (Config, error) {
	e := env{get: getenv}
	cfg := Config{
		TrackingURI:       Secret(getenv("MLFLOW_TRACKING_URI")),
		Username:          Secret(getenv("MLFLOW_TRACKING_USERNAME")),
		Password:          Secret(getenv("MLFLOW_TRACKING_PASSWORD")),
		Token:             Secret(getenv("MLFLOW_TRACKING_TOKEN")),
		InsecureTLS:       e.boolean("MLFLOW_TRACKING_INSECURE_TLS", false),
		ServerCertPath:    getenv("MLFLOW_TRACKING_SERVER_CERT_PATH"),
		ClientCertPath:    getenv("MLFLOW_TRACKING_CLIENT_CERT_PATH"),
		ExperimentName:    getenv("MLFLOW_EXPERIMENT_NAME"),
		ExperimentID:      getenv("MLFLOW_EXPERIMENT_ID"),
		RunID:             getenv("MLFLOW_RUN_ID"),
		Timeout:           e.seconds("MLFLOW_HTTP_REQUEST_TIMEOUT", 30, 3600),
		MaxRetries:        int(e.number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", 3, 10)),
		BackoffFactor:     e.seconds("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", 1, 120),
		BackoffJitter:     e.seconds("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", 1, 120),
		RespectRetryAfter: e.boolean("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", true),
	}
	if r := getenv("MLFLOW_REGISTRY_URI"); r != "" && Secret(r) != cfg.TrackingURI {
		e.bad("MLFLOW_REGISTRY_URI", "a registry on another server is not supported; unset it")
	}
	return cfg, errors.Join(e.errs...)
}

// env collects what is wrong with the environment, so that a user sees it all at once.
type env struct {
	get  func(string) string
	errs []error
}

func (e *env) bad(name, why string) { e.errs = append(e.errs, fmt.Errorf("mlflow: %s: %s", name, why)) }

func (e *env) boolean(name string, otherwise bool) bool {
	switch strings.ToLower(e.get(name)) {
	case "":
		return otherwise
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	e.bad(name, `must be "true" or "false"`)
	return otherwise
}

func (e *env) number(name string, otherwise, most float64) float64 {
	text := e.get(name)
	if text == "" {
		return otherwise
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= most) {
		e.bad(name, fmt.Sprintf("must be a number from 0 to %g", most))
		return otherwise
	}
	return v
}

func (e *env) seconds(name string, otherwise, most float64) time.Duration {
	return time.Duration(e.number(name, otherwise, most) * float64(time.Second))
}

// endpoint parses the tracking URI, of which it moves user and password into the
// credentials. Its errors quote nothing: the URI may hold a password.
func (c *Config) endpoint() (*url.URL, error) {
	if c.TrackingURI == "" {
		return nil, ErrNotConfigured
	}
	u, err := url.Parse(string(c.TrackingURI))
	if err != nil || (u.Scheme == "http" || u.Scheme == "https") && u.Host == "" {
		return nil, errors.New("mlflow: MLFLOW_TRACKING_URI is not a valid URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("mlflow: MLFLOW_TRACKING_URI must be an http or https address: start `mlflow server` and name it")
	}
	if c.Username == "" && c.Password == "" && u.User != nil {
		password, _ := u.User.Password()
		c.Username, c.Password = Secret(u.User.Username()), Secret(password)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// authenticator returns what signs a request.
func (c *Config) authenticator() func(*http.Request) {
	user, password, token := string(c.Username), string(c.Password), string(c.Token)
	switch {
	case user != "" && password != "":
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	case token != "":
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	return func(*http.Request) {}
}

func (c *Config) transport() (*http.Transport, error) {
	tlsConfig, err := c.tls()
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = tlsConfig
	t.MaxResponseHeaderBytes = maxHeader
	return t, nil
}

func (c *Config) tls() (*tls.Config, error) {
	if c.InsecureTLS && c.ServerCertPath != "" {
		return nil, errors.New("mlflow: set only one of MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH")
	}
	t := &tls.Config{InsecureSkipVerify: c.InsecureTLS, MinVersion: tls.VersionTLS12} // #nosec G402 -- asked for by name
	var errRoots, errCert error
	if c.ServerCertPath != "" {
		t.RootCAs, errRoots = authorities(c.ServerCertPath)
	}
	if c.ClientCertPath != "" {
		var pair tls.Certificate
		pair, errCert = tls.LoadX509KeyPair(c.ClientCertPath, c.ClientCertPath)
		t.Certificates = []tls.Certificate{pair}
	}
	if err := cmp.Or(errRoots, errCert); err != nil {
		return nil, fmt.Errorf("mlflow: TLS certificates: %w", err)
	}
	return t, nil
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return pool, nil
}
