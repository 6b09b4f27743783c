package feature

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"
)

// Kinds of a feature: a gauge is used as it is, a counter as its rate per second.
const (
	Gauge   = "gauge"
	Counter = "counter"
)

// Ways to combine the series of one group into one feature.
const (
	Sum  = "sum"
	Max  = "max"
	Mean = "mean"
)

// Policies for a feature that has no value in an interval.
const (
	Skip   = "skip"   // the vector is not scored
	Carry  = "carry"  // the last value stands in, for at most CarryIntervals
	Median = "median" // the median of the training set stands in
)

// CarryIntervals is the age, in intervals, up to which policy Carry uses a value.
const CarryIntervals = 6

// A Feature says how one number of the vector is made. Its value in an interval
// is offset + scale * (the sum of Fields, combined over the group's series).
type Feature struct {
	Name        string              `toml:"name" json:"name"`
	Measurement string              `toml:"measurement" json:"measurement"`
	Fields      []string            `toml:"fields" json:"fields"`
	Tags        map[string]string   `toml:"tags" json:"tags,omitempty"`       // tag values a series must have
	Include     map[string][]string `toml:"include" json:"include,omitempty"` // globs, one of which a tag value must match
	Exclude     map[string][]string `toml:"exclude" json:"exclude,omitempty"` // globs, none of which a tag value may match
	Kind        string              `toml:"kind" json:"kind"`
	Combine     string              `toml:"combine" json:"combine"`
	Scale       float64             `toml:"scale" json:"scale"`
	Offset      float64             `toml:"offset" json:"offset"`
	Min         *float64            `toml:"min" json:"min,omitempty"` // valid range; a value outside counts as missing
	Max         *float64            `toml:"max" json:"max,omitempty"`

	Watch `json:"-"` // not part of what a vector holds, so of no model either
}

// Watch says which deviations of a feature are worth an alarm. The zero value
// says all.
type Watch struct {
	Direction    string  `toml:"direction"`     // Above, Below or Both
	MinDeviation float64 `toml:"min_deviation"` // from the middle of the usual range, in the feature's unit
}

// Directions of a Watch.
const (
	Above = "above"
	Below = "below"
	Both  = "both"
)

// Free reports whether every deviation counts.
func (w *Watch) Free() bool { return w.Direction == Both && w.MinDeviation <= 0 }

// Minds reports whether the value x is worth an alarm where middle is usual.
func (w *Watch) Minds(x, middle float64) bool {
	d := x - middle
	return math.Abs(d) >= w.MinDeviation && (w.Direction == Both || (d > 0) == (w.Direction == Above))
}

// A Schema is everything that decides which numbers a vector holds. Two
// programs with equal schemas make equal vectors of equal lines.
type Schema struct {
	Features []Feature     `json:"features"`
	GroupBy  []string      `json:"group_by"` // tags whose values name a group
	Interval time.Duration `json:"interval"` // spacing of the vectors of a group; 0: learned from the stream
	Window   time.Duration `json:"window"`   // length of the rolling context, at least eight intervals; 0: none
	Missing  string        `json:"missing"`
}

// DefaultSchema joins Telegraf's stock cpu, mem and net inputs per host.
func DefaultSchema() Schema {
	return Schema{
		Features: DefaultFeatures(),
		GroupBy:  []string{"host"},
		Window:   15 * time.Minute,
		Missing:  Carry,
	}
}

// DefaultFeatures are cpu (percent busy), memory (percent used) and network
// (bytes per second, both directions, all real interfaces).
func DefaultFeatures() []Feature {
	zero, hundred := 0.0, 100.0
	return []Feature{
		{Name: "cpu", Measurement: "cpu", Fields: []string{"usage_idle"}, Tags: map[string]string{"cpu": "cpu-total"},
			Kind: Gauge, Combine: Mean, Scale: -1, Offset: 100, Min: &zero, Max: &hundred},
		{Name: "memory", Measurement: "mem", Fields: []string{"used_percent"},
			Kind: Gauge, Combine: Mean, Scale: 1, Min: &zero, Max: &hundred},
		{Name: "network", Measurement: "net", Fields: []string{"bytes_recv", "bytes_sent"},
			Exclude: map[string][]string{"interface": {"lo", "all", "veth*", "docker*", "br-*"}},
			Kind:    Counter, Combine: Sum, Scale: 1, Min: &zero},
	}
}

