package main

import (
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// pictures of docs/BENCHMARKS.md.
var pictures = []struct {
	file, title, x, y string
	names             []string
	curve             func(*report) []point
}{
	{"speed-shares.png", "a line over the share that is scored", "% scored", "µs", []string{"cat", us, noop}, func(r *report) []point { return r.Shares }},
	{"speed-memory.png", "memory over hosts", "hosts", "MB", []string{"resident_MB", "peak_MB"}, func(r *report) []point { return r.Fleet }},
	{"speed-hosts.png", "a scored line over hosts", "hosts", "µs", []string{"us_per_line"}, func(r *report) []point { return r.Fleet }},
	{"speed-features.png", "a row over features of three columns", "features", "µs", []string{"score", "score and explain"}, func(r *report) []point { return r.Features }},
	{"speed-trees.png", "a row over trees, default schema", "trees", "µs", []string{"score", "score and explain"}, func(r *report) []point { return r.Trees }},
}

// draw writes all pictures into a folder.
func (r *report) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range pictures {
		if points := p.curve(r); len(points) > 1 {
			if err := drawCurves(filepath.Join(dir, p.file), p.title, p.x, p.y, p.names, points); err != nil {
				return err
			}
		}
	}
	return r.drawMixes(filepath.Join(dir, mixPicture))
}

func drawCurves(file, title, x, y string, names []string, points []point) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	if points[0].X > 0 {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	var lines []any
	for _, name := range names {
		xy := make(plotter.XYs, len(points))
		for i, q := range points {
			xy[i] = plotter.XY{X: q.X, Y: q.Y[name]}
		}
		lines = append(lines, name, xy)
	}
	if err := plotutil.AddLinePoints(p, lines...); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*1.5 // room for the legend
	return p.Save(5*vg.Inch, 3*vg.Inch, file)
}

const mixPicture = "speed-lines.png"

// drawMixes shows what each kind of line costs, whoever handles it.
func (r *report) drawMixes(file string) error {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = "a line", "µs"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	var names []string
	for _, m := range mixes {
		names = append(names, m.what[len("a line "):])
	}
	var marks []any
	for _, who := range []string{"cat", us, noop} {
		xy := make(plotter.XYs, 0, len(mixes))
		for k, m := range mixes {
			if v, ok := r.find(m.what, who); ok && v > 0 {
				xy = append(xy, plotter.XY{X: float64(k), Y: v})
			}
		}
		if len(xy) > 0 {
			marks = append(marks, who, xy)
		}
	}
	if len(marks) == 0 {
		return nil
	}
	if err := plotutil.AddScatters(p, marks...); err != nil {
		return err
	}
	p.NominalX(names...)
	p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*4
	return p.Save(6*vg.Inch, 3*vg.Inch, file)
}
