package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/retrain"
)

// A model that is offered serves from the next vector on; score and model id
// always belong together, however many are offered meanwhile.
func TestOffer(t *testing.T) {
	b := fitted(t, 1)
	other := fitted(t, 2)
	require.NotEqual(t, b.ID(), other.ID())
	scorers := map[string]*rig{b.ID(): newRig(t, given(b)), other.ID(): newRig(t, given(other))}
	r := newRig(t, given(b))
	var offers sync.WaitGroup
	served := map[string]int{}
	for k := range 300 {
		if k == 100 { // from here on, all the time
			offers.Go(func() {
				for i := range 1000 {
					if r.engine.Offer(scorers[[]string{b.ID(), other.ID()}[i%2]].engine.config.Model) != nil {
						panic("refused")
					}
				}
			})
		}
		if k == 200 {
			offers.Wait()
			require.NoError(t, r.engine.Offer(other))
		}
		values := usual(r.random, 1)
		p := r.vector("a", k, values)
		want := map[string]*point{}
		for id, s := range scorers {
			want[id] = s.vector("a", k, values)
		}
		if p == nil || !p.status().scored() {
			continue
		}
		id := p.fields[FieldModel].(string)
		served[id]++
		require.Equal(t, want[id].float(FieldScore), p.float(FieldScore))
		require.Equal(t, want[id].float(FieldThreshold), p.float(FieldThreshold))
		if k < 100 {
			require.Equal(t, b.ID(), id)
		} else if k >= 200 {
			require.Equal(t, other.ID(), id)
		}
	}
	require.Len(t, served, 2)
	require.Zero(t, r.engine.Counts.Panics, r.engine.Counts.LastPanic)
}

// A model for other features is refused and changes nothing.
func TestOfferRefuses(t *testing.T) {
	r := newRig(t, given(fitted(t, 1)))
	foreign := *fitted(t, 2)
	foreign.Schema.Features = foreign.Schema.Features[:2]
	require.ErrorContains(t, r.engine.Offer(&foreign), "fit it again")
	foreign = *fitted(t, 2)
	foreign.Schema.Interval = time.Hour
	require.ErrorContains(t, r.engine.Offer(&foreign), "interval")
	r.usual("a", 0, 20)
	require.Equal(t, r.engine.config.Model.ID(), r.verdicts[19].fields[FieldModel])
}

// A model that flags far too much in its first hour gives way to its predecessor,
// although nobody learns here.
func TestOfferedModelIsRolledBack(t *testing.T) {
	b := fitted(t, 1)
	nervous := *fitted(t, 2)
	detector := *nervous.Detector
	detector.Threshold = 0.2
	nervous.Detector = &detector
	r := newRig(t, given(b))
	r.usual("a", 0, 60)
	require.NoError(t, r.engine.Offer(&nervous))
	points := r.usual("a", 60, 200)
	require.Greater(t, len(alarms(points[:60])), 50)
	require.Equal(t, b.ID(), points[139].fields[FieldModel])
	require.Empty(t, alarms(points[62:]))
	require.Zero(t, r.engine.Counts.Panics, r.engine.Counts.LastPanic)
	require.Equal(t, []string{retrain.Promoted, retrain.RolledBack}, decisions(r))
}

func decisions(r *rig) (what []string) {
	for _, p := range r.drift {
		if d, ok := p.fields["decision"].(string); ok && d != retrain.Drifted {
			what = append(what, d)
		}
	}
	return what
}

// A given model serves every host until it has one of its own, which no offer
// replaces.
func TestGivenUntilOwn(t *testing.T) {
	b := fitted(t, 1)
	c := learning()
	c.Model = b
	r := newRig(t, c)
	points := r.usual("a", 0, 4*minSamples)
	require.Equal(t, b.ID(), points[warmup].fields[FieldModel])
	own := points[len(points)-1].fields[FieldModel]
	require.NotEqual(t, b.ID(), own)
	require.Zero(t, statuses(points)[StatusLearning])

	r.usual("b", 0, 20)
	next := fitted(t, 3)
	require.NoError(t, r.engine.Offer(next))
	a := r.vector("a", 4*minSamples, usual(r.random, 1))
	require.Equal(t, own, a.fields[FieldModel])
	require.Equal(t, next.ID(), r.vector("b", 20, usual(r.random, 1)).fields[FieldModel])
	require.Equal(t, next.ID(), r.usual("c", 0, 5)[0].fields[FieldModel])
}