// Names returns the names of the features in vector order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Features))
	for i := range s.Features {
		names[i] = s.Features[i].Name
	}
	return names
}

// Hash identifies the schema but for its interval, which may have been learned.
func (s *Schema) Hash() string {
	c := *s
	c.Interval = 0
	b, err := json.Marshal(c)
	if err != nil {
		panic("feature: schema does not marshal: " + err.Error()) // plain data always does
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Normalize fills in the defaults of what was left empty, then checks the rest.
// An error names the feature and the key.
func (s *Schema) Normalize() error {
	if len(s.Features) == 0 {
		s.Features = DefaultFeatures()
	}
	if len(s.GroupBy) == 0 {
		s.GroupBy = []string{"host"}
	}
	if s.Missing == "" {
		s.Missing = Carry
	}
	if !slices.Contains([]string{Skip, Carry, Median}, s.Missing) {
		return fmt.Errorf(`missing = %q is unknown; use "skip", "carry" or "median"`, s.Missing)
	}
	if s.Interval < 0 || s.Window < 0 {
		return fmt.Errorf("interval %v and window %v must not be negative", s.Interval, s.Window)
	}
	seen := map[string]bool{}
	for i := range s.Features {
		f := &s.Features[i]
		if err := f.normalize(); err != nil {
			return fmt.Errorf("feature %d (%q): %w", i+1, f.Name, err)
		}
		if seen[f.Name] {
			return fmt.Errorf("feature %d (%q): the name is taken by an earlier feature", i+1, f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

func (f *Feature) normalize() error {
	if f.Kind == "" {
		f.Kind = Gauge
	}
	if f.Combine == "" {
		f.Combine = map[string]string{Gauge: Mean, Counter: Sum}[f.Kind]
	}
	if f.Scale == 0 {
		f.Scale = 1
	}
	if f.Direction == "" {
		f.Direction = Both
	}
	switch {
	case f.Name == "" || strings.ContainsAny(f.Name, " ,=\"\\\n\t"):
		return fmt.Errorf("name must be a plain word")
	case f.Measurement == "":
		return fmt.Errorf("measurement is missing")
	case len(f.Fields) == 0:
		return fmt.Errorf("fields is empty")
	case f.Kind != Gauge && f.Kind != Counter:
		return fmt.Errorf(`kind = %q is unknown; use "gauge" or "counter"`, f.Kind)
	case !slices.Contains([]string{Sum, Max, Mean}, f.Combine):
		return fmt.Errorf(`combine = %q is unknown; use "sum", "max" or "mean"`, f.Combine)
	case !slices.Contains([]string{Above, Below, Both}, f.Direction):
		return fmt.Errorf(`direction = %q is unknown; use "above", "below" or "both"`, f.Direction)
	case f.Min != nil && f.Max != nil && *f.Min >= *f.Max:
		return fmt.Errorf("min %g must be below max %g", *f.Min, *f.Max)
	}
	if err := f.checkNumbers(); err != nil {
		return err
	}
	return f.checkGlobs()
}

// checkNumbers refuses what TOML can hold and a model file cannot.
func (f *Feature) checkNumbers() error {
	for _, n := range []struct {
		key   string
		value *float64
	}{{"scale", &f.Scale}, {"offset", &f.Offset}, {"min", f.Min}, {"max", f.Max}, {"min_deviation", &f.MinDeviation}} {
		if n.value != nil && (math.IsNaN(*n.value) || math.IsInf(*n.value, 0)) {
			return fmt.Errorf("%s = %v is not a finite number", n.key, *n.value)
		}
	}
	return nil
}

func (f *Feature) checkGlobs() error {
	for _, globs := range []map[string][]string{f.Include, f.Exclude} {
		for tag, patterns := range globs {
			for _, p := range patterns {
				if _, err := path.Match(p, ""); err != nil {
					return fmt.Errorf("pattern %q for tag %q: %w", p, tag, err)
				}
			}
		}
	}
	return nil
}

// Windowed reports whether vectors hold a rolling past.
func (s *Schema) Windowed() bool { return newShape(s.Window, s.Interval).slots > 0 }

// Past is how long that is: the window, or what it takes to hold enough intervals.
func (s *Schema) Past() time.Duration {
	if !s.Windowed() {
		return 0
	}
	return max(s.Window, minIntervals*s.Interval)
}
