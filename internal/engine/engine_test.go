package engine

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

// A stream that begins with nothing: lines pass unscored while the progress
// rises, then the first model scores.
func TestColdStart(t *testing.T) {
	r := newRig(t, learning())
	points := r.usual("a", 0, minSamples+20)
	first := 0
	for ; points[first].status() == StatusLearning; first++ {
		require.InDelta(t, float64(max(0, first-4))/minSamples, points[first].float(FieldProgress), 0.015)
		require.NotContains(t, points[first].fields, FieldScore)
		require.Nil(t, r.emitted[first].fields)
	}
	require.InDelta(t, minSamples+5, first, 2)
	for i := range points[first:] {
		require.Equal(t, StatusOK, points[first+i].status())
		require.NotNil(t, r.emitted[first+i].fields)
		require.NotContains(t, points[first+i].fields, FieldProgress)
	}
	require.EqualValues(t, 1, r.engine.Counts.Promotions)
	require.Equal(t, "ok", r.engine.State())
}

// With neither a model nor learning, every line passes and the status says why.
func TestNoModel(t *testing.T) {
	r := newRig(t, given(nil))
	require.Equal(t, map[Status]int{StatusNoModel: 50}, statuses(r.usual("a", 0, 50)))
	require.Len(t, r.emitted, 50)
	require.NoError(t, r.engine.Offer(fitted(t, 1))) // one that comes later serves
	require.Equal(t, StatusOK, r.vector("a", 50, usual(r.random, 1)).status())
}

// What is written never changes its name, order or type.
func TestFieldsAreGolden(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	r.usual("a", 0, warmup)
	r.vector("a", warmup, strange)
	kinds := func(keys []string, fields map[string]any) (text []string) {
		for _, k := range keys {
			text = append(text, fmt.Sprintf("%s %T", k, fields[k]))
		}
		return text
	}
	scored := []string{"anomaly_score float64", "is_anomaly int64", "shap_cpu float64", "shap_memory float64", "shap_network float64"}
	last := r.emitted[len(r.emitted)-1]
	require.Equal(t, scored, kinds(last.keys, last.fields))
	p := r.verdicts[len(r.verdicts)-1]
	require.Equal(t, append(scored,
		"threshold float64", "shap_base float64", "cpu float64", "memory float64", "network float64", "model string",
		"episode string", "episode_start int64", "reason string", "suspect string", "latency_ms float64", "status string"), kinds(p.keys, p.fields))
	require.Equal(t, map[string]string{"host": "a"}, p.tags)
	require.Equal(t, minute(warmup), p.time)
	require.Equal(t, minute(warmup).UnixNano(), p.fields[FieldEpisodeStart])
	require.Equal(t, strange, []float64{p.float("cpu"), p.float("memory"), p.float("network")})
}

// The self-metric has the same fields, whatever has happened.
func TestSelfMetricIsGolden(t *testing.T) {
	want := []string{"vectors", "scored", "anomalies", "learning", "missing", "warming", "already_annotated", "errors_score",
		"errors_fit", "promotions", "reasons_shortened", "latency_p50_ms", "latency_p99_ms", "hosts", "late", "duplicate", "invalid", "evicted", "refused", "resynced"}
	keys := func(r *rig) []string { k, _ := copied(r.engine.SelfMetric(nil)); return k }

	unknown := learning()
	unknown.Schema.Interval = 0
	require.Equal(t, want[:13], keys(newRig(t, unknown)), "the interval is not known yet")
	require.Equal(t, want, keys(newRig(t, learning())))
	r := newRig(t, given(fitted(t, 1)))
	r.usual("a", 0, 20)
	require.Equal(t, append(want, "disagreement", "model", "model_age_s"), keys(r))
	_, fields := copied(r.engine.SelfMetric(nil))
	require.Equal(t, int64(20), fields["vectors"])
	require.Equal(t, int64(1), fields["hosts"])
}

// With a model for each host, the oldest one tells when new ones are due.
func TestModelAgeIsThatOfTheOldestModel(t *testing.T) {
	r := newRig(t, learning())
	age := func() any { _, fields := copied(r.engine.SelfMetric(nil)); return fields["model_age_s"] }
	r.usual("a", 0, minSamples/2)
	require.Nil(t, age(), "there is no model yet")
	r.usual("a", minSamples/2, 3*minSamples)
	r.usual("b", minSamples/2, 3*minSamples)
	first, second := r.engine.units["a"].Champion.Bundle.Provenance.To, r.engine.units["b"].Champion.Bundle.Provenance.To
	require.NotEqual(t, first, second)
	if second.Before(first) {
		first = second
	}
	require.InDelta(t, r.engine.now.Sub(first).Seconds(), age(), 1e-9)
}

