package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/testbed"
)

type options struct {
	Rounds int      `help:"Turns of everybody; the best counts." default:"5"`
	Hosts  int      `help:"The largest fleet." default:"100000"`
	Only   []string `help:"Parts to measure: rows, lines, file, memory, start, telegraf, fleet, curves, micro. Default: all. Else the figures of the other parts stay as they are in the JSON file."`
	Python string   `help:"Python interpreter whose venv module makes the peers' environments." env:"PYTHON"`
	Cache  string   `help:"Folder for what peers need." default:".cache/speed" type:"path"`
	Micro  string   `help:"Write the Go benchmarks to this file, for benchstat." type:"path"`
	JSON   string   `help:"Write the figures to this file, too." type:"path"`
	Docs   string   `help:"Put the tables into this file, between its markers, and pictures beside it." type:"path"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("This project and its peers, side by side."))
	if err := measure(&o); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

// bench is a run of this program.
type bench struct {
	options *options
	rounds  int
	cache   string
	dir     string // for files that are gone afterwards
	program string // this project's
	config  string // with which it serves a model
	peers   []*peer
	report  report
}

func (b *bench) peer(who string) *peer {
	i := slices.IndexFunc(b.peers, func(p *peer) bool { return p.who == who })
	return b.peers[i]
}

// add shows figures and keeps them.
func (b *bench) add(figures []figure) {
	b.report.Figures = append(b.report.Figures, figures...)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range b.report.rows(figures)[1:] {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // to a terminal
}

func measure(o *options) error {
	root, err := testbed.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, rounds: o.Rounds, cache: o.Cache, dir: dir, report: report{Machine: machine(), Versions: map[string]string{}}}
	if err := b.prepare(root); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"rows", b.rowwise}, {"lines", b.linewise}, {"lines", b.growing}, {"file", b.files}, {"memory", b.memories}, {"start", b.starting},
		{"telegraf", func() error { return b.throughTelegraf(root) }}, {"fleet", b.fleets}, {"curves", b.features}, {"curves", b.trees},
		{"micro", func() error { return micro(o.Micro, o.Rounds) }},
	} {
		if !o.wants(part.name) {
			continue
		}
		if err := part.do(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	for _, p := range b.peers {
		p.close()
	}
	if len(o.Only) > 0 {
		b.report.keep(o.JSON)
	}
	b.report.judge()
	return b.report.write(o)
}

func (o *options) wants(part string) bool {
	if part == "micro" && o.Micro == "" {
		return false
	}
	return len(o.Only) == 0 || slices.Contains(o.Only, part)
}

// prepare builds the program and a model for it.
func (b *bench) prepare(root string) error {
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return err
	}
	b.program = filepath.Join(b.cache, "telegraf-anomaly")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.program, "./cmd/telegraf-anomaly")
	c.Dir = root
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, lastLine(said))
	}
	bundle, err := fit(100)
	if err != nil {
		return err
	}
	b.config, err = serve(b.dir, bundle, "")
	return err
}

// guests are the peers, new and not started yet.
func (b *bench) guests() ([]*peer, error) {
	script := filepath.Join(b.dir, "peer.py")
	text, err := programs.ReadFile("testdata/peer.py")
	if err == nil {
		err = os.WriteFile(script, text, 0o600)
	}
	program, why := build("gopeer", b.cache)
	return append(python(b.options.Python, b.cache, script), &peer{who: goPeer, command: []string{program}, why: why}), err
}

const modelFile = "model file, kB"

// files compares models on the disk.
func (b *bench) files() error {
	store, err := model.OpenStore(filepath.Join(b.dir, "model"))
	if err != nil {
		return err
	}
	name, err := store.Current()
	if err != nil {
		return err
	}
	contenders := []contender{{us, func() (float64, error) {
		info, err := os.Stat(filepath.Join(b.dir, "model", name+".model"))
		return float64(info.Size()) / 1e3, err
	}}}
	for _, p := range b.peers {
		if p.who != fastTreeSHAP { // whose models are scikit-learn's
			contenders = append(contenders, contender{p.who, func() (float64, error) {
				a, err := p.ask(request{Do: "size"})
				return float64(a.Bytes) / 1e3, err
			}})
		}
	}
	b.add(alternate(modelFile, 1, contenders...))
	return nil
}
