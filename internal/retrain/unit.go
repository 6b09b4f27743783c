package retrain

import (
	"fmt"
	"sync"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/drift"
	"telegraf-anomaly/internal/model"
)

// A Serving is a model at work.
type Serving struct {
	Bundle  *model.Bundle
	Scorer  *detect.Scorer
	Since   int64 // time, by the stream's clock, from which it served; 0 until its first vector
	Vectors int   // seen since
	Flagged int   // of these
	Given   bool  // it came from outside, not from a fit of the unit's own
}

func newServing(b *model.Bundle) *Serving {
	return &Serving{Bundle: b, Scorer: detect.NewScorer(b.Detector)}
}

// Rate is the share of vectors that it flagged.
func (s *Serving) Rate() float64 { return float64(s.Flagged) / float64(max(1, s.Vectors)) }

// Roles of the model that scores beside the champion.
const (
	RoleNone        = ""
	RoleChallenger  = "challenger"  // it may become champion
	RolePredecessor = "predecessor" // it was champion, and may become it again
	RoleReference   = "reference"   // it is only compared
)

// A Unit is one model and its life: what it learns from, what serves, what
// scores beside it, and when that changes. It serves one group, or all of them.
// The engine's goroutine drives it; fits run elsewhere.
type Unit struct {
	Name     string
	Champion *Serving
	Shadow   *Serving
	Role     string        // of Shadow
	Given    *model.Bundle // from outside, for the time until it has one of its own; may be nil
	Mixed    bool          // its contexts are of many groups, each in its own deviations from the usual

	policy    *Policy
	learner   *Learner // nil for a fixed unit
	sample    Reservoir
	recent    Recent
	monitor   *drift.Monitor
	born      int64 // time of the first context, by the stream's clock; 0 before
	seen      int   // contexts so far
	fittedAt  int   // seen at the newest fit
	fitTime   int64 // time of the newest fit, by the stream's clock
	checked   int64 // time of the newest drift check
	retryAt   int   // seen at which a fit is tried again after a failure
	fitting   bool
	forced    bool // the fit under way serves whatever the gate says
	wanted    bool // somebody asked for a fit
	regime    int
	accepted  bool // a lasting change was let into the sample
	disagreed int  // vectors on which Shadow said something else
	results   mailbox
	fixed     bool // the model was given: it is replaced, never retrained
	reference *model.Bundle
	Decisions []Decision
}

// A Decision is something that happened to a unit, for the log and for the drift
// measurement.
type Decision struct {
	Time   int64
	What   string // one of the constants below
	Why    string
	Drift  []drift.Result
	Failed bool
}

// Kinds of decisions.
const (
	Fitted     = "fit"      // a fit ended, in failure or in probation
	Promoted   = "promote"  // a model became champion
	Refused    = "refuse"   // a model did not
	RolledBack = "rollback" // the predecessor is champion again
	Accepted   = "accept"   // a lasting shift became the new normal
	Drifted    = "drift"    // the drift tests were asked
)

// mailbox hands finished work from other goroutines to the engine's.
type mailbox struct {
	mu   sync.Mutex
	full []result
}

type result struct {
	Outcome
	forced bool // a shift was accepted: the past is no measure
	err    error
}

func (m *mailbox) put(r result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = append(m.full, r)
}

func (m *mailbox) take() (all []result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, m.full = m.full, nil
	return all
}

// NewUnit returns a unit that learns. capacity is the size of its sample.
func NewUnit(name string, p *Policy, l *Learner, capacity int, seed uint64) *Unit {
	return &Unit{Name: name, policy: p, learner: l, sample: p.newReservoir(capacity, seed), recent: p.newRecent()}
}

// NewFixed returns a unit that serves a given model and learns nothing. Without
// a model it judges nothing.
func NewFixed(b *model.Bundle) *Unit {
	u := &Unit{Name: "model", fixed: true}
	if b != nil {
		u.Serve(b, true)
	}
	return u
}

// Progress is how much of what the first fit needs has been seen, 0 to 1.
func (u *Unit) Progress() float64 {
	if u.fixed {
		return 0
	}
	return min(1, float64(u.seen)/float64(u.policy.MinSamples))
}

// Youth falls from 1 to 0 while the unit sees its first days, in which much is
// new to it.
func (u *Unit) Youth(t int64) float64 {
	if u.fixed {
		return 0
	}
	return u.policy.Youth(u.born, t)
}

// Regime counts the lasting changes that were accepted.
func (u *Unit) Regime() int { return u.regime }

// Fixed reports whether the model was given rather than learned.
func (u *Unit) Fixed() bool { return u.fixed }

// Observe takes a settled context with the champion's verdict on it, nil if
// there is no champion yet. It must be called for every such context, in order.
// weight is how much it counts in the sample of a Mixed unit.
func (u *Unit) Observe(t int64, context []float64, weight float64, v *detect.Verdict) {
	u.Pass(t, v)
	if u.fixed {
		return
	}
	if u.seen++; u.born == 0 {
		u.born = t
	}
	if u.Mixed {
		u.sample.Add(t, context, u.trust(v)*weight)
	} else {
		u.learn(t, context, v != nil && v.Anomaly)
	}
	u.watch(t, context, v)
	u.schedule(t)
}

// Pass is Observe for a context that nothing is to be learned from.
func (u *Unit) Pass(t int64, v *detect.Verdict) {
	u.Poll(t)
	if u.Champion != nil && v != nil {
		u.Champion.note(t, u.strange(v))
	}
}

// strange is the champion's verdict by its own threshold, as one beside it is judged,
// wherever a budget of alarms has raised that.
func (u *Unit) strange(v *detect.Verdict) bool {
	return forest.Anomalous(v.Score, u.Champion.Bundle.Detector.Threshold)
}

func (s *Serving) note(t int64, flagged bool) {
	if s.Vectors == 0 {
		s.Since = t
	}
	s.Vectors++
	if flagged {
		s.Flagged++
	}
}

// Compare scores a context with the model that runs beside the champion, whose
// verdict is v. ok is false if there is none.
func (u *Unit) Compare(t int64, context []float64, v *detect.Verdict) (other detect.Verdict, ok bool) {
	if u.Shadow == nil {
		return other, false
	}
	other = u.Shadow.Scorer.Score(context)
	u.Shadow.note(t, other.Anomaly)
	if other.Anomaly != u.strange(v) {
		u.disagreed++
	}
	return other, true
}

// Disagreement is the share of vectors on which the shadow said something else.
func (u *Unit) Disagreement() float64 {
	if u.Shadow == nil {
		return 0
	}
	return float64(u.disagreed) / float64(max(1, u.Shadow.Vectors))
}

func (u *Unit) decide(t int64, what, format string, arguments ...any) {
	why := fmt.Sprintf(format, arguments...)
	u.Decisions = append(u.Decisions, Decision{Time: t, What: what, Why: why})
	if u.learner != nil {
		u.learner.Log("I! %s of %q: %s", what, u.Name, why)
	}
}
