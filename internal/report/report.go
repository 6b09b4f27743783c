// Package report shows what a model makes of a record, in one HTML file that
// needs nothing from anywhere else.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"

	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/quality"
	"telegraf-anomaly/internal/trainer"
)

//go:embed report.html
var files embed.FS

// Data are what a report is about. Quality and Evaluation may be nil.
type Data struct {
	Record     string // what was judged, in words
	Version    string // name of the model's version
	Bundle     *model.Bundle
	Table      *trainer.Table
	Judgement  *trainer.Judgement
	Evaluation *trainer.Evaluation
	Quality    *quality.Report
}

// A Plot is a picture with what it shows in words.
type Plot struct {
	Name, Title, Text string
	SVG               template.HTML
}

// page is what the template sees.
type page struct {
	*Data
	Rows, Alarms int
	Rate         float64
	From, To     time.Time
	Plots        []Plot
	Importance   []bar
	Moments      []Moment
	Features     []featureRow
}

type bar struct {
	Name  string
	Value float64
	Share float64 // of the longest, %
}

type featureRow struct {
	Name                   string
	Low, High, Median      float64
	SeenLow, SeenHigh      float64
	Outside                int
	Measurement, Expressed string
}

// Write renders the report.
func Write(w io.Writer, d *Data) error {
	t, err := template.New("report.html").Funcs(template.FuncMap{
		"figure": figure, "percent": percent, "when": when,
	}).ParseFS(files, "report.html")
	if err != nil {
		return err
	}
	p := &page{Data: d, Rate: d.Judgement.AlarmsPerHostWeek(), Moments: Moments(d, 20), Importance: importance(d), Features: features(d)}
	p.From, p.To = d.Table.Range()
	for _, v := range d.Judgement.Groups {
		p.Rows += len(v.Score)
		for _, f := range v.Flag {
			if f {
				p.Alarms++
			}
		}
	}
	if p.Plots, err = Plots(d); err != nil {
		return err
	}
	return t.Execute(w, p)
}

func figure(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case a >= 1e9:
		return fmt.Sprintf("%.3g G", x/1e9)
	case a >= 1e6:
		return fmt.Sprintf("%.3g M", x/1e6)
	case a >= 1e4:
		return fmt.Sprintf("%.3g k", x/1e3)
	}
	return fmt.Sprintf("%.3g", x)
}

func percent(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// importance is the mean size of each feature's contribution.
func importance(d *Data) []bar {
	names := d.Bundle.Schema.Names()
	bars := make([]bar, len(names))
	rows, longest := 0.0, 0.0
	for _, v := range d.Judgement.Groups {
		for _, shap := range v.Shap {
			if shap == nil {
				continue
			}
			rows++
			for f := range bars {
				bars[f].Value += math.Abs(shap[f])
			}
		}
	}
	for f := range bars {
		bars[f].Name = names[f]
		bars[f].Value /= math.Max(1, rows)
		longest = math.Max(longest, bars[f].Value)
	}
	for f := range bars {
		if longest > 0 {
			bars[f].Share = 100 * bars[f].Value / longest
		}
	}
	return bars
}

// features compares what the model knows of each feature with the record.
func features(d *Data) []featureRow {
	var rows []featureRow
	for f, feature := range d.Bundle.Schema.Features {
		band := d.Bundle.Detector.Range[f]
		row := featureRow{
			Name: feature.Name, Low: band.Low, High: band.High, Median: d.Bundle.Detector.Median[f],
			SeenLow: math.NaN(), SeenHigh: math.NaN(), Measurement: feature.Measurement, Expressed: feature.Kind,
		}
		for _, s := range d.Table.Series {
			for _, values := range s.Rows {
				row.see(values[f])
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *featureRow) see(x float64) {
	if math.IsNaN(x) {
		return
	}
	if !(r.SeenLow <= x) {
		r.SeenLow = x
	}
	if !(r.SeenHigh >= x) {
		r.SeenHigh = x
	}
	if x < r.Low || x > r.High {
		r.Outside++
	}
}
