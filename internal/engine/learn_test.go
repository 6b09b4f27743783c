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

func times(points []point) (at []time.Time) {
	for _, p := range points {
		at = append(at, p.time)
	}
	return at
}

// A baseline finds mean and deviation, follows a lasting change, and is moved
// little by an incident; a feature that never moved can still begin to.
func TestBaseline(t *testing.T) {
	context := func(x float64) []float64 { return []float64{x, x, 0, 0} }
	random := rand.New(rand.NewPCG(1, 1))
	var b baseline
	learn := func(n int, mean, deviation float64) {
		for range n {
			b.learn(context(mean+deviation*random.NormFloat64()), 1000)
		}
	}
	learn(29, 50, 2)
	require.False(t, b.ready())
	learn(2000, 50, 2)
	require.True(t, b.ready())
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
		b = baseline{}
		learn(40, constant, 0)
		dst := make([]float64, 4)
		b.normalize(dst, context(constant))
		require.Equal(t, []float64{0, 0, 0, 0}, dst)
		b.normalize(dst, context(1))
		require.False(t, math.IsInf(dst[0], 0) || math.IsNaN(dst[0]))
	}
}

// Normalized numbers do not depend on where a host's numbers lie.
func TestNormalizeForgetsUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1, 1), 40, 80).Draw(t, "values")
		scale, offset := rapid.Float64Range(0.5, 1000).Draw(t, "scale"), rapid.Float64Range(-1, 1).Draw(t, "offset")
		var a, b baseline
		var x, y [feature.ContextWidth]float64
		var p, q [feature.ContextWidth]float64
		for i, v := range values {
			v += float64(i % 2) // never still
			copy(x[:], []float64{v, v / 2, math.Abs(v), 3})
			copy(y[:], []float64{scale*v + scale*offset, scale*v/2 + scale*offset, scale * math.Abs(v), 3})
			a.learn(x[:], 100)
			b.learn(y[:], 100)
		}
		if a.Deviation[0] < 0.05 || b.Deviation[0] < 0.05*scale {
			return // the floor of the scale
		}
		a.normalize(p[:], x[:])
		b.normalize(q[:], y[:])
		require.InDeltaSlice(t, p[:], q[:], 1e-6)
	})
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
		if k > 4*minSamples-20 && k < 4*minSamples { // no probation then
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
	require.InDelta(t, 2*minSamples+5, first, 3, "the sample has doubled")
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
