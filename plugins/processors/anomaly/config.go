package anomaly

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/period"
	"telegraf-anomaly/internal/retrain"
)

// Config is the [[processors.anomaly]] block. sample.conf explains the keys.
type Config struct {
	Model          string            `toml:"model"`
	State          string            `toml:"state"`
	Preset         string            `toml:"preset"`
	Interval       Duration          `toml:"interval"`
	GroupBy        []string          `toml:"group_by"`
	MaxHold        Duration          `toml:"max_hold"`
	Window         Duration          `toml:"window"`
	Missing        string            `toml:"missing"`
	Scope          string            `toml:"scope"`
	MinSamples     int               `toml:"min_samples"`
	Retrain        Duration          `toml:"retrain"`
	RetrainShare   float64           `toml:"retrain_share"`
	AcceptAfter    Duration          `toml:"accept_after"`
	Challenger     string            `toml:"challenger"`
	AlarmsPerWeek  float64           `toml:"alarms_per_week"`
	Alarm          string            `toml:"alarm"`
	ClearAfter     int               `toml:"clear_after"`
	QuietPeriods   string            `toml:"quiet_periods"`
	Contamination  float64           `toml:"contamination"`
	RangeWeight    float64           `toml:"range_weight"`
	ResidualWeight float64           `toml:"residual_weight"`
	RelationWeight float64           `toml:"relation_weight"`
	JumpWeight     float64           `toml:"jump_weight"`
	FlatWeight     float64           `toml:"flat_weight"`
	Trees          int               `toml:"trees"`
	SampleSize     int               `toml:"sample_size"`
	Seed           uint64            `toml:"seed"`
	Annotate       bool              `toml:"annotate"`
	Predictions    string            `toml:"predictions"`
	Features       []feature.Feature `toml:"feature"`
}

// Duration is written like "15m" in a configuration.
type Duration time.Duration

// UnmarshalText reads a Go duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText writes a Go duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// DefaultConfig is what holds with no configuration at all.
func DefaultConfig() Config {
	o, s := detect.DefaultOptions(), feature.DefaultSchema()
	return Config{
		Scope: ScopeGroup, Retrain: Duration(24 * time.Hour), RetrainShare: 0.25, AcceptAfter: Duration(24 * time.Hour),
		AlarmsPerWeek: 1, Alarm: "1 of 1", ClearAfter: 1,
		GroupBy: s.GroupBy, MaxHold: Duration(time.Second), Window: Duration(s.Window), Missing: s.Missing,
		Contamination: o.Contamination, RangeWeight: o.RangeWeight, ResidualWeight: o.ResidualWeight,
		RelationWeight: o.RelationWeight, JumpWeight: o.JumpWeight, FlatWeight: o.FlatWeight, Trees: o.Trees, SampleSize: o.SampleSize,
		Annotate: true, Predictions: "ai_predictions",
	}
}

// ReadConfig reads a configuration file, which holds one [[processors.anomaly]]
// block or none. A key that nobody knows is an error: it would be a wish that is
// silently ignored. Errors name file and line.
func ReadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return DefaultConfig(), err
	}
	c, err := ParseConfig(string(text))
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ParseConfig is ReadConfig on a text.
func ParseConfig(text string) (Config, error) {
	var raw struct {
		Processors struct {
			Anomaly []toml.Primitive `toml:"anomaly"`
		} `toml:"processors"`
	}
	c := DefaultConfig()
	meta, err := toml.Decode(text, &raw)
	if err != nil {
		return c, locate(err)
	}
	switch blocks := raw.Processors.Anomaly; len(blocks) {
	case 0:
	case 1:
		if err := meta.PrimitiveDecode(blocks[0], &c); err != nil {
			return c, locate(err)
		}
		if err := c.expand(); err != nil {
			return c, blame(text, err)
		}
	default:
		return c, fmt.Errorf("it has %d [[processors.anomaly]] blocks, want one", len(blocks))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, fmt.Errorf("line %d: unknown key %q", max(1, lineOf(text, unknown[0][len(unknown[0])-1])), unknown[0].String())
	}
	if _, err = c.Engine(); err != nil {
		return c, blame(text, err)
	}
	return c, nil
}

// Engine turns the block into an engine's configuration, without touching the
// disk: Model and Learner are left to the caller.
func (c *Config) Engine() (engine.Config, error) {
	if err := c.check(); err != nil {
		return engine.Config{}, err
	}
	s := feature.Schema{
		Features: append([]feature.Feature(nil), c.Features...), GroupBy: c.GroupBy, Missing: c.Missing,
		Interval: time.Duration(c.Interval), Window: time.Duration(c.Window),
	}
	if err := s.Normalize(); err != nil {
		return engine.Config{}, err
	}
	o := detect.Options{
		Trees: c.Trees, SampleSize: c.SampleSize, Seed: c.Seed, Contamination: c.Contamination,
		RangeWeight: c.RangeWeight, ResidualWeight: c.ResidualWeight,
		RelationWeight: c.RelationWeight, JumpWeight: c.JumpWeight, FlatWeight: c.FlatWeight,
	}
	if err := o.Check(); err != nil {
		return engine.Config{}, err
	}
	rule, err := c.alarmRule()
	if err != nil {
		return engine.Config{}, err
	}
	return engine.Config{
		Schema: s, Detect: o, MaxHold: time.Duration(c.MaxHold), Limits: feature.DefaultLimits,
		Annotate: c.Annotate, Predictions: c.Predictions,
		Shared: c.Scope == ScopeShared, MinSamples: c.MinSamples, Retrain: time.Duration(c.Retrain),
		Accept: time.Duration(c.AcceptAfter), Challenger: c.Challenger == ChallengerAuto,
		Alarm: rule, AlarmsPerWeek: c.AlarmsPerWeek,
	}, nil
}

