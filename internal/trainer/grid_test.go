package trainer

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/lp"
)

// pointScores notes the score of each point by group and time.
func pointScores(into map[string]float64) func(*lp.Record) {
	return func(r *lp.Record) {
		group := ""
		for _, tag := range r.Tags {
			group += tag[1]
		}
		for i := range r.Fields {
			if r.Fields[i].Key == engine.FieldScore {
				into[fmt.Sprint(group, r.Time)] = r.Fields[i].Any().(float64)
			}
		}
	}
}

func TestAxes(t *testing.T) {
	a, err := ParseAxis("contamination=0.01,0.05")
	require.NoError(t, err)
	b, err := ParseAxis("window=0s,15m")
	require.NoError(t, err)
	points := Points(Point{Options: detect.DefaultOptions()}, []Axis{a, b})
	require.Len(t, points, 4)
	require.Equal(t, .01, points[1].Options.Contamination)
	require.Equal(t, 15*time.Minute, points[1].Window, "the last axis varies fastest")
	require.Equal(t, .05, points[2].Options.Contamination)
	for _, bad := range []string{"trees", "trees=", "trees=x", "trees=2.5", "colour=3", "window=5", ""} {
		_, err := ParseAxis(bad)
		require.Error(t, err, bad)
	}
}

// The choice: within the budget first, then incidents found, then ranking, then
// quiet, then the earlier point.
func TestBest(t *testing.T) {
	trial := func(falseAlarms, recall, precision float64) Trial {
		return Trial{Measurement: Measurement{Figures: eval.Figures{FalseAlarmsPerDay: falseAlarms, EventRecall: recall, AveragePrecision: precision}}}
	}
	failed := Trial{Err: detect.ErrRows}
	for _, set := range []struct {
		why    string
		trials []Trial
		want   int
	}{
		{"more incidents within the budget", []Trial{trial(.5, .3, .9), trial(.9, .6, .1)}, 1},
		{"a budget is a budget", []Trial{trial(1.5, 1, 1), trial(.9, .2, .1)}, 1},
		{"none within: the quietest", []Trial{trial(9, 1, 1), trial(3, .5, .5)}, 1},
		{"none within, equally loud: whatever the later finds", []Trial{trial(3, .2, .5), trial(3, .9, .5)}, 0},
		{"ranking decides a tie", []Trial{trial(.5, .5, .2), trial(.5, .5, .3)}, 1},
		{"then quiet", []Trial{trial(.5, .5, .2), trial(.2, .5, .2)}, 1},
		{"then the earlier", []Trial{trial(.5, .5, .2), trial(.5, .5, .2)}, 0},
		{"undefined is worth nothing", []Trial{trial(.5, math.NaN(), math.NaN()), trial(.5, .1, .1)}, 1},
		{"a failure is last", []Trial{failed, trial(99, 0, 0)}, 1},
	} {
		require.Equal(t, set.want, best(set.trials, 1), set.why)
	}
}

// A search says the same on any number of cores and in any order of completion.
func TestGridIsDeterministic(t *testing.T) {
	src := fleet(t, 1, 2000)
	s := schema(15 * time.Minute)
	set, _ := fit(t, src, s)
	table, err := ReadTable(t.Context(), src, s, time.Time{})
	require.NoError(t, err)
	o := detect.DefaultOptions()
	o.Trees = 10
	var points []Point
	for _, c := range []float64{.01, .05, .1} {
		o.Contamination = c
		points = append(points, Point{Options: o, Window: s.Window})
	}
	sets := func(time.Duration) (*Set, error) { return set, nil }
	first, err := Grid(t.Context(), points, sets, table, SplitAt(set.From, set.To, set.Seen), 1, func(Trial) {})
	require.NoError(t, err)
	require.True(t, first.Planted, "there are no labels")
	again, err := Grid(t.Context(), points, sets, table, SplitAt(set.From, set.To, set.Seen), 1, func(Trial) {})
	require.NoError(t, err)
	require.Equal(t, first.Best, again.Best)
	for i := range first.Trials {
		require.Equal(t, fmt.Sprint(first.Trials[i].Figures), fmt.Sprint(again.Trials[i].Figures))
		require.Positive(t, first.Trials[i].Events)
	}
	for _, series := range table.Series {
		require.Empty(t, series.Events, "planting is done on a copy")
	}
}

// Spoiled copies: the verdicts follow from what happened.
func TestRobustness(t *testing.T) {
	src := fleet(t, 1, 1500)
	s := schema(15 * time.Minute)
	_, b := fit(t, src, s)
	table, err := ReadTable(t.Context(), src, s, time.Time{})
	require.NoError(t, err)
	e, err := Evaluate(t.Context(), table, b, time.Time{}, true, 1, 2)
	require.NoError(t, err)
	require.True(t, e.Planted)
	require.True(t, e.Seen, "the model was fitted on these rows")
	names := map[string]int{}
	for _, r := range e.Robustness {
		names[r.Name]++
		require.Contains(t, []string{"good", "weak", "bad"}, r.Verdict)
		require.Equal(t, table.Len(), r.Rows, "a record this short is judged whole")
		if r.Name == "outliers" {
			require.Greater(t, r.Detected, .5)
		}
	}
	require.Equal(t, map[string]int{"as recorded": 1, "gaussian noise": 4, "missing values": 2, "outliers": 1, "data shift": 1}, names)
	require.Greater(t, e.AveragePrecision, 2*e.Random.AveragePrecision, "better than a coin")
}

func TestLabels(t *testing.T) {
	for _, set := range []struct{ text, want string }{
		{"start,end\n1,2\n", ""},
		{"begin,end\n1,2\n", "start and end must be among them"},
		{"start,end\n2,1\n", "is not after"},
		{"start,end\nsoon,2\n", "neither RFC 3339 nor Unix seconds"},
		{"", "no header"},
	} {
		_, err := ReadLabels(write(t, set.text))
		if set.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, set.want)
		}
	}
	incidents, err := ReadLabels(write(t, "start,end,kind,culprit\n1795438390.617,1795438421.726,burst,cpu+network\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"cpu", "network"}, incidents[0].Cause)
	x := newIndex(incidents)
	require.NotNil(t, x.at(1795438400e9, "any"))
	require.Nil(t, x.at(1795438300e9, "any"))
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
