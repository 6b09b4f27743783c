package report

import (
	"bytes"
	"html/template"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"telegraf-anomaly/internal/eval"
)

var (
	ink    = color.RGBA{0x33, 0x41, 0x55, 0xff}
	blue   = color.RGBA{0x25, 0x63, 0xeb, 0xff}
	red    = color.RGBA{0xdc, 0x26, 0x26, 0xff}
	pale   = color.RGBA{0xcb, 0xd5, 0xe1, 0xff}
	yellow = color.RGBA{0xfd, 0xe6, 0x8a, 0xff}
)

// Plots draws everything that the data allow.
func Plots(d *Data) ([]Plot, error) {
	score, flag, events := d.Judgement.Flat()
	plots := []Plot{
		{Name: "scores", Title: "How scores are distributed", Text: "Rows per score, on a logarithmic scale; right of the red line is an anomaly."},
	}
	drawings := []func() (*plot.Plot, error){func() (*plot.Plot, error) { return histogram(score, d.Bundle.Detector.Threshold) }}
	add := func(name, title, text string, f func() (*plot.Plot, error)) {
		plots = append(plots, Plot{Name: name, Title: title, Text: text})
		drawings = append(drawings, f)
	}
	for i, v := range d.Judgement.Groups {
		if i == 4 {
			break // a page, not a wall
		}
		add("timeline", "Score over time"+of(v.Series.Group), "The highest score of each stretch; anomalies in red, labelled incidents shaded.", func() (*plot.Plot, error) {
			return timeline(v.Series.Times[v.First:v.First+len(v.Score)], v.Score, v.Flag, v.Events(), d.Bundle.Detector.Threshold)
		})
	}
	if len(events) > 0 {
		label := eval.Rows(events, len(score))
		curve := eval.Curve(score, label)
		at := eval.Confuse(flag, label)
		add("precision-recall", "Precision and recall", "Every threshold on the labelled rows; the dot is the model's own.", func() (*plot.Plot, error) { return precisionRecall(curve, at) })
		add("roc", "Receiver operating characteristic", "The dashed line is chance; the dot is the model's own threshold.", func() (*plot.Plot, error) { return roc(curve, at) })
	}
	for i, draw := range drawings {
		p, err := draw()
		if err != nil {
			return nil, err
		}
		wide := plots[i].Name == "timeline"
		if plots[i].SVG, err = svg(p, wide); err != nil {
			return nil, err
		}
	}
	return plots, nil
}

func of(group string) string {
	if group == "" {
		return ""
	}
	return ": " + group
}

// svg draws p, without the frame that only a file needs.
func svg(p *plot.Plot, wide bool) (template.HTML, error) {
	width, height := vg.Length(460), vg.Length(280)
	if wide {
		width, height = 960, 260
	}
	c := vgsvg.New(width, height)
	p.Draw(draw.Crop(draw.New(c), 0, -8, 0, 0)) // the last label is as wide as its tick is not
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	text := b.Bytes()
	if i := bytes.Index(text, []byte("<svg")); i > 0 {
		text = text[i:]
	}
	return template.HTML(text), nil // vgsvg escapes what it is given
}

func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Label.TextStyle.Color, a.Tick.Label.Color, a.Tick.Color = pale, ink, ink, pale
		a.Label.TextStyle.Font = font.From(plot.DefaultFont, 11)
		a.Tick.Label.Font = font.From(plot.DefaultFont, 10)
		a.Padding = 0
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.RGBA{0xf1, 0xf5, 0xf9, 0xff}, color.RGBA{0xf1, 0xf5, 0xf9, 0xff}
	p.Add(grid)
	return p
}

const bins = 60

// histogram has logarithmic heights, or the few that matter could not be seen.
func histogram(score []float64, threshold float64) (*plot.Plot, error) {
	p := newPlot("anomaly score", "rows")
	low, high := bounds(score)
	low, high = math.Min(low, threshold), math.Max(high, threshold)
	width := (high - low) / bins
	if width == 0 {
		width = 1e-3
	}
	counts := make([]float64, bins)
	for _, s := range score {
		if !math.IsNaN(s) {
			counts[min(bins-1, int((s-low)/width))]++
		}
	}
	most := 1.0
	for i, n := range counts {
		if n == 0 {
			continue
		}
		most = math.Max(most, n)
		x := low + float64(i)*width
		box, err := plotter.NewPolygon(plotter.XYs{{X: x, Y: .5}, {X: x, Y: n}, {X: x + width*.92, Y: n}, {X: x + width*.92, Y: .5}})
		if err != nil {
			return nil, err
		}
		box.Color, box.LineStyle.Width = blue, 0
		if x+width/2 > threshold {
			box.Color = red
		}
		p.Add(box)
	}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Min, p.Y.Max = .5, math.Pow(10, math.Ceil(math.Log10(most+1)))
	p.X.Min, p.X.Max = low, high+width
	return p, line(p, red, plotter.XYs{{X: threshold, Y: p.Y.Min}, {X: threshold, Y: p.Y.Max}})
}

func bounds(x []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		if !math.IsNaN(v) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if low > high {
		return 0, 1
	}
	return low, high
}

func line(p *plot.Plot, c color.Color, points plotter.XYs) error {
	l, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	l.Color, l.Width = c, 1.2
	p.Add(l)
	return nil
}

