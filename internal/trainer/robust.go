package trainer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// A Scenario is a way in which data go bad, with what became of the detector.
type Scenario struct {
	Name      string
	Level     string
	Rows      int // the latest ones, see robustRows
	Figures   eval.Figures
	Alarms    float64 // per host and week
	Unscored  float64 // share of the rows without a verdict
	Detected  float64 // of the outliers put in, the share that was flagged; NaN elsewhere
	Verdict   string  // "good", "weak" or "bad"
	Recommend string
}

// spoiler changes rows, in place, and returns the rows that it made outliers of.
type spoiler func(random *rand.Rand, rows [][]float64, deviation []float64) (outliers []int)

type scenario struct {
	name, level string
	spoil       spoiler
	advise      func(clean, now *Scenario) (verdict, text string)
}

func scenarios() []scenario {
	s := []scenario{{name: "as recorded", spoil: func(*rand.Rand, [][]float64, []float64) []int { return nil }, advise: func(_, _ *Scenario) (string, string) { return "good", "" }}}
	for _, sigma := range []float64{.01, .02, .05, .1} {
		s = append(s, scenario{"gaussian noise", fmt.Sprintf("σ = %g deviations", sigma), noise(sigma), adviseNoise})
	}
	for _, share := range []float64{.05, .2} {
		s = append(s, scenario{"missing values", fmt.Sprintf("%.0f %% of the values", 100*share), missing(share), adviseMissing})
	}
	return append(s,
		scenario{"outliers", "10 × the value in 1 % of the rows", outliers(.01), adviseOutliers},
		scenario{"data shift", "+ 1 deviation for good", shifted(1), adviseShift},
	)
}

// Robustness spoils the rows of t since from in several ways and judges each.
// The incidents of t, its own or planted ones, are what is to be found.
func Robustness(ctx context.Context, t *Table, b *model.Bundle, from time.Time, seed uint64, workers int) ([]Scenario, error) {
	from = latest(t, from)
	list := scenarios()
	results := make([]Scenario, len(list))
	err := parallel(len(list), workers, func(i int) (err error) {
		results[i], err = list[i].run(ctx, t, b, from, seed)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		results[i].Verdict, results[i].Recommend = list[i].advise(&results[0], &results[i])
	}
	return results, nil
}

// robustRows bounds the work: every scenario judges all of them again.
const robustRows = 20_000

// latest moves from so far that robustRows are left, unless no incident would be.
func latest(t *Table, from time.Time) time.Time {
	first, last := t.Range()
	if from.After(first) {
		first = from
	}
	share := math.Min(1, robustRows/float64(t.Len()))
	later := last.Add(-time.Duration(share * float64(last.Sub(first))))
	if later.Before(first) || !t.Labelled(later) {
		return from
	}
	return later
}

func (c *scenario) run(ctx context.Context, t *Table, b *model.Bundle, from time.Time, seed uint64) (s Scenario, err error) {
	random := rand.New(rand.NewPCG(seed, 0x0b))
	j := &Judgement{Interval: t.Schema.Interval}
	put, found := 0, 0
	for _, original := range t.Series {
		series := original.Clone(time.Time{})
		first := series.at(from)
		hit := c.spoil(random, series.Rows[first:], deviations(series.Rows))
		limit(series.Rows[first:], &t.Schema)
		v, err := Judge(ctx, series, b, from)
		if err != nil {
			return s, err
		}
		j.Groups = append(j.Groups, v)
		put += len(hit)
		for _, row := range hit {
			found += btoi(v.Flag[row])
		}
	}
	score, flag, events := j.Flat()
	unscored := 0
	for _, x := range score {
		unscored += btoi(math.IsNaN(x))
	}
	return Scenario{
		Name: c.name, Level: c.level, Rows: len(score), Figures: eval.Measure(score, flag, events, j.Interval), Alarms: j.AlarmsPerHostWeek(),
		Unscored: float64(unscored) / float64(len(score)), Detected: float64(found) / float64(put),
	}, nil
}

func deviations(rows [][]float64) []float64 {
	d := make([]float64, len(rows[0]))
	for f := range d {
		var values []float64
		for _, row := range rows {
			if !math.IsNaN(row[f]) {
				values = append(values, row[f])
			}
		}
		if len(values) > 1 {
			d[f] = stat.StdDev(values, nil)
		}
	}
	return d
}

// limit keeps percentages percentages: beyond a feature's valid range a value
// would only count as missing.
func limit(rows [][]float64, s *feature.Schema) {
	for f := range s.Features {
		low, high := s.Features[f].Min, s.Features[f].Max
		for _, row := range rows {
			if low != nil && row[f] < *low {
				row[f] = *low
			}
			if high != nil && row[f] > *high {
				row[f] = *high
			}
		}
	}
}

func noise(sigma float64) spoiler {
	return func(random *rand.Rand, rows [][]float64, deviation []float64) []int {
		for _, row := range rows {
			for f := range row {
				row[f] += sigma * deviation[f] * random.NormFloat64()
			}
		}
		return nil
	}
}

func missing(share float64) spoiler {
	return func(random *rand.Rand, rows [][]float64, _ []float64) []int {
		for _, row := range rows {
			for f := range row {
				if random.Float64() < share {
					row[f] = math.NaN()
				}
			}
		}
		return nil
	}
}

func outliers(share float64) spoiler {
	return func(random *rand.Rand, rows [][]float64, _ []float64) (hit []int) {
		for i, row := range rows {
			f := random.IntN(len(row))
			if random.Float64() < share && !math.IsNaN(row[f]) && row[f] != 0 {
				row[f] *= 10
				hit = append(hit, i)
			}
		}
		return hit
	}
}

func shifted(by float64) spoiler {
	return func(_ *rand.Rand, rows [][]float64, deviation []float64) []int {
		for _, row := range rows {
			for f := range row {
				row[f] += by * deviation[f]
			}
		}
		return nil
	}
}

func adviseNoise(clean, now *Scenario) (string, string) {
	lost := clean.Figures.AveragePrecision - now.Figures.AveragePrecision
	switch {
	case now.Alarms > 2*clean.Alarms+1:
		return "bad", "noise raises alarms: fit on data with the noise that production has, or lengthen the window"
	case lost > .1:
		return "weak", "noise hides incidents: lengthen the window, so that its mean and deviation steady the view"
	}
	return "good", "nothing to do"
}

func adviseMissing(_, now *Scenario) (string, string) {
	switch {
	case now.Unscored > .2:
		return "bad", `many rows cannot be judged: set missing = "carry", or repair the input that fails`
	case now.Unscored > .02:
		return "weak", `some rows cannot be judged: missing = "carry" bridges short gaps`
	}
	return "good", "short gaps are bridged"
}

func adviseOutliers(_, now *Scenario) (string, string) {
	switch {
	case math.IsNaN(now.Detected) || now.Detected >= .9:
		return "good", "outliers are found"
	case now.Detected >= .5:
		return "weak", "some outliers pass: raise range_weight"
	}
	return "bad", "most outliers pass: raise range_weight above 0; a bare forest saturates beyond its training range"
}

func adviseShift(clean, now *Scenario) (string, string) {
	if now.Alarms > 3*clean.Alarms+7 {
		return "weak", "a lasting shift alarms until the model is fitted again: watch the drift tests and retrain"
	}
	return "good", "a shift of one deviation is borne"
}
