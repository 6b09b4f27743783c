package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/trainer"
	"telegraf-anomaly/plugins/processors/anomaly"
)

type fitCmd struct {
	recordFlags
	schemaFlags
	Model string `required:"" help:"Directory of model versions to add to." type:"path" placeholder:"DIR"`

	Contamination *float64 `help:"Share of training vectors above the threshold." placeholder:"0.0025"`
	AlarmsPerWeek *float64 `help:"Set the threshold for this many alarms per host and week instead." placeholder:"N"`
	Trees         *int     `help:"Number of trees." placeholder:"100"`
	SampleSize    *int     `help:"Rows per tree." placeholder:"256"`
	Seed          *uint64  `help:"Seed of everything random." placeholder:"0"`
	RangeWeight   *float64 `help:"Bits for values outside the training range; 0 turns every addition to the forest off." placeholder:"0.2"`
	Standardize   bool     `help:"Let the forest see every column with mean 0 and deviation 1; both are recorded in the model."`

	Grid []string `help:"Parameter to search over, such as trees=50,100; may be repeated. Default, unless a threshold is asked for: contamination." sep:"none" placeholder:"NAME=VALUE,VALUE"`

	trackFlags
}

// Validate finds mistakes before anything is read.
func (c *fitCmd) Validate() error {
	if c.AlarmsPerWeek != nil && !(*c.AlarmsPerWeek > 0) {
		return fmt.Errorf("--alarms-per-week %g must be above 0", *c.AlarmsPerWeek)
	}
	_, err := c.axes(detect.DefaultOptions())
	return err
}

// Run fits, saves and promotes a model.
func (c *fitCmd) Run(t *terminal) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	if err := c.checkGrid(config); err != nil {
		return err
	}
	j, err := c.schemaFlags.open(&c.recordFlags, config)
	if err != nil {
		return err
	}
	if _, err := model.OpenStore(c.Model); err != nil {
		return err // better now than after the work
	}
	started := time.Now()
	f := &fitting{job: j, terminal: t, perWeek: config.AlarmsPerWeek}
	if err := f.fit(c); err != nil {
		return err
	}
	if f.version, err = keep(c.Model, f.bundle); err != nil {
		return err
	}
	f.text()
	if err := t.names(f.summary(), f.version); err != nil {
		return err
	}
	return c.track(f, &c.recordFlags, c.Model, started)
}

// config is the configuration file with the flags laid over it.
func (c *fitCmd) config() (config anomaly.Config, err error) {
	if config, err = c.schemaFlags.read(); err != nil {
		return config, err
	}
	override(&config.Contamination, c.Contamination)
	override(&config.Trees, c.Trees)
	override(&config.SampleSize, c.SampleSize)
	override(&config.Seed, c.Seed)
	override(&config.RangeWeight, c.RangeWeight)
	if c.RangeWeight != nil && *c.RangeWeight == 0 { // the classic forest and nothing else
		config.ResidualWeight, config.RelationWeight, config.JumpWeight, config.FlatWeight = 0, 0, 0, 0
	}
	return config, nil
}

func override[T any](value *T, flag *T) {
	if flag != nil {
		*value = *flag
	}
}

// keep adds a model to the store and makes it current.
func keep(dir string, b *model.Bundle) (name string, err error) {
	store, err := model.OpenStore(dir)
	if err != nil {
		return "", err
	}
	if name, err = store.Save(b, time.Now()); err != nil {
		return "", err
	}
	return name, store.Promote(name)
}

// fitting is a fit under way.
type fitting struct {
	*job
	*terminal
	perWeek float64 // false alarms that a host may raise while parameters are chosen
	set     *trainer.Set
	split   trainer.Split
	table   *trainer.Table   // from the validation part on; nil if the record is too short for one
	search  *trainer.Search  // nil if there was nothing to choose, or nothing to choose by
	heldOut *trainer.HeldOut // nil without a table
	bundle  *model.Bundle
	version string
}