// On any stream: every point comes back exactly once and in order, scores prove
// themselves, nothing is NaN, and an alarm is above its threshold.
func TestAnyStream(t *testing.T) {
	b := fitted(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, given(b))
		value := rapid.OneOf(rapid.Float64Range(0, 100), rapid.Float64Range(-1e12, 1e12), rapid.SampledFrom([]float64{0, 1e300, -1e300, 5e-324}))
		k := 0
		for range rapid.IntRange(1, 60).Draw(rt, "vectors") {
			k += rapid.SampledFrom([]int{1, 1, 1, 1, 1, 2, 30}).Draw(rt, "step")
			r.vector(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "host"), k, []float64{value.Draw(rt, "cpu"), value.Draw(rt, "memory"), value.Draw(rt, "network")})
		}
		r.engine.Flush(minute(k))
		require.Len(rt, r.emitted, r.handle-r.passed)
		for i := range r.verdicts {
			p := &r.verdicts[i]
			for key, x := range p.fields {
				if f, ok := x.(float64); ok {
					require.False(rt, math.IsNaN(f) || math.IsInf(f, 0), "%s = %v", key, f)
				}
			}
			if !p.status().scored() {
				continue
			}
			explained(rt, p)
			if p.alarm() {
				require.Equal(rt, StatusOK, p.status())
				require.Greater(rt, p.float(FieldScore), p.float(FieldThreshold))
				require.NotEmpty(rt, p.fields[FieldReason])
			}
		}
		require.Zero(rt, r.engine.Counts.Panics, r.engine.Counts.LastPanic)
	})
}

// Points before a new host's past is long enough are scored, and never alarm;
// nor do the first ones behind a gap.
func TestNoAlarmWithoutAPast(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	silent := func(from int) int {
		k := from
		for ; ; k++ {
			p := r.vector("a", k, strange)
			if p == nil || p.time != minute(k) {
				continue // the first bucket waits
			}
			if p.status() == StatusOK {
				return k - from
			}
			require.Equal(t, StatusWarming, p.status())
			require.False(t, p.alarm())
			require.Greater(t, p.float(FieldScore), p.float(FieldThreshold))
		}
	}
	require.Equal(t, 4, silent(0), "a third of the window")
	r.usual("a", 10, 40)
	require.GreaterOrEqual(t, silent(200), 9, "two thirds of the window, behind a gap")
}

// A counter that went back unsettles the past in the same way.
func TestNoAlarmBehindAReset(t *testing.T) {
	c := learning()
	c.Schema.Features = []feature.Feature{{Name: "network", Measurement: "net", Fields: []string{"bytes"}, Kind: feature.Counter}}
	require.NoError(t, c.Schema.Normalize())
	r := newRig(t, c)
	total, k := 0.0, 0
	play := func(rate float64) *point {
		total += 60 * rate
		r.line(fmt.Sprintf("net,host=a bytes=%v %d", total, minute(k).UnixNano()), minute(k))
		k++
		return &r.verdicts[len(r.verdicts)-1]
	}
	r.verdicts = make([]point, 1)
	for range 2 * minSamples {
		play(100 + 10*r.random.Float64())
	}
	require.True(t, play(100_000).alarm(), "a true spike")
	play(100)
	total = 0
	require.Equal(t, StatusWarming, play(100_000).status(), "the counter went back: the last rate stands in")
	for range 9 {
		p := play(100_000)
		require.Equal(t, StatusWarming, p.status())
		require.False(t, p.alarm())
	}
}

// A line that was scored upstream passes, and so does every line of a
// measurement that nobody asked for, or that comes before the interval is known.
func TestLinesThatAreNotTaken(t *testing.T) {
	c := learning()
	c.Schema.Interval = 0
	r := newRig(t, c)
	require.True(t, r.engine.Wants([]byte("system_metrics")))
	require.False(t, r.engine.Wants([]byte("disk")))
	require.Nil(t, r.engine.Abandon())
	require.Zero(t, r.engine.Tick(epoch))
	for k := 0; r.engine.Interval() == 0; k++ {
		require.Less(t, k, 50)
		require.Nil(t, r.vector("a", k, usual(r.random, 1)))
	}
	require.Equal(t, time.Minute, r.engine.Interval())
	passed := r.passed
	r.line("disk,host=a used=1 "+fmt.Sprint(minute(60).UnixNano()), minute(60))
	r.line("system_metrics,host=a cpu=1,anomaly_score=0.5 "+fmt.Sprint(minute(60).UnixNano()), minute(60))
	require.Equal(t, passed+2, r.passed)
	require.EqualValues(t, 1, r.engine.Counts.Annotated)
}

// A point waits for the rest of its interval, no longer than MaxHold; Abandon
// gives back what waits.
func TestWaiting(t *testing.T) {
	c := learning()
	c.MaxHold = time.Second
	r := newRig(t, c)
	half := func(k int) {
		r.line(fmt.Sprintf("system_metrics,host=a cpu=1,memory=2 %d", minute(k).UnixNano()), minute(k))
	}
	half(0)
	require.Equal(t, minute(0).Add(time.Second), r.engine.Tick(minute(0)))
	require.Empty(t, r.emitted)
	require.Zero(t, r.engine.Tick(minute(0).Add(time.Second)))
	require.Len(t, r.emitted, 1)
	require.Equal(t, StatusMissing, r.verdicts[0].status())
	require.NotContains(t, r.verdicts[0].fields, "network")
	require.Equal(t, 1000.0, r.verdicts[0].float(FieldLatency))
	r.line(fmt.Sprintf("system_metrics,host=new cpu=1 %d", minute(1).UnixNano()), minute(1))
	require.Equal(t, []int{2}, r.engine.Abandon())
}

