// Command datacenter serves the metrics of simulated hosts over HTTP, for
// Telegraf to read, and spoils them on demand. README.md shows how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"telegraf-anomaly/internal/datacenter"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5005", "address to serve on")
	health := flag.Bool("health", false, "ask the server at the address whether it is well, and exit 0 or 1")
	var c datacenter.Config
	flag.IntVar(&c.Hosts, "hosts", 8, "number of hosts")
	flag.Uint64Var(&c.Seed, "seed", 1, "the same seed gives the same hosts")
	flag.DurationVar(&c.Interval, "interval", time.Second, "between two readings")
	flag.DurationVar(&c.Step, "step", time.Minute, "simulated time between two readings")
	flag.DurationVar(&c.Past, "past", 2*time.Hour, "how much history there is")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "datacenter: %q is no flag; -h lists them\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return serve(ctx, *listen, c) }
	if *health {
		run = func() error { return ask(ctx, *listen) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "datacenter:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string, c datacenter.Config) error {
	center, err := datacenter.New(c, time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "datacenter: %d hosts on http://%s/metrics\n", c.Hosts, listener.Addr())
	server := &http.Server{Handler: center.Handler(), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ask is the health check of a container that holds no other program.
func ask(ctx context.Context, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", request.URL, response.Status)
	}
	return nil
}