// Values of scope.
const (
	ScopeGroup  = "group"
	ScopeShared = "shared"
)

// ChallengerAuto lets fresh models score beside the champion first.
const ChallengerAuto = "auto"

// check refuses what no other room of the house looks at.
func (c *Config) check() error {
	switch {
	case c.Scope != ScopeGroup && c.Scope != ScopeShared:
		return fmt.Errorf(`scope = %q is unknown; use "group" or "shared"`, c.Scope)
	case c.MinSamples < 0:
		return fmt.Errorf("min_samples = %d must not be below 0", c.MinSamples)
	case !(c.AlarmsPerWeek >= 0 && c.AlarmsPerWeek <= maxAlarmsPerWeek):
		return fmt.Errorf("alarms_per_week = %v must be between 0 and %v", c.AlarmsPerWeek, maxAlarmsPerWeek)
	case !(c.RetrainShare > 0 && c.RetrainShare <= 1):
		return fmt.Errorf("retrain_share = %v must be above 0 and at most 1", c.RetrainShare)
	case c.Trees < 1 || c.Trees > forest.MaxTrees:
		return fmt.Errorf("trees = %d must be between 1 and %d", c.Trees, forest.MaxTrees)
	case c.SampleSize < 2 || c.SampleSize > forest.MaxSampleSize:
		return fmt.Errorf("sample_size = %d must be between 2 and %d", c.SampleSize, forest.MaxSampleSize)
	case c.Seed > math.MaxInt64: // how the decoder reads a minus
		return fmt.Errorf("seed must not be below 0")
	}
	return c.checkDurations()
}

const maxAlarmsPerWeek = 1e6

func (c *Config) checkDurations() error {
	for _, d := range []struct {
		key   string
		value Duration
		least Duration
	}{
		{"interval", c.Interval, 0}, {"window", c.Window, 0},
		{"max_hold", c.MaxHold, 1}, {"retrain", c.Retrain, 1}, {"accept_after", c.AcceptAfter, 1},
	} {
		if d.value >= d.least {
			continue
		}
		if d.least == 0 {
			return fmt.Errorf("%s = %q must not be below 0", d.key, time.Duration(d.value))
		}
		return fmt.Errorf("%s = %q must be above 0", d.key, time.Duration(d.value))
	}
	return nil
}

func (c *Config) alarmRule() (r engine.AlarmRule, err error) {
	r.Clear = c.ClearAfter
	if _, err := fmt.Sscanf(c.Alarm, "%d of %d", &r.N, &r.M); err != nil || c.Alarm != fmt.Sprintf("%d of %d", r.N, r.M) {
		return r, fmt.Errorf(`alarm = %q is not like "2 of 3"`, c.Alarm)
	}
	if r.Clear < 1 {
		return r, fmt.Errorf("clear_after = %d must be at least 1", r.Clear)
	}
	return r, r.Check()
}

// Load is Engine with all that the block names read from the disk: the model, the
// challenger, the quiet periods. learner fits what is learned from the stream.
func (c *Config) Load(learner *retrain.Learner) (engine.Config, error) {
	e, err := c.Engine()
	if err != nil {
		return e, err
	}
	if c.Model != "" {
		if e.Model, err = model.Load(c.Model); err != nil {
			return e, err
		}
	}
	if c.Challenger != "" && c.Challenger != ChallengerAuto {
		if e.Reference, err = model.Load(c.Challenger); err != nil {
			return e, fmt.Errorf("challenger: %w", err)
		}
	}
	if c.QuietPeriods != "" {
		quiet, err := period.Read(c.QuietPeriods)
		if err != nil {
			return e, fmt.Errorf("quiet_periods: %w", err)
		}
		e.Quiet = quiet.Contains
	}
	if c.Model == "" || c.State != "" {
		learner.Dir, learner.Share, e.Learner = c.State, c.RetrainShare, learner
	} else {
		e.AlarmsPerWeek = 0 // a given model's threshold is its own
	}
	return e, nil
}

// CheckState makes sure that the state directory can be written.
func (c *Config) CheckState() error {
	if c.State == "" {
		return nil
	}
	if err := os.MkdirAll(c.State, 0o750); err != nil {
		return fmt.Errorf("state = %q: %w", c.State, err)
	}
	f, err := os.CreateTemp(c.State, ".check-*")
	if err != nil {
		return fmt.Errorf("state = %q: %w", c.State, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// String returns the configuration as TOML, every key written out.
func (c Config) String() string {
	if e, err := c.Engine(); err == nil {
		c.Features = e.Schema.Features // with what was left out
	}
	var b strings.Builder
	encoder := toml.NewEncoder(&b)
	if err := encoder.Encode(map[string]any{"processors": map[string]any{"anomaly": []Config{c}}}); err != nil {
		return "# " + err.Error() + "\n" // plain data always encodes
	}
	return b.String()
}
