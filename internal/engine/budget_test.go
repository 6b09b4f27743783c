package engine

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/detect"
)

// Quantiles are the upper ends of the steps that hold the true ones: never less
// than these, and a quarter more at most.
func TestDelaysAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d delays
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour/time.Microsecond)), 1, 200).Draw(t, "us")
		for _, us := range all {
			d.add(time.Duration(us) * time.Microsecond)
		}
		slices.Sort(all)
		q := rapid.Float64Range(0, 0.999).Draw(t, "q")
		want := time.Duration(all[int(q*float64(len(all)))]) * time.Microsecond
		got := d.quantile(q)
		require.GreaterOrEqual(t, got, want)
		require.LessOrEqual(t, float64(got), 1.25*float64(want))
	})
}

func TestDelaysAtTheEdges(t *testing.T) {
	var d delays
	require.Zero(t, d.quantile(0.5), "nothing waited")
	d.add(-time.Second) // a clock that went back
	require.Zero(t, d.quantile(0.5))
	d.add(math.MaxInt64)
	require.Positive(t, d.quantile(0.99))
	for us := uint64(1); us < 1<<20; us++ {
		require.GreaterOrEqual(t, step(us), step(us-1))
	}
}

// A budget's threshold: a margin over the model's own, higher while the unit is
// young and after alarms, ln 2 excesses lower for twice the alarms.
func TestBudgetThreshold(t *testing.T) {
	b := budget{Base: -0.5, Excess: 0.1}
	require.InDelta(t, -0.5+0.1*margin, b.threshold(1, 0), 1e-12)
	require.InDelta(t, 0.1*math.Ln2, b.threshold(1, 0)-b.threshold(2, 0), 1e-12)
	require.InDelta(t, 0.1*youth, b.threshold(1, 1)-b.threshold(1, 0), 1e-12)
	require.Equal(t, b.Base, b.threshold(1e9, 0), "never below the model's own")
	rapid.Check(t, func(t *rapid.T) {
		young, older := rapid.Float64Range(0, 1).Draw(t, "young"), rapid.Float64Range(0, 1).Draw(t, "older")
		week := rapid.Float64Range(0.01, 1000).Draw(t, "per week")
		if young < older {
			young, older = older, young
		}
		require.GreaterOrEqual(t, b.threshold(week, young), b.threshold(week, older))
		require.GreaterOrEqual(t, b.threshold(week, older), b.threshold(2*week, older))
	})
}

// Alarms raise it by steps up to a limit; half of that is gone after the time to
// forget; an accepted change settles all.
func TestBudgetSteps(t *testing.T) {
	var b budget
	b.pass(1, 0)
	b.alarmed(0.5)
	require.Zero(t, b.Extra, "the first days have their own margin")
	b.alarmed(0)
	require.Equal(t, float64(alarmStep), b.Extra)
	b.pass(1+int64(forget), 0)
	require.InDelta(t, alarmStep/2, b.Extra, 1e-9)
	for range 10 {
		b.alarmed(0)
	}
	require.Equal(t, float64(maxExtra), b.Extra)
	b.pass(1, 0)
	require.Equal(t, float64(maxExtra), b.Extra, "time that runs back forgets nothing")
	b.pass(2, 1)
	require.Zero(t, b.Extra)
}

// What a model's training scores say about the tail: never nothing.
func TestBudgetBegins(t *testing.T) {
	m := fitted(t, 1)
	var b budget
	b.begin(m)
	require.Equal(t, detect.ToBits(m.Detector.Threshold), b.Base)
	require.GreaterOrEqual(t, b.Excess, minExcess)
}

// In a stream: the threshold falls while the host grows up, alarms that begin lift
// it, and alarm and threshold always agree.
func TestBudgetInTheStream(t *testing.T) {
	c := learning()
	c.AlarmsPerWeek, c.Accept = 1, 2*time.Hour
	r := newRig(t, c)
	points := r.usual("a", 0, 6*60+2*minSamples)
	threshold := func(k int) float64 { return points[k].float(FieldThreshold) }
	require.Greater(t, threshold(minSamples+10), threshold(minSamples+60))
	require.LessOrEqual(t, len(alarms(points)), 2, "of 400 rows, by twenty trees that know an hour")

	k := len(points)
	quiet := r.vector("a", k, usual(r.random, 1)).float(FieldThreshold)
	loud := r.vector("a", k+1, []float64{1e6, 1e6, 1e12})
	require.True(t, loud.alarm())
	require.InDelta(t, quiet, loud.float(FieldThreshold), 1e-6)
	require.Greater(t, r.vector("a", k+2, usual(r.random, 1)).float(FieldThreshold), quiet)
	for i := range r.verdicts {
		if p := &r.verdicts[i]; p.status().scored() {
			explained(t, p)
			require.True(t, !p.alarm() || p.float(FieldScore) > p.float(FieldThreshold))
		}
	}
}
