package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/retrain"
	"telegraf-anomaly/internal/stdio"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// session is one life of the program.
type session struct {
	*stdio.Runner
	log     *stdio.Logger
	misuse  error // what is wrong with the flags
	learner *retrain.Learner
	sync    bool                                         // fit in between lines
	fit     func(*retrain.Task) (retrain.Outcome, error) // else: how; nil: in this process
	started time.Time
	fault   string // why lines are passed on unscored; "" if they are not
	caveat  string // what else does not work

	stateDir string     // "" if nothing is to be written
	unlock   func()     // lets go of it
	owner    string     // of the state
	saving   sync.Mutex // held while a save is under way

	modelPath    string
	modelVersion string        // of what serves
	model        *model.Bundle // the given one, if any, of that version
	loading      atomic.Bool   // a model is being loaded
}

func newSession(in io.Reader, out io.Writer, log *stdio.Logger) *session {
	return &session{
		Runner: stdio.New(in, out, log), log: log, started: time.Now(),
		learner: &retrain.Learner{},
	}
}

// start sets everything up. It cannot fail: what does not work is logged, and
// lines pass unscored, or as they did before.
func (s *session) start(configFile string) {
	config, err := readConfig(configFile)
	if s.misuse != nil {
		err = s.misuse
	}
	if err == nil {
		err = s.build(config)
	}
	switch {
	case err == nil:
		s.fault = ""
	case s.Engine() != nil:
		s.log.Logf("W! the configuration before this one goes on: %v", err)
	default:
		s.fault = err.Error()
		s.log.Logf("E! lines are passed on unscored: %v", err)
	}
}

func readConfig(file string) (anomaly.Config, error) {
	if file == "" {
		return anomaly.DefaultConfig(), nil
	}
	return anomaly.ReadConfig(file)
}

// build takes a configuration into use. Until it is known to be a good one, nothing
// changes.
func (s *session) build(c anomaly.Config) error {
	version := versionAt(c.Model) // before it is read: what comes meanwhile is newer
	learner := &retrain.Learner{Log: s.log.Logf, Sync: s.sync, Fit: s.fit, After: s.learner}
	ec, err := c.Load(learner)
	if err == nil {
		_, err = engine.New(ec, engine.Output[[]byte](nil))
	}
	if err != nil {
		return err
	}
	s.claim(c.State)
	learner.ReadOnly = s.stateDir == ""
	s.learner, s.owner, s.modelPath, s.modelVersion, s.model = learner, ec.Owner(), c.Model, version, ec.Model
	err = s.Use(func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) {
		ec.Model = s.model
		e, err := engine.New(ec, out)
		if err == nil && !s.restore(c.State, e, s.owner) {
			e, err = engine.New(ec, out)
		}
		return e, err
	})
	if err == nil {
		s.log.Logf("I! %s", plan(ec))
	}
	return err
}

// restart takes a changed configuration into use, between two lines.
func (s *session) restart(configFile string) {
	s.log.Logf("I! reading the configuration again")
	if e := s.Engine(); e != nil {
		e.Flush(time.Now())
	}
	s.save()
	s.saving.Lock() // once it is on the disk
	defer s.saving.Unlock()
	s.start(configFile)
}

// plan says what will happen, and when.
func plan(c engine.Config) string {
	if m := c.Model; m != nil {
		return fmt.Sprintf("scoring %v with model %s, fitted on %d vectors at an interval of %v", m.Schema.Names(), m.ID(), m.Provenance.Rows, m.Schema.Interval)
	}
	when := "after two hours of vectors, at least 256"
	if c.MinSamples > 0 {
		when = fmt.Sprintf("after %d vectors", c.MinSamples)
	}
	return fmt.Sprintf("no model is configured: learning %v per group of %v; lines pass unscored until a group's first model, %s, unless the state directory has one", c.Schema.Names(), c.Schema.GroupBy, when)
}

// Close waits for a fit and a save that are under way, within the time that
// Telegraf gives.
func (s *session) Close() {
	done := make(chan struct{})
	go func() {
		s.learner.Wait()
		s.saving.Lock()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
		s.log.Logf("W! stopping while a model is being fitted or the state saved; that is lost")
	}
}

// hostname tells the processors of a fleet apart; Telegraf tags only what its
// inputs bring.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// report writes the self-metric.
func (s *session) report() {
	c := s.Counts()
	r := &lp.Record{Name: "anomaly_processor", Time: time.Now().UnixNano(), Tags: [][2]string{{"host", hostname()}}}
	state := "degraded"
	if e := s.Engine(); e != nil {
		r.Fields = e.SelfMetric(r.Fields)
		state = e.State()
	}
	if s.caveat != "" {
		state = "degraded"
		r.Fields = append(r.Fields, lp.String("fault", s.caveat))
	}
	r.Fields = append(r.Fields,
		lp.Int("lines", int64(c.Lines)), lp.Int("bytes", int64(c.Bytes)),
		lp.Int("errors_malformed", int64(c.Malformed)), lp.Int("errors_too_long", int64(c.TooLong)),
		lp.Int("errors_fault", int64(c.Panics)), lp.Int("log_dropped", int64(s.log.Dropped())),
		lp.Int("uptime_s", int64(time.Since(s.started).Seconds())),
		lp.String("state", state))
	if s.fault != "" {
		r.Fields = append(r.Fields, lp.String("fault", s.fault))
		s.log.Minutely("degraded", "E! lines are passed on unscored: %s", s.fault)
	}
	s.Write(r)
}

// runCheck validates everything that serve would use.
func runCheck(configFile string, stdout, stderr io.Writer) int {
	c, err := readConfig(configFile)
	var e engine.Config
	if err == nil {
		e, err = c.Load(&retrain.Learner{})
	}
	if err == nil {
		_, err = engine.New(e, engine.Output[[]byte](nil))
	}
	if err == nil {
		err = c.CheckState()
	}
	if err != nil {
		fmt.Fprintf(stderr, "telegraf-anomaly: %v\n", err)
		return usageExit
	}
	fmt.Fprint(stdout, c.String())
	fmt.Fprintf(stdout, "# %s\n", plan(e))
	return 0
}
