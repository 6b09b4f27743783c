package anomaly

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

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
	Interval       Duration          `toml:"interval"`
	GroupBy        []string          `toml:"group_by"`
	MaxHold        Duration          `toml:"max_hold"`
	Window         Duration          `toml:"window"`
	Missing        string            `toml:"missing"`
	Scope          string            `toml:"scope"`
	MinSamples     int               `toml:"min_samples"`
	Retrain        Duration          `toml:"retrain"`
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
		Scope: ScopeGroup, Retrain: Duration(24 * time.Hour), AcceptAfter: Duration(24 * time.Hour),
		AlarmsPerWeek: 1, Alarm: "1 of 1", ClearAfter: 1,
		GroupBy: s.GroupBy, MaxHold: Duration(time.Second), Window: Duration(s.Window), Missing: s.Missing,
		Contamination: o.Contamination, RangeWeight: o.RangeWeight, ResidualWeight: o.ResidualWeight,
		RelationWeight: o.RelationWeight, FlatWeight: o.FlatWeight, Trees: o.Trees, SampleSize: o.SampleSize,
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
	default:
		return c, fmt.Errorf("it has %d [[processors.anomaly]] blocks, want one", len(blocks))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, fmt.Errorf("line %d: unknown key %q", lineOf(text, unknown[0]), unknown[0].String())
	}
	_, err = c.Engine()
	return c, err
}

// locate puts the line in front of a syntax or type error.
func locate(err error) error {
	if p, ok := err.(toml.ParseError); ok {
		return fmt.Errorf("line %d: %s", p.Position.Line, p.Message)
	}
	return err
}

// lineOf finds a key that the decoder has no position for.
func lineOf(text string, key toml.Key) int {
	last := regexp.QuoteMeta(key[len(key)-1])
	at := regexp.MustCompile(`(?m)^\s*(\[*[\w.]*\b)?["']?` + last + `["']?\s*(=|\])`).FindStringIndex(text)
	if at == nil {
		return 1
	}
	start := at[0] + len(text[at[0]:at[1]]) - len(strings.TrimLeft(text[at[0]:at[1]], " \t\r\n"))
	return 1 + strings.Count(text[:start], "\n")
}

// Engine turns the block into an engine's configuration, without touching the
// disk: Model and Learner are left to the caller.
func (c *Config) Engine() (engine.Config, error) {
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
		RelationWeight: c.RelationWeight, FlatWeight: c.FlatWeight,
	}
	if err := o.Check(); err != nil {
		return engine.Config{}, err
	}
	rule := engine.AlarmRule{Clear: c.ClearAfter}
	if _, err := fmt.Sscanf(c.Alarm, "%d of %d", &rule.N, &rule.M); err != nil {
		return engine.Config{}, fmt.Errorf(`alarm = %q is not like "2 of 3"`, c.Alarm)
	}
	if err := rule.Check(); err != nil {
		return engine.Config{}, err
	}
	if err := c.checkLearning(); err != nil {
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

func (c *Config) checkLearning() error {
	switch {
	case c.Scope != ScopeGroup && c.Scope != ScopeShared:
		return fmt.Errorf(`scope = %q is unknown; use "group" or "shared"`, c.Scope)
	case c.MaxHold <= 0 || c.Retrain <= 0 || c.AcceptAfter <= 0:
		return fmt.Errorf("max_hold, retrain and accept_after must be above 0")
	case c.MinSamples < 0 || c.AlarmsPerWeek < 0:
		return fmt.Errorf("min_samples and alarms_per_week must not be below 0")
	}
	return nil
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
		learner.Dir, e.Learner = c.State, learner
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
	if len(c.Features) == 0 {
		c.Features = feature.DefaultFeatures()
	}
	var b strings.Builder
	encoder := toml.NewEncoder(&b)
	if err := encoder.Encode(map[string]any{"processors": map[string]any{"anomaly": []Config{c}}}); err != nil {
		return "# " + err.Error() + "\n" // plain data always encodes
	}
	return b.String()
}