// columns is the number of stretches that a timeline is cut into.
const columns = 900

func timeline(times []int64, score []float64, flag []bool, events []eval.Event, threshold float64) (*plot.Plot, error) {
	p := newPlot("", "anomaly score")
	p.X.Tick.Marker = plot.TimeTicks{Format: "2 Jan\n15:04", Ticker: timeTicker{}}
	low, high := bounds(score)
	p.Y.Min, p.Y.Max = math.Min(low, threshold)-.02, math.Max(high, threshold)+.02
	if err := shade(p, times, events); err != nil {
		return nil, err
	}
	per := max(1, (len(score)+columns-1)/columns)
	var points, red plotter.XYs
	for i := 0; i < len(score); i += per {
		best := -1
		for k := i; k < min(i+per, len(score)); k++ {
			if !math.IsNaN(score[k]) && (best < 0 || score[k] > score[best]) {
				best = k
			}
		}
		if best < 0 {
			continue
		}
		at := plotter.XY{X: float64(times[best]) / 1e9, Y: score[best]}
		points = append(points, at)
		if flag[best] {
			red = append(red, at)
		}
	}
	if len(points) > 1 {
		if err := line(p, blue, points); err != nil {
			return nil, err
		}
	}
	if err := dots(p, red, 2); err != nil {
		return nil, err
	}
	if len(times) > 0 {
		p.X.Min, p.X.Max = float64(times[0])/1e9, float64(times[len(times)-1])/1e9+1
	}
	return p, line(p, color.RGBA{0xdc, 0x26, 0x26, 0x90}, plotter.XYs{{X: p.X.Min, Y: threshold}, {X: p.X.Max, Y: threshold}})
}

func dots(p *plot.Plot, points plotter.XYs, radius vg.Length) error {
	if len(points) == 0 {
		return nil
	}
	s, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: red, Radius: radius, Shape: draw.CircleGlyph{}}
	p.Add(s)
	return nil
}

// shade marks the labelled incidents.
func shade(p *plot.Plot, times []int64, events []eval.Event) error {
	for _, e := range events {
		from, to := float64(times[e.Start])/1e9, float64(times[e.End-1])/1e9
		span := (float64(times[len(times)-1]) - float64(times[0])) / 1e9
		to = math.Max(to, from+span/columns)
		box, err := plotter.NewPolygon(plotter.XYs{{X: from, Y: p.Y.Min}, {X: from, Y: p.Y.Max}, {X: to, Y: p.Y.Max}, {X: to, Y: p.Y.Min}})
		if err != nil {
			return err
		}
		box.Color, box.LineStyle.Width = yellow, 0
		p.Add(box)
	}
	return nil
}

// timeTicker puts some six ticks at round times.
type timeTicker struct{}

// Ticks implements plot.Ticker.
func (timeTicker) Ticks(low, high float64) (ticks []plot.Tick) {
	steps := []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour,
		6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
	}
	step := steps[len(steps)-1].Seconds()
	for _, s := range steps {
		if (high-low)/s.Seconds() <= 12 {
			step = s.Seconds()
			break
		}
	}
	for x := math.Ceil(low/step) * step; x <= high; x += step {
		ticks = append(ticks, plot.Tick{Value: x, Label: "t"})
	}
	return ticks
}

func precisionRecall(curve []eval.Point, at eval.Confusion) (*plot.Plot, error) {
	p := newPlot("recall", "precision")
	positives := float64(curve[len(curve)-1].TP)
	points := make(plotter.XYs, 0, len(curve))
	for _, c := range thin(curve) {
		points = append(points, plotter.XY{X: float64(c.TP) / positives, Y: float64(c.TP) / float64(c.TP+c.FP)})
	}
	square(p)
	if err := line(p, blue, points); err != nil {
		return nil, err
	}
	if math.IsNaN(at.Precision()) {
		return p, nil
	}
	return p, dots(p, plotter.XYs{{X: at.Recall(), Y: at.Precision()}}, 4)
}

func roc(curve []eval.Point, at eval.Confusion) (*plot.Plot, error) {
	p := newPlot("false positive rate", "true positive rate")
	last := curve[len(curve)-1]
	points := plotter.XYs{{}}
	for _, c := range thin(curve) {
		points = append(points, plotter.XY{X: float64(c.FP) / math.Max(1, float64(last.FP)), Y: float64(c.TP) / float64(last.TP)})
	}
	square(p)
	chance, err := plotter.NewLine(plotter.XYs{{}, {X: 1, Y: 1}})
	if err != nil {
		return nil, err
	}
	chance.Color, chance.Dashes = pale, []vg.Length{4, 4}
	p.Add(chance)
	if err := line(p, blue, points); err != nil {
		return nil, err
	}
	return p, dots(p, plotter.XYs{{X: float64(at.FP) / math.Max(1, float64(last.FP)), Y: at.Recall()}}, 4)
}

func square(p *plot.Plot) { p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1.02 }

// thin keeps a thousand points of a curve at most.
func thin(curve []eval.Point) []eval.Point {
	step := (len(curve) + 999) / 1000
	var kept []eval.Point
	for i := 0; i < len(curve); i += step {
		kept = append(kept, curve[i])
	}
	return append(kept, curve[len(curve)-1])
}