// One model for all hosts: a new one, of whatever size, is judged as soon as its
// baseline is known.
func TestSharedScope(t *testing.T) {
	c := learning()
	c.Shared = true
	r := newRig(t, c)
	const known = 5 * minSamples
	for k := range known {
		for i, host := range []string{"small", "large"} {
			r.vector(host, k, usual(r.random, math.Pow(1000, float64(i))))
		}
	}
	require.NotNil(t, r.engine.shared.Champion)
	require.Empty(t, r.engine.units)

	from := len(r.verdicts)
	for k := range 100 {
		values := usual(r.random, 37)
		if k == 90 {
			values[0], values[2] = 99, 30*values[2]
		}
		r.vector("new", known+k, values)
	}
	points := r.verdicts[from:]
	n := statuses(points)
	require.InDelta(t, baselineMin+4, n[StatusLearning], 1)
	require.Zero(t, n[StatusMissing]+n[StatusError])
	found := alarms(points)
	require.NotEmpty(t, found)
	require.Contains(t, times(found), minute(known+90))
	require.Less(t, len(alarms(points[:90])), 5)
	for i := range points {
		if points[i].status().scored() {
			explained(t, &points[i])
		}
	}
	_, fields := copied(r.engine.SelfMetric(nil))
	require.Equal(t, int64(3), fields["hosts"])
	require.Contains(t, fields, FieldModel)
}

// A host that joins a fleet which has grown up is itself young.
func TestNewHostOfAnOldFleetIsYoung(t *testing.T) {
	c := learning()
	c.Shared, c.AlarmsPerWeek, c.Accept = true, 1, 2*time.Hour
	r := newRig(t, c)
	for k := range 600 {
		r.vector("old", k, usual(r.random, 1))
		if k >= 500 {
			r.vector("new", k, usual(r.random, 30))
		}
	}
	old, young := *r.vector("old", 600, usual(r.random, 1)), *r.vector("new", 600, usual(r.random, 30))
	require.Equal(t, old.fields[FieldModel], young.fields[FieldModel])
	require.Greater(t, young.float(FieldThreshold), old.float(FieldThreshold))
}

func times(points []point) (at []time.Time) {
	for _, p := range points {
		at = append(at, p.time)
	}
	return at
}

// measure is the yardstick of one feature, a gauge or a rate, with a day of so many
// vectors.
func measure(rate bool, day int) *yardstick {
	f := feature.Feature{Kind: feature.Gauge, Scale: 1}
	if rate {
		f.Kind = feature.Counter
	}
	y := newYardstick(&feature.Schema{Features: []feature.Feature{f}}, day)
	return &y
}

// deviations is what a model sees of a value.
func (y *yardstick) deviations(b *baseline, x float64) float64 {
	dst := make([]float64, feature.ContextWidth)
	y.normalize(b, dst, []float64{x, x, 0, 0})
	return dst[feature.Value]
}

// A baseline finds mean and deviation, follows a lasting change, and is moved
// little by an incident; a feature that never moved can still begin to.
func TestBaseline(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	y := measure(false, 1000)
	var b baseline
	learn := func(n int, mean, deviation float64) {
		for range n {
			y.learn(&b, 1, []float64{mean + deviation*random.NormFloat64(), 0, 0, 0})
		}
	}
	learn(29, 50, 2)
	require.False(t, b.ready())
	require.Equal(t, youngWeight, y.weight(&b))
	learn(2000, 50, 2)
	require.True(t, b.ready())
	require.Equal(t, 1.0, y.weight(&b))
	require.InDelta(t, 50, b.Mean[0], 0.5)
	require.InDelta(t, 2, b.Deviation[0], 0.5)
	learn(10, 1e9, 0)
	require.InDelta(t, 50, b.Mean[0], 1, "an incident counts four deviations")
	learn(5000, 80, 2)
	require.InDelta(t, 80, b.Mean[0], 2, "a lasting change becomes usual")

	b = baseline{}
	learn(200, 7, 0)
	learn(5000, 20, 1)
	require.InDelta(t, 20, b.Mean[0], 2, "it stood still, and moves now")
	for _, constant := range []float64{0, 7} {
		for _, rate := range []bool{false, true} {
			y, b = measure(rate, 1000), baseline{}
			learn(40, constant, 0)
			require.InDelta(t, 0, y.deviations(&b, constant), 1e-9)
			require.False(t, math.IsInf(y.deviations(&b, 1), 0) || math.IsNaN(y.deviations(&b, 1)))
		}
	}
}

// A leak of four hours, from nothing to seven deviations, is at its end still seen
// for what it is: neither the mean nor the deviation has come along. A step of
// three deviations is usual after a day.
func TestBaselineAndALeak(t *testing.T) {
	const minutes = 24 * 60
	random := rand.New(rand.NewPCG(1, 1))
	learned := func() (*yardstick, *baseline, func(x float64)) {
		y, b := measure(false, minutes), new(baseline)
		learn := func(x float64) { y.learn(b, 1, []float64{x + 2*random.NormFloat64(), 0, 0, 0}) }
		for range 3 * minutes {
			learn(55)
		}
		return y, b, learn
	}
	y, b, leak := learned()
	for k := range 240 {
		leak(55 + 14*float64(k)/240)
	}
	require.Greater(t, y.deviations(b, 69), 5.0)

	y, b, deploy := learned()
	deploy(61)
	require.InDelta(t, 3, y.deviations(b, 61), 0.5)
	for range minutes {
		deploy(61)
	}
	require.InDelta(t, 1, y.deviations(b, 61), 0.5)
}