// A missing feature is filled by the training set's median if the policy says so.
func TestMissingByMedian(t *testing.T) {
	c := learning()
	c.Schema.Missing = feature.Median
	r := newRig(t, c)
	r.usual("a", 0, 2*minSamples)
	median := r.engine.units["a"].Champion.Bundle.Detector.Median[2]
	r.line(fmt.Sprintf("system_metrics,host=a cpu=20,memory=42 %d", minute(2*minSamples).UnixNano()), minute(2*minSamples))
	r.engine.Flush(minute(2 * minSamples))
	p := &r.verdicts[len(r.verdicts)-1]
	require.Equal(t, StatusOK, p.status())
	require.Equal(t, median, p.float("network"))
	explained(t, p)
}

// A panic while scoring is counted and costs no line.
func TestPanicCostsNoLine(t *testing.T) {
	c := given(fitted(t, 1))
	c.Quiet = func(_ string, at time.Time) bool {
		if at.Equal(minute(20)) {
			panic("boom")
		}
		return false
	}
	r := newRig(t, c)
	r.usual("a", 0, 20)
	p := r.vector("a", 20, strange)
	require.Equal(t, StatusError, p.status())
	require.Equal(t, []string{"cpu", "memory", "network", "latency_ms", "status"}, p.keys)
	require.Nil(t, r.emitted[20].fields)
	require.EqualValues(t, 1, r.engine.Counts.Panics)
	require.Contains(t, r.engine.Counts.LastPanic, "boom at telegraf-anomaly/internal/engine.")
	require.Equal(t, "degraded", r.engine.State())
	require.Equal(t, StatusOK, r.vector("a", 21, usual(r.random, 1)).status())
}

// Rows that hold the features already are judged as lines are.
func TestRowsAndLinesAgree(t *testing.T) {
	b := fitted(t, 1)
	lines, rows := newRig(t, given(b)), newRig(t, given(b))
	for k := range 60 {
		values := usual(lines.random, 1)
		if k == 40 {
			values = strange
		}
		lines.vector("a", k, values)
		require.NoError(t, rows.engine.AddRow(minute(k).UnixNano(), values))
	}
	require.Len(t, rows.verdicts, 60)
	for k := range 60 {
		for _, p := range []point{lines.verdicts[k], rows.verdicts[k]} {
			delete(p.fields, FieldEpisode) // named after the host
			delete(p.fields, FieldLatency) // a line waits
		}
		require.Equal(t, lines.verdicts[k].fields, rows.verdicts[k].fields)
	}
	unknown := learning()
	unknown.Schema.Interval = 0
	require.ErrorContains(t, newRig(t, unknown).engine.AddRow(0, strange), "interval")
}

// What does not belong together is refused, with words that help.
func TestNewRefuses(t *testing.T) {
	b := fitted(t, 1)
	for want, change := range map[string]func(*Config){
		"fitted for features":    func(c *Config) { c.Schema.Features = c.Schema.Features[:2] },
		"with window 15m0s":      func(c *Config) { c.Schema.Window = time.Hour },
		"at an interval of 1m0s": func(c *Config) { c.Schema.Interval = time.Second },
		`use scope "group"`:      func(c *Config) { c.Shared, c.Learner = true, learning().Learner },
	} {
		c := given(b)
		change(&c)
		_, err := New(c, Output[int](nil))
		require.ErrorContains(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), "engine: "))
	}
}

// The units of groups that are gone are forgotten: memory is bounded by the
// groups that the limits allow.
func TestUnitsFollowTheGroups(t *testing.T) {
	c := learning()
	c.Limits.Groups = 10
	r := newRig(t, c)
	for k := range 500 {
		r.vector(fmt.Sprint("pod", k), k, usual(r.random, 1))
	}
	r.engine.Flush(minute(500))
	require.LessOrEqual(t, len(r.engine.units), 2*10+unitSlack+1)
	require.Contains(t, r.engine.units, "pod499")
}

var sink []lp.Value

func BenchmarkVector(b *testing.B) {
	r := newRig(b, given(fitted(b, 1)))
	r.usual("a", 0, warmup)
	values := usual(r.random, 1)
	k := warmup
	for b.Loop() {
		r.emitted, r.verdicts = r.emitted[:0], r.verdicts[:0]
		values[0] = 10 + float64(k%20)
		r.vector("a", k, values)
		k++
	}
	sink = r.engine.SelfMetric(sink[:0])
}
