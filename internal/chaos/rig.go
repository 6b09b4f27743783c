package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"telegraf-anomaly/internal/testbed"
)

// A setup is what differs from fault to fault.
type setup struct {
	command   string // of the processor, as a list of TOML strings
	processor string // further configuration of Telegraf
	skip      bool   // processors after aggregators
	smallDisk bool   // for the state, where the user may mount one
}

// standard is Telegraf as telegraf.conf at the top of the repository has it.
var standard = setup{command: `"DIR/processor", "-config", "DIR/anomaly.conf"`, skip: true}

// maxHold is how long the processor keeps a line: what it keeps is lost with it.
const maxHold = time.Second

const processorBlock = `
[[processors.execd]]
  namepass = ["cpu", "mem", "net", "system_metrics"]
  command = [COMMAND]
  restart_delay = "100ms"
`

const telegrafConfig = `
[agent]
  flush_interval = "100ms"
  flush_jitter = "0s"
  metric_buffer_limit = 1000000
  metric_batch_size = 5000
  omit_hostname = true
  skip_processors_after_aggregators = SKIP
[[inputs.execd]]
  command = ["sh", "DIR/input"]
  data_format = "influx"
  restart_delay = "1h"
[[outputs.file]]
  files = ["DIR/out"]
  data_format = "influx"
[[outputs.influxdb]]
  urls = ["URL"]
  database = "chaos"
  timeout = "2s"
`

// input ends when Telegraf closes its stdin, as inputs are to.
const input = `cat DIR/fifo &
cat >/dev/null
kill $!
`

const anomalyConfig = `[[processors.anomaly]]
  state = "DIR/state"
  interval = "INTERVAL"
  window = "WINDOW"
  min_samples = 64
  scope = "SCOPE"
FEATURES`

const singleFeatures = `
  [[processors.anomaly.feature]]
    name = "cpu"
    measurement = "system_metrics"
    fields = ["cpu"]
  [[processors.anomaly.feature]]
    name = "memory"
    measurement = "system_metrics"
    fields = ["memory"]
  [[processors.anomaly.feature]]
    name = "network"
    measurement = "system_metrics"
    fields = ["network"]
`

// A rig is a feed, a Telegraf with the processor, and an InfluxDB.
type rig struct {
	root, dir string
	telegraf  *testbed.Process
	db        *testbed.Server
	fifo      *os.File
	feed      *feed
	ledger    *ledger
	memory    memory
	tmpfs     bool // the state lies on a small file system of its own
	undo      []func()
	watching  sync.WaitGroup
	stop      chan struct{}
}

