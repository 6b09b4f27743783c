package retrain

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/feature"
)

const day = 288 // intervals

// The first fit comes when there is enough, the next ones each time the sample has
// doubled, and once the model is a period old one in each period.
func TestSchedule(t *testing.T) {
	p := policy()
	p.Period = 4 * 24 * time.Hour
	r := newRig(t, p, "")
	r.observe(199, 20)
	require.Nil(t, r.unit.Champion)
	require.InDelta(t, 0.995, r.unit.Progress(), 1e-9)
	require.InDelta(t, 1-198.0/(3*day), r.unit.Youth(r.time), 1e-9)
	r.observe(20*day, 20)
	require.Equal(t, 1.0, r.unit.Progress())
	require.Zero(t, r.unit.Youth(r.time))
	var fits []time.Duration
	for _, d := range r.decisions {
		if d.What == Promoted || d.What == Refused {
			fits = append(fits, time.Duration(d.Time-epoch)/(5*time.Minute))
		}
	}
	require.GreaterOrEqual(t, len(fits), 6)
	require.Equal(t, []time.Duration{201, 251, 314, 393}, fits[:4], "each result is taken up one interval later")
	for i, f := range fits[4:] {
		require.LessOrEqual(t, f-fits[i+3], time.Duration(4*day+1))
	}
}

// A fit on demand comes at the next context, but not before there is enough.
func TestRefit(t *testing.T) {
	r := newRig(t, policy(), "")
	r.unit.Refit()
	r.observe(150, 20)
	require.Empty(t, r.decisions)
	r.observe(90, 20)
	require.Len(t, r.decisions, 1)
	r.unit.Refit()
	r.observe(2, 20)
	require.Len(t, r.decisions, 2)
}

// What lasts for the time to accept becomes the new normal, once; an incident of
// four hours does not, and is found again when it comes back.
func TestAccept(t *testing.T) {
	r := newRig(t, policy(), "")
	r.observe(5*day, 20)
	require.Zero(t, r.count(Accepted))
	require.Greater(t, r.observe(48, 60), 40, "an incident")
	r.observe(2*day, 20)
	require.Zero(t, r.count(Accepted))
	require.Zero(t, r.unit.Regime())
	require.Greater(t, r.observe(48, 60), 40, "it has not been learned")
	r.observe(2*day, 20)

	start := r.time
	r.observe(2*day, 60)
	require.Equal(t, 1, r.count(Accepted))
	require.Equal(t, 1, r.unit.Regime())
	for _, d := range r.decisions {
		if d.What == Accepted {
			require.InDelta(t, 24, time.Duration(d.Time-start).Hours(), 2)
			require.Contains(t, d.Why, "new normal")
		}
	}
	require.Less(t, r.observe(day, 60), day/8, "twenty small trees, on a sample that holds both lives")
}

// An accepted change is learned even if the first fit fails: the next one serves
// without being asked whether it agrees with the past.
func TestAcceptedChangeOutlivesAFailedFit(t *testing.T) {
	r := newRig(t, policy(), "")
	r.observe(300, 20)
	r.unit.fitting = true
	r.unit.results.put(result{err: errors.New("disk on fire"), forced: true})
	r.unit.Poll(r.time)
	require.True(t, r.unit.accepted)
	require.True(t, r.unit.Decisions[0].Failed)
	require.Contains(t, r.unit.Decisions[0].Why, "disk on fire")
	r.decisions = nil
	r.observe(110, 60) // retried after half of the first fit's samples
	require.Equal(t, 1, r.count(Accepted))
	require.Zero(t, r.count(Refused))
}

// A fit that fails is reported, and tried again later.
func TestFailingFitIsRetried(t *testing.T) {
	p := policy()
	r := newRig(t, p, "")
	p.Detect.SampleSize = -1
	p.Detect.Trees = -1
	constant := make([]float64, 2*feature.ContextWidth)
	for range 200 {
		r.time += int64(5 * time.Minute)
		r.unit.Observe(r.time, constant, 1, nil)
	}
	r.unit.Observe(r.time+1, constant, 1, nil)
	require.Len(t, r.unit.Decisions, 1)
	require.True(t, r.unit.Decisions[0].Failed)
	require.Equal(t, Fitted, r.unit.Decisions[0].What)
	require.Nil(t, r.unit.Champion)
	p.Detect.SampleSize, p.Detect.Trees = 64, 20
	r.observe(90, 20)
	require.Equal(t, []string{Fitted}, r.what(), "not at once")
	r.observe(20, 20)
	require.Equal(t, []string{Fitted, Promoted}, r.what())
}

// A model given from outside that is nervous goes back to its predecessor after an
// hour; a good one stays.
func TestProbation(t *testing.T) {
	good, better := fitted(t, 600, 0, 1), fitted(t, 600, 0, 2)
	for _, nerves := range []bool{false, true} {
		r := newRig(t, policy(), "")
		r.unit.Serve(good, true)
		r.observe(10, 20)
		fresh := better
		if nerves {
			fresh = nervous(better)
		}
		r.unit.Offer(r.time, fresh)
		require.Equal(t, RolePredecessor, r.unit.Role)
		r.observe(probationMin-1, 20)
		require.Same(t, fresh, r.unit.Champion.Bundle)
		r.observe(5, 20)
		require.Nil(t, r.unit.Shadow)
		require.Equal(t, nerves, r.unit.Champion.Bundle == good)
		require.Equal(t, nerves, r.count(RolledBack) == 1)
		require.True(t, r.unit.Champion.Given)
	}
}

