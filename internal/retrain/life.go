package retrain

import (
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/drift"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// Poll takes finished fits into account and ends probations.
func (u *Unit) Poll(t int64) {
	for _, r := range u.results.take() {
		u.fitting = false
		u.receive(t, r)
	}
	u.judge(t)
}

// growth is how much more was seen since the newest fit when the next is due, while
// a unit is young. Each hour of a first day brings values that no hour before had:
// fitted at each doubling only, hosts were in alarm for a tenth of that day.
const growth = 1.25

// schedule starts a fit when one is due: the first, then each time the unit has
// seen a quarter more, until the model is a Period old, then once per Period.
func (u *Unit) schedule(t int64) {
	switch {
	case !u.mayFit():
	case u.Champion == nil:
		u.fit(t, false)
	case u.accepted:
		u.decide(t, Accepted, "what was flagged has lasted for %v: it is the new normal", u.policy.Accept)
		u.fit(t, true)
	case u.wanted, t-u.fitTime >= int64(u.policy.Period), u.fitTime == 0:
		u.fit(t, false)
	case float64(u.seen) >= growth*float64(u.fittedAt) && t-u.fitTime < int64(u.policy.Period) && !u.onProbation():
		u.fit(t, false)
	}
}

// onProbation reports whether a model is being tried beside another: each has its
// hour before the next comes.
func (u *Unit) onProbation() bool { return u.Role == RoleChallenger || u.Role == RolePredecessor }

// mayFit reports whether there is enough to fit on, and somebody to do it.
func (u *Unit) mayFit() bool {
	return !u.fitting && u.seen >= max(u.policy.MinSamples, u.retryAt) && u.learner.Free()
}

// Refit asks for a fit at the next context, whatever the schedule says.
func (u *Unit) Refit() { u.wanted = true }

// learn lets a context into the sample. One that was flagged waits for the time
// of Policy.Accept: if the unit was flagged after it and is being flagged then as
// well, so at the same hour of another day, the change is the new normal and all that was flagged
// meanwhile is learned; else it was an incident, and counts little.
func (u *Unit) learn(t int64, context []float64, flagged bool) {
	old, left := u.recent.Add(t, context, flagged)
	young := !left && len(u.recent.Entries) < u.recent.Size // all is new in the first days
	if !flagged || young {
		u.sample.Add(t, context, 1)
	}
	if !left || old.Key == 0 {
		return
	}
	if !u.recent.Persists() {
		u.enter(old, flaggedWeight)
		return
	}
	u.enter(old, 1)
	for i := range u.recent.Entries {
		if e := &u.recent.Entries[i]; e.Key != 0 {
			u.enter(*e, 1)
			e.Key = 0
		}
	}
	u.accepted = true
	u.regime++
}

// trust is how much a context of a Mixed unit counts. That a change has become
// usual is for the groups' own measures to find; what the champion, by its own
// threshold, finds strange meanwhile counts little.
func (u *Unit) trust(v *detect.Verdict) float64 {
	if u.Champion != nil && v != nil && u.strange(v) {
		return flaggedWeight
	}
	return 1
}

// enter puts an entry of the ring into the sample, where it stands for all the
// contexts that came between it and the next.
func (u *Unit) enter(e Entry, weight float64) {
	u.sample.Add(e.Time, widen(e.Context), weight*float64(u.recent.Spacing)/float64(u.policy.Schema.Interval))
}

func (u *Unit) fit(t int64, forced bool) {
	u.fitting, u.forced, u.wanted, u.accepted, u.fittedAt, u.fitTime = true, forced, false, false, u.seen, t
	task := Task{Unit: u.Name, Schema: u.policy.Schema, Options: u.policy.Detect}
	if u.Champion != nil {
		task.Serving = u.Champion.Bundle
	}
	u.learner.do(u, task, forced, &u.sample)
}

// receive decides what a finished fit may do.
func (u *Unit) receive(t int64, r result) {
	switch {
	case r.err != nil:
		u.retryAt = u.seen + max(1, u.policy.MinSamples/2)
		u.decide(t, Fitted, "failed, will try again: %v", r.err)
		u.Decisions[len(u.Decisions)-1].Failed = true
		u.accepted = r.forced // it has still to be learned
	case u.Champion == nil || r.forced:
		u.promote(t, r.Bundle, "its first model, from %d vectors", r.Bundle.Provenance.Rows)
	case r.Comparison != nil && r.Comparison.Refusal() != "":
		u.decide(t, Refused, "model %s does not serve: %s", r.Bundle.ID(), r.Comparison.Refusal())
		if u.policy.Challenger {
			u.stand(r.Bundle, RoleReference)
		}
	case u.policy.Challenger:
		u.stand(r.Bundle, RoleChallenger)
		u.decide(t, Fitted, "model %s scores beside %s for %v", r.Bundle.ID(), u.Champion.Bundle.ID(), probation)
	default:
		u.promote(t, r.Bundle, "fitted on %d vectors, %.0f %% agreement with its predecessor", r.Bundle.Provenance.Rows, 100*r.Comparison.Agreement)
	}
}

// stand puts a model beside the champion.
func (u *Unit) stand(b *model.Bundle, role string) {
	u.Shadow, u.Role, u.disagreed = newServing(b), role, 0
}

// promote makes b champion. The one that it replaces stays beside it for a while.
func (u *Unit) promote(t int64, b *model.Bundle, format string, arguments ...any) {
	u.install(b)
	u.learner.current(u.Name, u.Champion)
	u.decide(t, Promoted, "model %s: "+format, append([]any{b.ID()}, arguments...)...)
}

// Offer makes a model that came from outside champion, as a new current version
// of a store does, unless the unit has a model of its own.
func (u *Unit) Offer(t int64, b *model.Bundle) {
	if u.Champion != nil && (!u.Champion.Given || u.Champion.Bundle.ID() == b.ID()) {
		return
	}
	u.install(b)
	u.Champion.Given = true
	u.decide(t, Promoted, "model %s became current in its store", b.ID())
}

// Serve makes a model champion, without further ado: a given one, or that of an
// earlier run.
func (u *Unit) Serve(b *model.Bundle, given bool) {
	u.install(b)
	u.Champion.Given = given
}

func (u *Unit) install(b *model.Bundle) {
	before := u.Champion
	u.Champion = newServing(b)
	u.dismiss()
	if before != nil {
		u.stand(before.Bundle, RolePredecessor)
		u.Shadow.Given = before.Given
		if !before.Given { // which may serve other groups
			before.Bundle.Detector.Forget()
		}
	}
	u.observeFrom(b)
}

// Stand puts a model from outside beside the champion, and beside every later
// one once its probation is over, only to be compared.
func (u *Unit) Stand(b *model.Bundle) {
	u.reference = b
	u.dismiss()
}

// dismiss takes away what scores beside the champion, but for the reference.
func (u *Unit) dismiss() {
	if u.Shadow, u.Role = nil, RoleNone; u.reference != nil {
		u.stand(u.reference, RoleReference)
	}
}

// judge ends the time of probation of a challenger, or of a champion whose
// predecessor is still there.
func (u *Unit) judge(t int64) {
	s := u.Shadow
	if s == nil || u.Role == RoleReference || s.Vectors < probationMin || t-s.Since < int64(probation) {
		return
	}
	champion, shadow := float64(u.Champion.Flagged)/float64(max(1, u.Champion.Vectors)), s.Rate()
	switch u.Role {
	case RoleChallenger:
		disagreed := u.disagreed
		u.dismiss()
		if shadow > max(maxRate, maxRateGrowth*champion) || disagreed > s.Vectors/10 {
			u.decide(t, Refused, "challenger %s flagged %.1f %% in its probation, the champion %.1f %%", s.Bundle.ID(), 100*shadow, 100*champion)
			return
		}
		u.promote(t, s.Bundle, "passed its probation beside the champion")
	case RolePredecessor:
		u.dismiss()
		if champion > max(maxRate, maxRateGrowth*shadow) {
			fresh := u.Champion.Bundle.ID()
			u.Champion = s
			u.observeFrom(s.Bundle)
			u.learner.current(u.Name, s)
			u.decide(t, RolledBack, "to model %s: its successor %s flagged %.1f %% in its first %v, where it flags %.1f %%",
				s.Bundle.ID(), fresh, 100*champion, probation, 100*shadow)
		}
	}
}

// driftEvery is how often the drift tests are asked.
const driftEvery = time.Hour

// observeFrom starts to watch for drift away from b's training set.
func (u *Unit) observeFrom(b *model.Bundle) {
	u.monitor = nil
	if p := b.Profile; p.References != nil && !u.fixed {
		u.monitor, _ = drift.NewMonitor(p, 1) // a profile that cannot be watched is not watched
	}
}

// watch feeds the drift tests.
func (u *Unit) watch(t int64, context []float64, v *detect.Verdict) {
	if u.monitor == nil || v == nil {
		return
	}
	values := make([]float64, 0, 16)
	for f := 0; f < len(context); f += feature.ContextWidth {
		values = append(values, context[f+feature.Value])
	}
	_ = u.monitor.Add(time.Unix(0, t), append(values, v.Score))
	if t-u.checked < int64(driftEvery) {
		return
	}
	u.checked = t
	results := u.monitor.Check()
	drifted := drift.Drifted(results)
	d := Decision{Time: t, What: Drifted, Drift: results}
	if len(drifted) > 0 && u.mayFit() {
		u.decide(t, Drifted, "%v moved away from what the model was fitted on: fitting again", drifted)
		u.fit(t, false)
		return
	}
	u.Decisions = append(u.Decisions, d)
}