func (f *fitting) fit(c *fitCmd) (err error) {
	f.Detect.Workers = runtime.NumCPU()
	f.Detect.Standardize = c.Standardize
	override(&f.Detect.AlarmsPerWeek, c.AlarmsPerWeek)
	override(&f.perWeek, c.AlarmsPerWeek)
	if err = f.collect(f.Schema.Window); err != nil {
		return err
	}
	f.say("read %d vectors of %d group(s), %s to %s, every %v; left out: %v", f.set.Seen, f.set.Groups,
		f.set.From.Format(time.RFC3339), f.set.To.Format(time.RFC3339), f.Schema.Interval, f.set.Dropped)
	f.unread(f.source.Record)
	if err = f.lookBack(); err != nil {
		return err
	}
	if err = f.choose(c); err != nil {
		return err
	}
	if err = f.rehearse(); err != nil {
		return err
	}
	p := model.Provenance{Program: version, Commit: commit(), Go: runtime.Version(), Source: filepath.Base(c.Data), Metrics: f.metrics()}
	f.bundle, err = trainer.FitAt(f.set, f.Detect, f.threshold(), p)
	return err
}

// threshold is the one that keeps to the budget of alarms, 0 without a budget.
func (f *fitting) threshold() float64 {
	if f.heldOut == nil {
		return 0
	}
	return f.heldOut.Threshold
}

func (f *fitting) collect(window time.Duration) (err error) {
	f.Schema.Window = window
	f.set, err = trainer.Collect(f.ctx, f.source, f.Schema, f.Detect.Seed)
	return err
}

// lookBack reads the end of the record for what needs it in order.
func (f *fitting) lookBack() (err error) {
	f.split = trainer.SplitAt(f.set.From, f.set.To, f.set.Seen)
	if f.source.CSV && !f.source.HasTime || f.set.Seen < 200 {
		f.say("the record is too short, or has no times, to hold a part of it out: nothing is chosen by it, and no alarms can be expected")
		return nil
	}
	f.table, err = trainer.ReadTable(f.ctx, f.source, f.Schema, f.split.Validation.Add(-2*f.Schema.Past()))
	if errors.Is(err, trainer.ErrLarge) {
		f.warn("nothing is held out: %v", err)
		f.table, err = nil, nil
	}
	return err
}

// choose searches the grid. The one of --grid must be possible; the one that
// nobody asked for is left out where the record does not allow it.
func (f *fitting) choose(c *fitCmd) error {
	axes, err := c.axes(f.Detect)
	if err != nil || len(axes) == 0 {
		return err
	}
	asked := len(c.Grid) > 0
	switch {
	case f.table != nil:
		err = f.searchOver(axes)
	case asked:
		err = fmt.Errorf("%w: there is no part of the record to choose by", detect.ErrRows)
	}
	if errors.Is(err, trainer.ErrNoIncident) && !asked {
		f.say("contamination %g as configured, for there is nothing to choose by: %v", f.Detect.Contamination, err)
		return nil
	}
	return err
}

func (f *fitting) searchOver(axes []trainer.Axis) (err error) {
	points := trainer.Points(trainer.Point{Options: f.Detect, Window: f.Schema.Window}, axes)
	step := f.progress("point", len(points))
	sets := func(window time.Duration) (*trainer.Set, error) {
		err := f.recollect(window)
		return f.set, err
	}
	f.search, err = trainer.Grid(f.ctx, points, sets, f.table, f.split, f.perWeek/7, func(t trainer.Trial) { step(describe(t)) })
	if err != nil {
		return err
	}
	best := f.search.Trials[f.search.Best]
	f.Detect = best.Options
	return f.recollect(best.Window)
}

// recollect makes the training set for another window.
func (f *fitting) recollect(window time.Duration) error {
	if window == f.set.Schema.Window {
		return nil
	}
	return f.collect(window)
}

