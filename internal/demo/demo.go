// Package demo runs the whole stack on this machine, without containers:
// simulated hosts, Telegraf with the processor, InfluxDB. `make demo`, the load
// test and the tests of the dashboards share it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"telegraf-anomaly/internal/datacenter"
	"telegraf-anomaly/internal/drill"
	"telegraf-anomaly/internal/testbed"
)

// Database is the one that Telegraf writes to.
const Database = "telegraf"

// Options say how large the stack is and where it keeps its files.
type Options struct {
	Root   string // of the checkout
	Dir    string // for configuration, data and logs; what an earlier run left there is removed
	Center datacenter.Config
	Shared bool                                  // one model for all hosts, learned from the stream, as a gateway of many has it
	Before []string                              // program and arguments that start the processor, instead of Telegraf itself
	Say    func(format string, arguments ...any) // is told what happens; may be nil
}

// DefaultCenter is a data centre of eight hosts that live a minute per second,
// with five simulated days to learn from.
var DefaultCenter = datacenter.Config{Hosts: 8, Seed: 1, Interval: time.Second, Step: time.Minute, Past: 2 * time.Hour}

// A Stack is a running demo.
type Stack struct {
	DB       *testbed.Server
	Telegraf *testbed.Process
	Center   *datacenter.Center
	URL      string // of the data centre

	options Options
	began   time.Time
	server  *http.Server
}

// Start starts everything, lets the processor learn the hosts' past, and returns
// when Telegraf runs. The programs must be installed.
func Start(ctx context.Context, o Options) (s *Stack, err error) {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, err
	}
	s = &Stack{options: o, began: time.Now()}
	for _, step := range []func(context.Context) error{s.serve, s.store, s.learn, s.collect} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

// Stop ends what runs, in the order that loses nothing.
func (s *Stack) Stop() (err error) {
	if s.Telegraf != nil {
		err = s.Telegraf.Stop()
	}
	if s.DB != nil {
		_ = s.DB.Stop()
	}
	if s.server != nil {
		_ = s.server.Close()
	}
	return err
}

// serve starts the data centre, on its usual port if that is free.
func (s *Stack) serve(context.Context) error {
	center, err := datacenter.New(s.options.Center, time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:5005")
	if err != nil {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	s.Center, s.URL = center, "http://"+listener.Addr().String()
	s.server = &http.Server{Handler: center.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	s.options.Say("data centre: %d hosts on %s/metrics, %v of theirs per %v", s.options.Center.Hosts, s.URL, s.options.Center.Step, s.options.Center.Interval)
	return nil
}

func (s *Stack) store(ctx context.Context) (err error) {
	s.DB, err = testbed.StartInfluxDB(ctx, s.options.Root, s.path("influxdb"))
	if err != nil {
		return err
	}
	s.options.Say("InfluxDB: %s, database %q", s.DB.URL, Database)
	_, err = s.DB.Query(ctx, "", "CREATE DATABASE "+Database)
	return err
}

func (s *Stack) collect(context.Context) (err error) {
	config := s.path("telegraf.conf")
	err = s.relocate("telegraf.conf",
		`"/usr/bin/telegraf-anomaly"`, s.command(),
		"/etc/telegraf/anomaly.conf", s.path("anomaly.conf"),
		"http://127.0.0.1:5005", s.URL,
		"http://127.0.0.1:8086", s.DB.URL)
	if err != nil {
		return err
	}
	s.Telegraf, err = testbed.StartTelegraf(s.options.Root, config)
	if err == nil {
		s.options.Say("Telegraf: reads the data centre and this machine, log in %s", testbed.LogOf(config))
	}
	return err
}

// command is how Telegraf's configuration names the processor.
func (s *Stack) command() string {
	quoted := make([]string, 0, len(s.options.Before)+1)
	for _, word := range append(slices.Clone(s.options.Before), testbed.Anomaly.Path(s.options.Root)) {
		quoted = append(quoted, strconv.Quote(word))
	}
	return strings.Join(quoted, ", ")
}

func (s *Stack) path(name string) string { return filepath.Join(s.options.Dir, name) }

// relocate puts one of the example's configurations into the folder of the run.
func (s *Stack) relocate(name string, pairs ...string) error {
	text, err := os.ReadFile(filepath.Join(s.options.Root, "examples/datacenter", name))
	if err != nil {
		return err
	}
	moved, err := testbed.Relocate(string(text), pairs...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(s.path(name), []byte(moved), 0o644)
}

// Ready returns when every simulated host is being judged: the first live
// readings only fill the rolling window.
func (s *Stack) Ready(ctx context.Context) error {
	s.options.Say("waiting for the rolling windows to fill")
	query := fmt.Sprintf("SELECT count(anomaly_score) FROM ai_predictions WHERE status = 'ok' AND host =~ /^host/ AND time >= %d GROUP BY host", s.liveFrom().UnixNano())
	var failure error
	err := testbed.Until(ctx, "all hosts to be judged", func() bool {
		if !s.Telegraf.Running() {
			failure = fmt.Errorf("demo: Telegraf ended; see %s", s.path("telegraf.log"))
			return true
		}
		rows, _ := s.DB.Query(ctx, Database, query) // it may be busy with the past
		return len(rows) == s.options.Center.Hosts
	})
	if failure != nil {
		return failure
	}
	return err
}

// liveFrom is behind everything that was learned from.
func (s *Stack) liveFrom() time.Time { return s.learnedUntil().Add(time.Second) }

// Drill returns what spoils this stack's hosts.
func (s *Stack) Drill() *drill.Drill {
	return &drill.Drill{Target: s.URL, DB: s.DB, Database: Database, Grace: 5 * time.Second}
}

// write sends line protocol to InfluxDB.
func (s *Stack) write(ctx context.Context, lines io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.DB.URL+"/write?db="+Database, lines)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("demo: InfluxDB refused the past: %s: %s", response.Status, text)
	}
	return nil
}
