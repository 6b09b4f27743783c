// Command quickstart shows the processor at work on this machine. It installs
// the real Telegraf and InfluxDB into ./bin, starts both, lets the processor learn
// for a minute, and prints a line per second of what it finds. `make run` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"telegraf-anomaly/internal/testbed"
)

func main() {
	duration := flag.Duration("duration", 0, "how long to run; 0: until Ctrl-C")
	dir := flag.String("dir", ".run", "folder for the database, the model and the logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, os.Stdout, *dir, *duration)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "quickstart: interrupted")
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, dir string, duration time.Duration) (err error) {
	root, err := testbed.Root()
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := testbed.Install(ctx, root, os.Stderr, testbed.Anomaly, testbed.Telegraf, testbed.InfluxDB); err != nil {
		return err
	}
	db, err := testbed.StartInfluxDB(ctx, root, filepath.Join(dir, "influxdb"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Stop() }()
	config, err := configure(root, dir, db.URL)
	if err != nil {
		return err
	}
	known, err := recall(filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	began := time.Now()
	telegraf, err := testbed.StartTelegraf(root, config)
	if err != nil {
		return err
	}
	introduce(w, dir, db.URL, known)
	if duration > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, duration)
		defer cancel()
	}
	err = watch(ctx, w, telegraf, db, began)
	if stopErr := telegraf.Stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	return summarize(w, db, began, duration > 0)
}

// memory is how long a model holds that was learned in a minute.
const memory = time.Hour

// recall reports whether there is a model to begin with. One that is too old is
// forgotten: it would take everything for strange.
func recall(state string) (known bool, err error) {
	info, err := os.Stat(filepath.Join(state, "stream.state"))
	if err == nil && time.Since(info.ModTime()) < memory {
		return true, nil
	}
	return false, os.RemoveAll(state)
}

// configure writes the configurations of this folder into dir, with the places of
// an installed server replaced by those of the checkout.
func configure(root, dir, influxURL string) (telegrafConf string, err error) {
	anomalyConf := filepath.Join(dir, "anomaly.conf")
	telegrafConf = filepath.Join(dir, "telegraf.conf")
	err = relocate(filepath.Join(root, "examples/quickstart/anomaly.conf"), anomalyConf,
		"/var/lib/telegraf/anomaly", filepath.Join(dir, "state"))
	if err != nil {
		return "", err
	}
	return telegrafConf, relocate(filepath.Join(root, "examples/quickstart/telegraf.conf"), telegrafConf,
		"/usr/bin/telegraf-anomaly", testbed.Anomaly.Path(root),
		"/etc/telegraf/anomaly.conf", anomalyConf,
		"http://127.0.0.1:8086", influxURL)
}

func relocate(from, to string, pairs ...string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	moved, err := testbed.Relocate(string(text), pairs...)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, []byte(moved), 0o644)
}

func introduce(w io.Writer, dir, url string, known bool) {
	name := dir
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, dir); err == nil {
			name = short
		}
	}
	fmt.Fprintf(w, `
Telegraf -> telegraf-anomaly -> InfluxDB, on this machine's own metrics, once a second.

  InfluxDB   %s, database "telegraf" (no password, this machine only)
  files      %s: configuration, database, model, telegraf.log
  try        make the machine work (for instance: timeout 20 dd if=/dev/zero of=/dev/null)
  stop       Ctrl-C

%s

`, url, name, map[bool]string{true: goesOn, false: begins}[known])
}

const (
	begins = `It learns for a minute first, of which the first seconds only fill its window. A minute is little:
it will take for strange whatever the machine did not do in it.`
	goesOn = `It goes on with what it learned in the last hour; rm -r .run/state forgets that.`
)