// With rates of which half are twice or half the usual, a drop to a seventh is as
// far away as a rise to the sevenfold.
func TestBaselineOfRates(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	y := measure(true, 1000)
	var b baseline
	for range 5000 {
		y.learn(&b, 1, []float64{1e6 * math.Exp(0.5*random.NormFloat64()), 0, 0, 0})
	}
	low, high := y.deviations(&b, 1e6/7), y.deviations(&b, 7e6)
	require.InDelta(t, high, -low, 0.5)
	require.Greater(t, high, 3.5)
	require.InDelta(t, 0, y.deviations(&b, 1e6), 0.1)
	for _, x := range []float64{0, 1e5, 1e6, 1e9} {
		require.InEpsilon(t, 1+x, 1+y.value(&b, 0, y.deviations(&b, x)), 1e-9, "there and back")
	}
}

// Normalized numbers do not depend on where a host's numbers lie: for gauges not on
// unit and offset, for rates not on the unit.
func TestNormalizeForgetsUnits(t *testing.T) {
	for _, rate := range []bool{false, true} {
		rapid.Check(t, func(t *rapid.T) {
			values := rapid.SliceOfN(rapid.Float64Range(1, 2), 40, 80).Draw(t, "values")
			scale, offset := rapid.Float64Range(0.5, 1000).Draw(t, "scale"), rapid.Float64Range(-1, 1).Draw(t, "offset")
			if rate {
				offset = 0
			}
			y := measure(rate, 100)
			var a, b baseline
			var p, q, x, z [feature.ContextWidth]float64
			for i, v := range values {
				v += float64(i % 2) // never still
				copy(x[:], []float64{v, v / 2, v / 3, 3})
				copy(z[:], []float64{scale * (v + offset), scale * (v/2 + offset), scale * v / 3, 3})
				y.learn(&a, 1, x[:])
				y.learn(&b, 1, z[:])
			}
			if a.Deviation[0] < 0.1 {
				return // the floor of the scale
			}
			y.normalize(&a, p[:], x[:])
			y.normalize(&b, q[:], z[:])
			require.InDeltaSlice(t, p[:], q[:], 1e-6)
			y.normalize(&a, x[:], x[:])
			require.Equal(t, p, x, "in place")
		})
	}
}

// A model to compare with scores beside every champion, the next ones too.
func TestReferenceScoresBesideEveryChampion(t *testing.T) {
	c := learning()
	c.Reference = fitted(t, 1)
	r := newRig(t, c)
	points := r.usual("a", 0, 5*minSamples)
	models := map[any]bool{}
	for _, p := range points {
		if p.status() != StatusOK {
			continue
		}
		models[p.fields[FieldModel]] = true
		require.IsType(t, 0.0, p.fields[FieldChallenger])
		require.IsType(t, int64(0), p.fields[FieldChallengerAnomaly])
	}
	require.Greater(t, len(models), 1)
	reference := newRig(t, given(c.Reference))
	again := newRig(t, c)
	for k := range 5 * minSamples {
		values := usual(again.random, 1)
		p, q := again.vector("a", k, values), reference.vector("a", k, values)
		if k > 378 && k < 388 { // no probation then
			require.InDelta(t, q.float(FieldScore), p.float(FieldChallenger), 1e-9)
		}
	}
}

// A fresh model scores beside the champion for an hour before it may replace it.
func TestChallenger(t *testing.T) {
	c := learning()
	c.Challenger = true
	r := newRig(t, c)
	points := r.usual("a", 0, 4*minSamples)
	first := slices.IndexFunc(points, func(p point) bool { return p.fields[FieldChallenger] != nil })
	require.InDelta(t, 1.25*minSamples+5, first, 3, "a quarter more was seen")
	require.Equal(t, []string{retrain.Promoted, retrain.Fitted, retrain.Promoted}, decisions(r)[:3])
	before, after := points[first].fields[FieldModel], points[first+62].fields[FieldModel]
	require.NotEqual(t, before, after)
	require.Equal(t, before, points[first+59].fields[FieldModel])
}

// Refit fits at the next vector.
func TestRefit(t *testing.T) {
	for _, shared := range []bool{false, true} {
		c := learning()
		c.Shared = shared
		r := newRig(t, c)
		r.usual("a", 0, minSamples+60)
		promoted := r.engine.Counts.Promotions
		r.engine.Refit()
		r.usual("a", minSamples+60, minSamples+65)
		require.Equal(t, promoted+1, r.engine.Counts.Promotions)
	}
}
