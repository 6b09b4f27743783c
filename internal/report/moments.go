package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/trainer"
)

// A Moment is one of the strangest, with what made it so.
type Moment struct {
	Time      time.Time
	Group     string
	Score     float64
	Anomaly   bool
	Labelled  bool
	Parts     []Part
	Sentence  string
	bits      float64
	row       int
	verdicts  *trainer.Verdicts
	positives float64
}

// A Part is what one feature contributed.
type Part struct {
	Feature string
	Value   float64
	Bits    float64
	Half    float64 // length of its bar, % of the space, of which it has one half
	Remark  string  // how the value lies to the training range
}

// apart is how far two moments are from each other at least: an hour of the same
// trouble is one story.
const apart = time.Hour

// Moments are the n highest scores, of each hour and group only the highest.
func Moments(d *Data, n int) []Moment {
	var all []Moment
	for _, v := range d.Judgement.Groups {
		all = append(all, peaks(v, int(apart/d.Judgement.Interval), n)...)
	}
	slices.SortStableFunc(all, func(a, b Moment) int { return cmp.Compare(b.bits, a.bits) })
	all = all[:min(n, len(all))]
	for i := range all {
		all[i].explain(d)
	}
	return all
}

// peaks are a group's n highest rows that are further apart than gap.
func peaks(v *trainer.Verdicts, gap, n int) []Moment {
	var order []int
	bits := make([]float64, len(v.Score))
	for i, shap := range v.Shap {
		if shap == nil {
			continue
		}
		for _, s := range shap { // ranks what has score 1, too: the base is the same for all
			bits[i] += s
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(bits[b], bits[a]) })
	var taken []Moment
	for _, i := range order {
		if len(taken) == n {
			break
		}
		near := func(m Moment) bool { return max(m.row-i, i-m.row) <= gap }
		if !slices.ContainsFunc(taken, near) {
			taken = append(taken, Moment{row: i, bits: bits[i], verdicts: v})
		}
	}
	return taken
}

func (m *Moment) explain(d *Data) {
	v, at := m.verdicts, m.verdicts.First+m.row
	m.Time, m.Group = time.Unix(0, v.Series.Times[at]).UTC(), v.Series.Group
	m.Score, m.Anomaly = v.Score[m.row], v.Flag[m.row]
	m.Labelled = slices.ContainsFunc(v.Series.Events, func(e eval.Event) bool { return e.Start <= at && at < e.End })
	longest := 0.0
	for f, name := range d.Bundle.Schema.Names() {
		p := Part{Feature: name, Value: v.Series.Rows[at][f], Bits: v.Shap[m.row][f]}
		band := d.Bundle.Detector.Range[f]
		p.Remark = remark(p.Value, band.Low, band.High)
		longest = math.Max(longest, math.Abs(p.Bits))
		m.positives += math.Max(0, p.Bits)
		m.Parts = append(m.Parts, p)
	}
	for i := range m.Parts {
		m.Parts[i].Half = 50 * math.Abs(m.Parts[i].Bits) / math.Max(longest, 1e-12)
	}
	slices.SortStableFunc(m.Parts, func(a, b Part) int { return cmp.Compare(b.Bits, a.Bits) })
	m.Sentence = m.sentence()
	m.Parts = m.Parts[:min(8, len(m.Parts))]
}

func remark(x, low, high float64) string {
	switch {
	case math.IsNaN(x):
		return "was missing, an earlier value stands in"
	case x > high:
		return fmt.Sprintf("above its usual %s to %s", figure(low), figure(high))
	case x < low:
		return fmt.Sprintf("below its usual %s to %s", figure(low), figure(high))
	}
	return fmt.Sprintf("inside its usual %s to %s: strange by its recent course or its company", figure(low), figure(high))
}

// sentence names the features that carry most of the push.
func (m *Moment) sentence() string {
	if m.positives == 0 {
		return "Nothing pushes towards an anomaly here."
	}
	var said []string
	covered := 0.0
	for _, p := range m.Parts {
		if p.Bits <= 0 || covered > .8*m.positives || len(said) == 3 {
			break
		}
		covered += p.Bits
		said = append(said, fmt.Sprintf("%s (%.0f %% of the push) at %s, %s", p.Feature, 100*p.Bits/m.positives, figure(p.Value), p.Remark))
	}
	return "Because of " + strings.Join(said, "; and ") + "."
}