// start returns a rig whose hosts are all scored.
func start(ctx context.Context, root, dir string, l load, s setup) (*rig, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	r := &rig{root: root, dir: dir, ledger: newLedger(), stop: make(chan struct{})}
	for _, step := range []func() error{
		func() error { return r.install(l, s) },
		func() (err error) {
			r.db, err = testbed.StartInfluxDB(ctx, root, filepath.Join(dir, "influxdb"))
			return err
		},
		func() error { return r.startTelegraf(s) },
		func() (err error) { r.feed, err = startFeed(l, r.fifo, r.ledger); return err },
		func() error { return r.learned(ctx, l.hosts) },
	} {
		if err := step(); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

// install lays out the files of the processor, of which the binary is a copy that
// can be spoiled.
func (r *rig) install(l load, s setup) error {
	features, scope := "", "group"
	if l.single {
		features = singleFeatures
	}
	if l.shared {
		scope = "shared"
	}
	places := strings.NewReplacer("DIR", r.dir, "INTERVAL", l.interval.String(), "WINDOW", (15 * l.interval).String(), "FEATURES", features, "SCOPE", scope)
	err := errors.Join(
		os.MkdirAll(filepath.Join(r.dir, "state"), 0o750),
		copyFile(testbed.Anomaly.Path(r.root), r.program()),
		os.WriteFile(filepath.Join(r.dir, "anomaly.conf"), []byte(places.Replace(anomalyConfig)), 0o600),
		os.WriteFile(filepath.Join(r.dir, "input"), []byte(places.Replace(input)), 0o600),
		syscall.Mkfifo(filepath.Join(r.dir, "fifo"), 0o600),
		syscall.Mkfifo(filepath.Join(r.dir, "stderr"), 0o600))
	if s.smallDisk {
		r.smallDisk()
	}
	return err
}

func (r *rig) program() string { return filepath.Join(r.dir, "processor") }

func copyFile(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

func (r *rig) startTelegraf(s setup) (err error) {
	// Opened both ways it neither waits for a reader nor ends with one.
	if r.fifo, err = os.OpenFile(filepath.Join(r.dir, "fifo"), os.O_RDWR, 0); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	text := telegrafConfig + strings.ReplaceAll(processorBlock, "COMMAND", s.command) + s.processor
	text = strings.NewReplacer("DIR", r.dir, "URL", r.db.URL, "SKIP", fmt.Sprint(s.skip)).Replace(text)
	config := filepath.Join(r.dir, "telegraf.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	if r.telegraf, err = testbed.StartTelegraf(r.root, config); err != nil {
		return err
	}
	r.watching.Go(r.watch)
	return nil
}

// learned waits until every host has a model, and has that written down.
func (r *rig) learned(ctx context.Context, hosts int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := testbed.Until(ctx, "a model of every host", func() bool { return r.ledger.judged() == hosts })
	if err != nil {
		return fmt.Errorf("%w; Telegraf says:\n%s", err, r.telegraf.Log())
	}
	return r.save(ctx)
}

// save has the processors write their state: they do when told to read their
// configuration again.
func (r *rig) save(ctx context.Context) error {
	before, old := r.reloads(), r.age()
	for _, pid := range r.processors() {
		if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
	}
	return testbed.Until(ctx, "the processor to take up its state", func() bool { return r.reloads() > before || r.age() != old })
}

func (r *rig) reloads() int { return strings.Count(r.telegraf.Log(), "no model is configured") }

// watch reads what Telegraf writes, and looks at the processor's memory.
func (r *rig) watch() {
	var out *os.File
	var rest []byte
	buffer := make([]byte, 1<<20)
	for tick := 0; ; tick++ {
		if tick%500 == 0 {
			r.memory.look(r.processors())
		}
		if out == nil {
			out, _ = os.Open(filepath.Join(r.dir, "out"))
		}
		n := 0
		if out != nil {
			n, _ = out.Read(buffer)
		}
		if n > 0 {
			rest = r.arrive(append(rest, buffer[:n]...))
			continue
		}
		select {
		case <-r.stop:
			if out != nil {
				out.Close()
			}
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// arrive takes whole lines and returns the rest.
func (r *rig) arrive(text []byte) (rest []byte) {
	now := time.Now()
	for {
		line, more, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return bytes.Clone(text)
		}
		r.ledger.arrive(line, now)
		text = more
	}
}

// drain stops the feed and waits for what is still on its way.
func (r *rig) drain(ctx context.Context) {
	_ = r.feed.end()
	const quiet = maxHold + time.Second
	for ctx.Err() == nil {
		if all, latest := r.ledger.complete(); all || time.Since(latest) > quiet {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// end stops Telegraf, and returns the most memory that the processor had.
func (r *rig) end() float64 {
	r.memory.look(r.processors())
	_ = r.telegraf.Stop()
	r.halt()
	return r.memory.most
}

// halt ends watch, once everything was read.
func (r *rig) halt() {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	r.watching.Wait()
}

// stored counts the points in InfluxDB, of measurements that make features.
func (r *rig) stored(ctx context.Context) (points int, err error) {
	for measurement, field := range routed {
		rows, err := r.db.Query(ctx, "chaos", fmt.Sprintf("SELECT count(%s) FROM %s", field, measurement))
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			n, _ := row.Float("count")
			points += int(n)
		}
	}
	return points, nil
}

// close stops what runs.
func (r *rig) close() {
	for _, undo := range r.undo {
		undo()
	}
	if r.feed != nil {
		select {
		case <-r.feed.stop:
		default:
			close(r.feed.stop)
		}
	}
	if r.telegraf != nil {
		_ = r.telegraf.Stop()
		r.halt()
	}
	if r.fifo != nil {
		r.fifo.Close()
	}
	if r.db != nil {
		_ = r.db.Stop()
	}
}

var _ io.Writer = (*feed)(nil)
