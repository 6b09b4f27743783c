package retrain

import (
	"encoding/json"

	"telegraf-anomaly/internal/drift"
	"telegraf-anomaly/internal/state"
)

// Save writes down what the unit has learned, but for its models, which are in
// the store. A fit that is still under way is lost, and asked for again.
func (u *Unit) Save(w *state.Writer) {
	u.Poll(u.fitTime)
	for _, v := range []int64{u.born, int64(u.seen), int64(u.fittedAt), u.fitTime, u.checked, int64(u.retryAt), int64(u.regime)} {
		w.Int(v)
	}
	w.Bool(u.wanted || u.fitting)
	w.Bool(u.accepted || u.fitting && u.forced)
	u.sample.save(w)
	u.recent.save(w)
	id, drifting := "", []byte(nil)
	if u.Champion != nil {
		id = u.Champion.Bundle.ID()
	}
	if u.monitor != nil {
		drifting, _ = json.Marshal(u.monitor.State()) // plain data always marshals
	}
	w.Text(id)
	w.Text(string(drifting))
	u.saveProbation(w)
}

// saveProbation writes down what scores beside the champion for a time, and how
// both did so far. A reference is configured, not remembered.
func (u *Unit) saveProbation(w *state.Writer) {
	on := u.Role == RoleChallenger || u.Role == RolePredecessor
	if w.Bool(on); !on {
		return
	}
	w.Text(u.Role)
	w.Text(u.Shadow.Bundle.ID())
	w.Int(int64(u.disagreed))
	for _, s := range []*Serving{u.Champion, u.Shadow} {
		for _, v := range []int64{s.Since, int64(s.Vectors), int64(s.Flagged)} {
			w.Int(v)
		}
	}
}

// loadProbation takes it up again, if the champion is the same one and the model
// beside it is in the store or the given one.
func (u *Unit) loadProbation(r *state.Reader, same bool) {
	if !r.Bool() {
		return
	}
	role, id, disagreed := r.Text(), r.Text(), int(r.Int())
	var counts [2]Serving
	for i := range counts {
		counts[i] = Serving{Since: r.Int(), Vectors: int(r.Int()), Flagged: int(r.Int())}
	}
	if r.Err() != nil || !same {
		return
	}
	given := u.Given != nil && u.Given.ID() == id
	b := u.Given
	if !given {
		b = u.learner.find(u.Name, id, u.policy.Schema)
	}
	if b != nil {
		u.stand(b, role)
		u.disagreed, u.Shadow.Given = disagreed, given
		for i, s := range []*Serving{u.Champion, u.Shadow} {
			s.Since, s.Vectors, s.Flagged = counts[i].Since, counts[i].Vectors, counts[i].Flagged
		}
	}
}

// Load takes up what Save wrote. The champion must have been loaded before: what
// is known of drift holds only for the same model.
func (u *Unit) Load(r *state.Reader) {
	u.born, u.seen, u.fittedAt, u.fitTime, u.checked = r.Int(), int(r.Int()), int(r.Int()), r.Int(), r.Int()
	u.retryAt, u.regime = int(r.Int()), int(r.Int())
	u.wanted, u.accepted = r.Bool(), r.Bool()
	u.sample.load(r)
	u.recent.load(r)
	id, drifting := r.Text(), r.Text()
	same := u.Champion != nil && u.Champion.Bundle.ID() == id
	u.loadProbation(r, same)
	if u.monitor == nil || !same {
		return
	}
	var s drift.State
	if json.Unmarshal([]byte(drifting), &s) == nil {
		_ = u.monitor.Restore(s) // else it starts anew
	}
}

func (r *Reservoir) save(w *state.Writer) {
	w.Int(int64(r.Seed))
	saveEntries(w, r.Entries)
}

func (r *Reservoir) load(s *state.Reader) {
	r.Seed = uint64(s.Int())
	r.Entries = loadEntries(s, r.Width, r.Capacity)
}

func (r *Recent) save(w *state.Writer) { saveEntries(w, r.Entries) }

func (r *Recent) load(s *state.Reader) { r.Entries = loadEntries(s, r.Width, r.Size) }

func saveEntries(w *state.Writer, entries []Entry) {
	w.Int(int64(len(entries)))
	for _, e := range entries {
		w.Float(e.Key)
		w.Int(e.Time)
		w.Float32s(e.Context)
	}
}

func loadEntries(r *state.Reader, width, most int) (entries []Entry) {
	for i := range r.Count(9) {
		e := Entry{Key: r.Float(), Time: r.Int(), Context: r.Float32s()}
		if r.Err() == nil && len(e.Context) != width {
			r.Fail("a context has %d numbers, want %d", len(e.Context), width)
		}
		if r.Err() != nil {
			return nil
		}
		if i < most {
			entries = append(entries, e)
		}
	}
	return entries
}