// A challenger that flags too much in its probation does not serve.
func TestChallengerIsRefused(t *testing.T) {
	r := newRig(t, policy(), "")
	good := fitted(t, 600, 0, 1)
	r.unit.Serve(good, false)
	r.unit.stand(nervous(fitted(t, 600, 0, 2)), RoleChallenger)
	r.observe(probationMin+2, 20)
	require.Equal(t, []string{Refused}, r.what())
	require.Same(t, good, r.unit.Champion.Bundle)
	require.Nil(t, r.unit.Shadow)
	require.Zero(t, r.unit.Disagreement())
}

// With challenger = auto every model but the first scores beside the champion
// before it serves.
func TestChallengerAuto(t *testing.T) {
	p := policy()
	p.Challenger = true
	r := newRig(t, p, "")
	r.observe(252, 20)
	require.Equal(t, []string{Promoted, Fitted}, r.what())
	require.Equal(t, RoleChallenger, r.unit.Role)
	for len(r.what()) == 2 {
		r.observe(1, 20)
	}
	require.Equal(t, []string{Promoted, Fitted, Promoted}, r.what())
	require.Equal(t, RolePredecessor, r.unit.Role)
}

// A model that does not pass the gate stays beside the champion to be compared,
// if challengers are wanted, and nothing else comes of it.
func TestRefusedModel(t *testing.T) {
	p := policy()
	p.Challenger = true
	r := newRig(t, p, "")
	good, bad := fitted(t, 600, 0, 1), nervous(fitted(t, 600, 0, 2))
	r.unit.Serve(good, false)
	r.unit.receive(r.time, result{Outcome: Outcome{Bundle: bad, Comparison: &Comparison{Rate: 1, Agreement: 0}}})
	r.observe(100, 20)
	require.Equal(t, []string{Refused}, r.what())
	require.Equal(t, RoleReference, r.unit.Role)
	require.Greater(t, r.unit.Disagreement(), 0.5)
	require.Same(t, good, r.unit.Champion.Bundle)
}

// A reference comes back whenever a probation is over.
func TestReferenceStays(t *testing.T) {
	r := newRig(t, policy(), "")
	reference := fitted(t, 600, 0, 1)
	r.unit.Stand(reference)
	r.observe(250, 20)
	require.Same(t, reference, r.unit.Shadow.Bundle)
	r.unit.Refit()
	r.observe(2, 20)
	require.Equal(t, RolePredecessor, r.unit.Role)
	r.observe(probationMin+2, 20)
	require.Equal(t, RoleReference, r.unit.Role)
	require.Same(t, reference, r.unit.Shadow.Bundle)
}

// A fixed unit serves, is replaced, goes back, and never learns.
func TestFixedUnit(t *testing.T) {
	empty := NewFixed(nil)
	empty.Observe(epoch, context(rand.New(rand.NewPCG(1, 1)), 20), 1, nil)
	require.True(t, empty.Fixed())
	require.Zero(t, empty.Progress()+empty.Youth(epoch))
	good := fitted(t, 600, 0, 1)
	r := newRig(t, policy(), "")
	r.unit = NewFixed(good)
	r.observe(2*day, 20)
	require.Empty(t, r.decisions)
	r.unit.Offer(r.time, nervous(fitted(t, 600, 0, 2)))
	r.observe(40, 20)
	require.Equal(t, []string{Promoted, RolledBack}, r.what())
	r.unit.Offer(r.time, good)
	require.Len(t, r.decisions, 2, "the one that serves already")
}

// Drift does not cause a fit before there is enough to fit on.
func TestDriftWaitsForSamples(t *testing.T) {
	r := newRig(t, policy(), "")
	r.unit.Serve(fitted(t, 600, 0, 1), true)
	r.observe(150, 90)
	require.Zero(t, r.count(Promoted)+r.count(Refused)+r.count(Fitted))
}

// Contexts that nothing is to be learned from leave the sample alone.
func TestPass(t *testing.T) {
	r := newRig(t, policy(), "")
	for k := range 500 {
		r.unit.Pass(epoch+int64(k)*int64(5*time.Minute), nil)
	}
	require.Zero(t, r.unit.Progress())
	require.Empty(t, r.unit.sample.Entries)
}

// Fits of a configuration that was replaced and of the one after it are one at a
// time, too.
func TestFitsOfTheConfigurationBeforeEndFirst(t *testing.T) {
	first := &Learner{}
	second := &Learner{After: first}
	third := &Learner{After: second}
	release := make(chan struct{})
	first.busy = true
	first.jobs.Go(func() { <-release })
	require.False(t, third.Free())

	ended := make(chan struct{})
	go func() { third.Wait(); close(ended) }()
	select {
	case <-ended:
		t.Fatal("a fit is under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-ended
	first.busy = false
	require.True(t, third.Free())
	require.Nil(t, third.After)
}
