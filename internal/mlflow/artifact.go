package mlflow

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// artifactStore is where the artifacts of one run or logged model go.
type artifactStore interface {
	put(ctx context.Context, a *Artifact) error
}

// put stores artifacts at the location that the server gave for the run or model owner.
func (c *Client) put(ctx context.Context, location, owner string, artifacts []Artifact) error {
	to, err := c.artifactStore(location, owner)
	if err != nil {
		return err
	}
	for i := range artifacts {
		if err := to.put(ctx, &artifacts[i]); err != nil {
			return fmt.Errorf("artifact %q: %w", artifacts[i].Path, err)
		}
	}
	return nil
}

// artifactStore resolves a location: it is on the server's artifact proxy, or a
// directory of this machine if the server runs here.
func (c *Client) artifactStore(location, owner string) (artifactStore, error) {
	refuse := func(why string) (artifactStore, error) {
		return nil, c.unusable("the artifact location "+why, location)
	}
	u, err := url.Parse(location)
	if err != nil || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return refuse("is no plain location")
	}
	if strings.ContainsAny(u.Path, `\%`) || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return refuse("leads elsewhere")
	}
	switch {
	case u.Scheme == "mlflow-artifacts" && (u.Host == "" || u.Host == c.base.Host):
		return proxyStore{c, c.base.JoinPath("api/2.0/mlflow-artifacts/artifacts", u.Path)}, nil
	case u.Scheme == "mlflow-artifacts":
		return refuse("is on another host")
	case u.Scheme != "" && u.Scheme != "file":
		return refuse("is not served by the tracking server: start it with --serve-artifacts and --artifacts-destination")
	case u.Host != "" || !filepath.IsAbs(u.Path) || !loopback(c.base.Hostname()):
		return refuse("is a directory of another machine: start the server with --serve-artifacts")
	case !strings.HasSuffix(path.Clean(u.Path), "/"+owner+"/artifacts"):
		return refuse("is not the directory of " + owner)
	}
	return localStore(filepath.FromSlash(u.Path)), nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// proxyStore uploads through the tracking server.
type proxyStore struct {
	client *Client
	base   *url.URL
}

func (s proxyStore) put(ctx context.Context, a *Artifact) error {
	return s.client.retry(ctx, func(ctx context.Context) error {
		body, size, err := a.open()
		if err != nil {
			return err
		}
		defer body.Close()
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.base.JoinPath(strings.Split(a.Path, "/")...).String(), body)
		if err != nil {
			return err
		}
		if req.ContentLength = size; size == 0 {
			req.Body = http.NoBody // else an empty file would be sent chunked
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		_, err = s.client.send(req, "PUT artifact") // uvicorn answers with nothing, Flask with {}
		return err
	})
}

// localStore is the artifact directory of a run whose server runs on this machine.
type localStore string

func (dir localStore) put(_ context.Context, a *Artifact) error {
	if err := os.MkdirAll(string(dir), 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(string(dir)) // no name, and no link below, leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(a.Path), 0o755); err != nil {
		return err
	}
	f, err := root.Create(a.Path)
	if err != nil {
		return err
	}
	return a.copyTo(f)
}
