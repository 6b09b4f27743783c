// Package retrain gives models their life: it samples what a group shows, fits in
// the background, lets a fresh model serve only if it is no worse, goes back to
// its predecessor if it is, and notices when the world has changed.
package retrain

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// A Learner fits models one at a time, whatever the number of units that ask,
// and keeps them in the state directory. It is safe for concurrent use.
type Learner struct {
	Dir      string                                // state directory; "": models live as long as the process
	ReadOnly bool                                  // another process owns Dir: load from it, write nothing
	Log      func(format string, arguments ...any) // what an operator should know
	Sync     bool                                  // fit in the caller's goroutine: for files and for simulated time
	Share    float64                               // of a core, at most, for fitting; 0 means a quarter
	Now      func() time.Time                      // for the names of versions; nil means time.Now
	After    *Learner                              // of the configuration before this one, if any: its fit ends first

	// Fit carries a task out where it cannot delay the stream; nil: in this process.
	Fit func(*Task) (Outcome, error)

	sample Sample // what the fit under way learns from
	mu     sync.Mutex
	busy   bool
	jobs   sync.WaitGroup
}

// Free reports whether a fit could start now.
func (l *Learner) Free() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.After != nil && l.After.Free() {
		l.After = nil
	}
	return !l.busy && l.After == nil
}

// do starts a fit on a sample; its result goes to the unit's mailbox. The caller has found
// the Learner to be Free.
func (l *Learner) do(u *Unit, t Task, forced bool, sample *Reservoir) {
	l.sample = l.sample.Take(sample)
	t.Sample = l.sample
	if l.Sync {
		u.results.put(l.run(&t, forced))
		return
	}
	l.mu.Lock()
	l.busy = true
	l.mu.Unlock()
	l.jobs.Go(func() {
		start := time.Now()
		u.results.put(l.run(&t, forced))
		l.rest(time.Since(start))
	})
}

// rest keeps to the share: for a quarter, whoever worked for a second rests for
// three.
func (l *Learner) rest(worked time.Duration) {
	share := l.Share
	if share <= 0 {
		share = 0.25
	}
	time.AfterFunc(time.Duration(float64(worked)*(1/share-1)), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.busy = false
	})
}

// Wait returns when no fit is under way.
func (l *Learner) Wait() {
	l.mu.Lock()
	before := l.After
	l.mu.Unlock()
	if before != nil {
		before.Wait()
	}
	l.jobs.Wait()
}

func (l *Learner) run(t *Task, forced bool) (r result) {
	defer func() {
		if fault := recover(); fault != nil {
			r.err = fmt.Errorf("retrain: fit failed: %v", fault)
		}
	}()
	fit := l.Fit
	if fit == nil {
		fit = Fit
	}
	r.forced = forced
	if r.Outcome, r.err = fit(t); r.err == nil {
		l.save(t.Unit, r.Bundle)
	}
	return r
}

// save adds a version to the unit's store. A model that cannot be kept is used
// all the same.
func (l *Learner) save(unit string, b *model.Bundle) {
	if l.Dir == "" || l.ReadOnly {
		return
	}
	err := func() error {
		store, err := model.OpenStore(l.dir(unit))
		if err != nil {
			return err
		}
		if _, err = store.Save(b, l.now()); err != nil {
			return err
		}
		_, err = store.Prune(keptVersions)
		return err
	}()
	if err != nil {
		l.Log("W! model %s of %q could not be kept: %v", b.ID(), unit, err)
	}
}

// current makes the stored version of s current, off the caller's goroutine. A given
// model is not in the store: none is current then, and the given one serves after a
// restart, too.
func (l *Learner) current(unit string, s *Serving) {
	if l == nil || l.Dir == "" || l.ReadOnly {
		return
	}
	id, given := s.Bundle.ID(), s.Given
	promote := func() {
		store, err := model.OpenStore(l.dir(unit))
		if err == nil && given {
			err = store.Retire()
		} else if err == nil {
			err = store.PromoteID(id)
		}
		if err != nil {
			l.Log("W! model %s of %q could not be made current: %v", id, unit, err)
		}
	}
	if l.Sync {
		promote()
		return
	}
	l.jobs.Go(promote)
}

func (l *Learner) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// Load returns the model that an earlier run kept for the unit, or nil. A model
// of other features, or a damaged one, is reported and left alone.
func (l *Learner) Load(unit string, s feature.Schema) *model.Bundle {
	if l.Dir == "" {
		return nil
	}
	b, err := model.Load(l.dir(unit))
	switch {
	case err == nil && (b.Schema.Hash() != s.Hash() || b.Schema.Interval != s.Interval):
		l.Log("W! the stored model of %q is for other features, another window or another interval; learning a new one", unit)
		return nil
	case err == nil:
		return b
	case !errors.Is(err, model.ErrNoModel) && !errors.Is(err, fs.ErrNotExist):
		l.Log("W! the stored model of %q cannot be used, learning a new one: %v", unit, err)
	}
	return nil
}

// find returns the stored model with that ID, or nil.
func (l *Learner) find(unit, id string, s feature.Schema) *model.Bundle {
	if l.Dir == "" {
		return nil
	}
	store, err := model.OpenStore(l.dir(unit))
	if err != nil {
		return nil
	}
	names, _ := store.Versions()
	for _, name := range slices.Backward(names) {
		if strings.HasSuffix(name, "-"+id) {
			if b, err := store.Load(name); err == nil && b.Schema.Hash() == s.Hash() {
				return b
			}
		}
	}
	return nil
}

func (l *Learner) dir(unit string) string {
	name := url.PathEscape(unit)
	if name == "" || name[0] == '.' {
		name = "_" + name
	}
	return filepath.Join(l.Dir, "models", name)
}
