package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"telegraf-anomaly/bench/document"
)

// A figure is what one contender took, or why it did not take part.
type figure struct {
	What   string    `json:"what"`
	Who    string    `json:"who"`
	Value  float64   `json:"value,omitempty"` // the best of the rounds, µs unless What says otherwise
	Rounds []float64 `json:"rounds,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// A point of a curve.
type point struct {
	X float64            `json:"x"`
	Y map[string]float64 `json:"y"`
}

// report is everything that was measured.
type report struct {
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"`
	Figures  []figure          `json:"figures"`
	Shares   []point           `json:"shares"`
	Fleet    []point           `json:"fleet"`
	Features []point           `json:"features"`
	Trees    []point           `json:"trees"`
	Targets  []target          `json:"targets"`
}

// find returns a figure's value, ok if it was measured.
func (r *report) find(what, who string) (v float64, ok bool) {
	for _, f := range r.Figures {
		if f.What == what && f.Who == who && f.Why == "" {
			return f.Value, true
		}
	}
	return 0, false
}

// keep takes over from an earlier report what was not measured this time.
func (r *report) keep(path string) {
	var old report
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &old) != nil {
		return
	}
	measured := map[string]figure{}
	for _, f := range r.Figures {
		measured[f.What] = f
	}
	place := slices.IndexFunc(old.Figures, func(f figure) bool { return measured[f.What].What != "" })
	rest := slices.DeleteFunc(old.Figures, func(f figure) bool { return measured[f.What].What != "" })
	if place = max(0, place); place > len(rest) {
		place = len(rest)
	}
	r.Figures = slices.Insert(rest, place, r.Figures...)
	if len(r.Shares) == 0 {
		r.Shares = old.Shares
	}
	if len(r.Fleet) == 0 {
		r.Fleet = old.Fleet
	}
	if len(r.Features) == 0 {
		r.Features, r.Trees = old.Features, old.Trees
	}
	for name, version := range old.Versions {
		if r.Versions[name] == "" {
			r.Versions[name] = version
		}
	}
}

// at returns a value of a curve.
func at(curve []point, x float64, name string) (float64, bool) {
	for _, p := range curve {
		if p.X == x {
			return p.Y[name], true
		}
	}
	return 0, false
}

func machine() string {
	model := regexp.MustCompile(`model name\s*:\s*(.+)`)
	name := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := model.FindSubmatch(text); m != nil {
			name = string(m[1])
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s", runtime.NumCPU(), name, runtime.GOOS, runtime.Version())
}

// cell shows a value with three digits.
func cell(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// rows are the comparison as cells: what, who, the figure, its ratio to ours.
func (r *report) rows(figures []figure) [][]string {
	out := [][]string{{"what", "who", "µs", "× this project"}}
	last := ""
	for _, f := range figures {
		what := f.What
		if what == last {
			what = ""
		}
		last = f.What
		row := []string{what, f.Who, cell(f.Value), ""}
		if own, ok := r.find(f.What, us); ok && own > 0 {
			row[3] = cell(f.Value / own)
		}
		if f.Why != "" {
			row[2], row[3] = "not run: "+f.Why, ""
		}
		out = append(out, row)
	}
	return out
}

// markdown writes the section of docs/BENCHMARKS.md.
func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "On %s, beside other work; %s.\n\n### Targets\n\n", r.Machine, r.versions())
	document.Table(w, targetRows(r.Targets))
	fmt.Fprint(w, "### This project and its peers\n\n")
	document.Table(w, r.rows(r.Figures))
	fmt.Fprint(w, "### How it grows\n\n")
	fmt.Fprintf(w, "![what a line costs](img/%s)\n\n", mixPicture)
	for _, p := range pictures {
		fmt.Fprintf(w, "![%s](img/%s)\n\n", p.title, p.file)
	}
	shares := [][]string{{"lines scored, %", us + ", µs", "cat, µs", "no-op on the shim, µs"}}
	for _, p := range r.Shares {
		shares = append(shares, []string{cell(p.X), cell(p.Y[us]), cell(p.Y["cat"]), cell(p.Y[noop])})
	}
	document.Table(w, shares)
	rows := [][]string{{"hosts", "resident, MB", "at most, MB", "µs a line"}}
	for _, p := range r.Fleet {
		rows = append(rows, []string{cell(p.X), cell(p.Y["resident_MB"]), cell(p.Y["peak_MB"]), cell(p.Y["us_per_line"])})
	}
	document.Table(w, rows)
}

func (r *report) versions() string {
	var all []string
	for _, p := range []string{"scikit-learn", "shap", "isotree", "fasttreeshap-fixed"} {
		if v := r.Versions[p]; v != "" {
			all = append(all, p+" "+v)
		}
	}
	for _, v := range versions {
		all = append(all, strings.TrimPrefix(v, "github.com/"))
	}
	return strings.Join(sorted(all), ", ")
}

// write puts the report where the options say.
func (r *report) write(o *options) error {
	if err := document.JSON(o.JSON, r); err != nil {
		return err
	}
	if o.Docs == "" {
		return nil
	}
	if err := r.draw(filepath.Join(filepath.Dir(o.Docs), "img")); err != nil {
		return err
	}
	return document.Section(o.Docs, "make bench", r.markdown)
}

// micro runs the Go benchmarks of the packages that this is about, into a file
// that benchstat reads.
func micro(path string, count int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	c := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "100ms", "-count", fmt.Sprint(count),
		"./forest", "./shap", "./internal/lp", "./internal/feature", "./internal/stdio", "./internal/detect", "./internal/model")
	c.Stdout, c.Stderr = f, os.Stderr
	if err := c.Run(); err != nil {
		f.Close()
		return fmt.Errorf("go test -bench: %w", err)
	}
	return f.Close()
}
