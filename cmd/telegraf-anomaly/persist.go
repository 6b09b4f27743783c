package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"telegraf-anomaly/internal/atomicfile"
	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/state"
)

const (
	stateFile  = "stream.state"
	savePeriod = 2 * time.Minute  // what a kill may cost
	pollPeriod = 10 * time.Second // for a new current model, and for a wish to fit again
	wishFile   = "retrain"        // its appearance in the state directory asks for a fit
)

// claim takes the state directory for this process, and lets go of another one.
// Whoever comes second reads but does not write.
func (s *session) claim(dir string) {
	if s.stateDir != "" {
		if s.stateDir == dir {
			return
		}
		s.unlock()
	}
	s.stateDir, s.caveat = "", ""
	if dir == "" {
		return
	}
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		s.unlock, err = atomicfile.Lock(filepath.Join(dir, "lock")) // held until the process ends
	}
	if err == nil {
		s.stateDir = dir
		return
	}
	s.caveat = fmt.Sprintf("what is learned cannot be kept: %v", err)
	if errors.Is(err, atomicfile.ErrLocked) {
		s.caveat += "; is skip_processors_after_aggregators = true missing in [agent]?"
	}
	s.log.Logf("W! %s", s.caveat)
}

// restore gives the engine what an earlier run knew. What cannot be used is
// reported and left alone.
func (s *session) restore(dir string, e *engine.Engine[[]byte], owner string) bool {
	if dir == "" {
		return true
	}
	r, err := state.Read(filepath.Join(dir, stateFile), owner)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err == nil {
		err = e.Load(r, time.Now())
	}
	if err != nil {
		s.log.Logf("W! starting without what was learned before, models apart: %v", err)
		return r == nil // the engine may hold half of it
	}
	s.log.Logf("I! took up the state of an earlier run from %s", dir)
	return true
}

// save writes the state down. The encoding is done here, the writing in a
// goroutine, since a disk may hang.
func (s *session) save() {
	e := s.Engine()
	if s.stateDir == "" || e == nil || !s.saving.TryLock() {
		return
	}
	var w state.Writer
	if !e.Save(&w) {
		s.saving.Unlock()
		return
	}
	path := filepath.Join(s.stateDir, stateFile)
	go func() {
		defer s.saving.Unlock()
		if err := w.Save(path, s.owner); err != nil {
			s.log.Minutely("save", "W! the state could not be saved, will try again: %v", err)
		}
	}()
}

// poll looks for a new current model, and for the wish to fit again.
func (s *session) poll() {
	if s.stateDir != "" && os.Remove(filepath.Join(s.stateDir, wishFile)) == nil {
		s.log.Logf("I! fitting again, as the file %s asked for", wishFile)
		if e := s.Engine(); e != nil {
			e.Refit()
		}
	}
	if s.modelPath == "" || !s.loading.CompareAndSwap(false, true) {
		return
	}
	go func(path, serving string) {
		version, b, err := reload(path, serving)
		if !s.Call(func() { s.loading.Store(false); s.offer(version, b, err) }) {
			s.loading.Store(false)
		}
	}(s.modelPath, s.modelVersion)
}

// reload reads the model at a path if it is another one by now than what serves.
func reload(path, serving string) (version string, b *model.Bundle, err error) {
	version = versionAt(path)
	if version != "" && version != serving {
		b, err = model.Load(path)
	}
	return version, b, err
}

// offer puts what reload has read into service.
func (s *session) offer(version string, b *model.Bundle, err error) {
	if e := s.Engine(); b != nil && e != nil {
		err = e.Offer(b)
	}
	if err != nil {
		s.log.Minutely("reload", "W! the new model does not serve, the old one goes on: %v", err)
	} else if b != nil {
		s.model, s.modelVersion = b, version
		s.log.Logf("I! model %s was loaded and serves from the next vector on", b.ID())
	}
}

// versionAt tells contents of a model path apart without reading models: the name
// of a store's current version, or a file's size and time.
func versionAt(path string) string {
	if text, err := os.ReadFile(filepath.Join(path, "current")); err == nil {
		return string(text)
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return ""
	}
	return info.ModTime().String()
}
