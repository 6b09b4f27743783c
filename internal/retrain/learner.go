// Package retrain fits models in the background and keeps them from one run of
// the process to the next.
package retrain

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

// A Learner fits one model at a time, whatever the number of groups that ask.
// It is safe for concurrent use.
type Learner struct {
	Dir  string                                // state directory; "": models live as long as the process
	Log  func(format string, arguments ...any) // what an operator should know
	Sync bool                                  // fit in the caller's goroutine: for files, which do not wait
	work sync.Mutex
	jobs sync.WaitGroup
}

// Fit fits a model of the group, in a goroutine of its own unless Sync, and stores it. A model
// that could not be stored is used all the same.
func (l *Learner) Fit(group string, contexts *mat.Dense, s feature.Schema, o detect.Options, done func(*model.Bundle, error)) {
	if l.Sync {
		l.fit(group, contexts, s, o, done)
		return
	}
	l.jobs.Go(func() { l.fit(group, contexts, s, o, done) })
}

func (l *Learner) fit(group string, contexts *mat.Dense, s feature.Schema, o detect.Options, done func(*model.Bundle, error)) {
	l.work.Lock()
	defer l.work.Unlock()
	b, err := fit(group, contexts, s, o)
	if err == nil {
		l.keep(group, b)
	}
	done(b, err)
}

// Wait returns when no fit is under way.
func (l *Learner) Wait() { l.jobs.Wait() }

func fit(group string, contexts *mat.Dense, s feature.Schema, o detect.Options) (b *model.Bundle, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("retrain: fit failed: %v", r)
		}
	}()
	d, err := detect.Fit(contexts, s.Names(), s.Windowed(), o)
	if err != nil {
		return nil, err
	}
	return model.New(s, d, contexts, model.Provenance{Source: "stream of " + group})
}

func (l *Learner) keep(group string, b *model.Bundle) {
	rows := b.Provenance.Rows
	if l.Dir == "" {
		l.Log("I! learned a model of %q from %d vectors; it is %s. It will be lost at the end, as there is no state directory", group, rows, b.ID())
		return
	}
	name, err := l.save(group, b)
	if err != nil {
		l.Log("W! learned a model of %q from %d vectors but could not keep it: %v", group, rows, err)
		return
	}
	l.Log("I! learned a model of %q from %d vectors and kept it as %s", group, rows, name)
}

func (l *Learner) save(group string, b *model.Bundle) (name string, err error) {
	store, err := model.OpenStore(l.dir(group))
	if err != nil {
		return "", err
	}
	if name, err = store.Save(b, time.Now()); err != nil {
		return "", err
	}
	return name, store.Promote(name)
}

// Load returns the model that an earlier run kept for the group, or nil. A model
// of other features, or a damaged one, is reported and left alone.
func (l *Learner) Load(group string, s feature.Schema) *model.Bundle {
	if l.Dir == "" {
		return nil
	}
	b, err := model.Load(l.dir(group))
	switch {
	case err == nil && (b.Schema.Hash() != s.Hash() || b.Schema.Interval != s.Interval):
		l.Log("W! the stored model of %q is for other features, another window or another interval; learning a new one", group)
		return nil
	case err == nil:
		return b
	case !errors.Is(err, model.ErrNoModel) && !errors.Is(err, fs.ErrNotExist):
		l.Log("W! the stored model of %q cannot be used, learning a new one: %v", group, err)
	}
	return nil
}

func (l *Learner) dir(group string) string {
	name := url.PathEscape(group)
	if name == "" || name[0] == '.' {
		name = "_" + name
	}
	return filepath.Join(l.Dir, "models", name)
}