// axes are what the search varies. A threshold that was asked for is not searched
// for.
func (c *fitCmd) axes(o detect.Options) (axes []trainer.Axis, err error) {
	texts := c.Grid
	if len(texts) == 0 && c.Contamination == nil && c.AlarmsPerWeek == nil {
		texts = []string{trainer.DefaultAxis(o)}
	}
	for _, text := range texts {
		a, err := trainer.ParseAxis(text)
		if err != nil {
			return nil, err
		}
		axes = append(axes, a)
	}
	return axes, nil
}

// checkGrid holds every point of the grid against what a configuration may say.
func (c *fitCmd) checkGrid(config anomaly.Config) error {
	start, err := config.Engine()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	axes, err := c.axes(start.Detect)
	if err != nil {
		return err
	}
	for _, p := range trainer.Points(trainer.Point{Options: start.Detect, Window: start.Schema.Window}, axes) {
		config.Contamination, config.RangeWeight = p.Options.Contamination, p.Options.RangeWeight
		config.Trees, config.SampleSize, config.Window = p.Options.Trees, p.Options.SampleSize, anomaly.Duration(p.Window)
		if _, err := config.Engine(); err != nil {
			return fmt.Errorf("%w: --grid: %w", errUsage, err)
		}
	}
	return nil
}

// rehearse finds out what the model would do on rows that it has not seen. After
// a search that is the test part, since the choice has seen the other.
func (f *fitting) rehearse() (err error) {
	if f.table == nil && f.Detect.AlarmsPerWeek > 0 {
		return fmt.Errorf("%w: the record is too short for --alarms-per-week", detect.ErrRows)
	}
	if f.table == nil {
		return nil
	}
	from := f.split.Validation
	if f.search != nil {
		from = f.split.Test
	}
	f.table.Schema = f.Schema
	f.heldOut, err = trainer.Rehearse(f.ctx, f.set, f.table, f.Detect, f.split, from)
	return err
}

func (f *fitting) metrics() map[string]float64 {
	if f.heldOut == nil {
		return nil
	}
	m := map[string]float64{"alarms_per_host_week": f.heldOut.AlarmsPerHostWeek}
	if f.heldOut.Labelled {
		for name, value := range f.heldOut.All() {
			m[name] = value
		}
	}
	return m
}

func describe(t trainer.Trial) string {
	if t.Err != nil {
		return t.Err.Error()
	}
	o := t.Options
	return fmt.Sprintf("contamination %g, %d trees of %d, window %v, range weight %g: event recall %s, average precision %s, %s false alarms a host and week",
		o.Contamination, o.Trees, o.SampleSize, t.Window, o.RangeWeight, figure(t.EventRecall), figure(t.AveragePrecision), figure(7*t.FalseAlarmsPerDay))
}

// incidents says by what was chosen, and whether the budget was kept.
func (f *fitting) incidents() string {
	on, budget := "labelled incidents", fmt.Sprintf("within %g false alarms a host and week", f.perWeek)
	if f.search.Planted {
		on = "planted incidents, nobody's labels"
	}
	if best := f.search.Trials[f.search.Best]; 7*best.FalseAlarmsPerDay > f.perWeek {
		budget = "none keeps to " + strings.TrimPrefix(budget, "within ") + ", this comes nearest"
	}
	return on + ", " + budget
}

// text is the end of a fit, for people.
func (f *fitting) text() {
	if f.search != nil {
		f.say("chosen on %s: %s", f.incidents(), describe(f.search.Trials[f.search.Best]))
	}
	if h := f.heldOut; h != nil {
		wrong := ""
		if h.Labelled {
			wrong = fmt.Sprintf(", %s of them false", figure(7*h.FalseAlarmsPerDay))
		}
		f.say("expected: %s alarms per host and week%s, counted on %d rows since %s that were not learned from",
			figure(h.AlarmsPerHostWeek), wrong, h.Rows, h.From.Format(time.RFC3339))
	}
	f.say("threshold %.4f; model %s is current now", f.bundle.Detector.Threshold, f.bundle.ID())
}
