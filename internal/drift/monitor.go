package drift

import (
	"fmt"
	"slices"
	"time"
)

// Monitor watches one stream of vectors for drift from a [Profile].
//
// For the window tests it keeps, for each column, a ring of Cells values, each drawn at random from its own 1/480 of the
// window (nine minutes of three days, 21 of a week): drawn, because a value at a fixed minute would see a cron job always or
// never. For the streaming tests it keeps the running hour. All values are standardised and winsorised.
//
// Memory is bounded: about 7 KB for each column, whatever the length of the stream. The same seed and stream give the
// same verdicts, across restarts too. A Monitor is not safe for concurrent use.
//
// After a retraining start a new Monitor: it needs a full window before the window tests speak again, so that one drift
// cannot cause a storm of retrainings.
type Monitor struct {
	profile Profile
	grids   [][]float64 // of the references, standardised
	step    int64       // seconds of a cell
	state   State
}

// State is all that a [Monitor] remembers beside its profile: plain numbers, never NaN, fit for JSON or gob.
type State struct {
	Last    int64    // newest time seen, Unix seconds
	Random  uint64   // of the generator
	Columns []Column // as the profile's references
}

// NewMonitor starts a monitor for streams like the profile's. The seed selects which values are sampled.
func NewMonitor(profile Profile, seed uint64) (*Monitor, error) {
	if err := profile.Validate(); err != nil {
		return nil, err
	}
	m := &Monitor{profile: profile, step: int64(profile.Window()/time.Second) / Cells}
	for _, r := range profile.References {
		m.grids = append(m.grids, r.standardGrid())
	}
	m.state = State{Random: seed}
	m.reset()
	return m, nil
}

func (m *Monitor) reset() {
	m.state.Columns = make([]Column, len(m.grids))
	for i := range m.state.Columns {
		m.state.Columns[i] = newColumn()
	}
}

// Add takes one vector, in the order of the profile's references. A value that is NaN or infinite is missing.
//
// t is the time of the sample; where the clocks of many hosts meet, pass the receiver's. A time earlier than one seen
// before counts as that; one earlier by more than a window means that the clock had been wrong, and starts anew.
func (m *Monitor) Add(t time.Time, values []float64) error {
	if len(values) != len(m.grids) {
		return fmt.Errorf("drift: vector has %d values, want %d as the profile", len(values), len(m.grids))
	}
	if t.Unix() < m.state.Last-m.step*Cells {
		m.reset()
		m.state.Last = t.Unix()
	}
	m.state.Last = max(m.state.Last, t.Unix())
	for i, v := range values {
		if finite(v) {
			z := m.profile.References[i].standardise(v)
			m.state.Columns[i].add(m.state.Last, m.step, z, &m.state.Random)
		}
	}
	return nil
}

// Check judges the present state: for each column the window tests, once their window is full, then the streaming tests.
// A window is full when 22 of its 24 parts and 96 of its cells hold a value. It takes some 25 µs for each column: call
// it every few minutes, not for every vector.
func (m *Monitor) Check() []Result {
	var results []Result
	hours := int(m.profile.Window() / time.Hour)
	for i, r := range m.profile.References {
		c := &m.state.Columns[i]
		if window, full := c.window(m.state.Last / m.step); full {
			results = append(results,
				judge(r.Name, TestKS, KolmogorovSmirnov(m.grids[i], window), KSThreshold),
				judge(r.Name, TestPSI, PSI(m.grids[i], window), PSIThreshold),
				judge(r.Name, TestWasserstein, Wasserstein(m.grids[i], window, 1), WassersteinThreshold))
		}
		results = append(results,
			judge(r.Name, TestPageHinkley, c.PageHinkley.Statistic(), PageHinkleyThreshold),
			judge(r.Name, TestADWIN, c.ADWIN.Shift(hours), ADWINThreshold))
	}
	return results
}

// State returns a copy of the state, to be saved with the model's id.
func (m *Monitor) State() State {
	s := m.state
	s.Columns = slices.Clone(s.Columns)
	for i := range s.Columns {
		s.Columns[i] = s.Columns[i].clone()
	}
	return s
}

// Restore continues from a saved state, of a monitor with the same profile. Values that have left the window meanwhile
// no longer count. On error, which wraps [ErrInvalid], the monitor is unchanged.
func (m *Monitor) Restore(s State) error {
	if len(s.Columns) != len(m.grids) {
		return fmt.Errorf("%w state: %d columns, want %d as the profile", ErrInvalid, len(s.Columns), len(m.grids))
	}
	for i := range s.Columns {
		if err := s.Columns[i].validate(); err != nil {
			return fmt.Errorf("%w state of %q: %w", ErrInvalid, m.profile.References[i].Name, err)
		}
	}
	m.state = s
	m.state = m.State()
	return nil
}
