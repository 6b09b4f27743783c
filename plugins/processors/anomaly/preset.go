package anomaly

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"telegraf-anomaly/internal/feature"
)

// presets are the features of common set-ups, a file each.
//
//go:embed presets
var presets embed.FS

// Presets lists what preset can be.
func Presets() (names []string) {
	files, err := presets.ReadDir("presets")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
	}
	return names
}

// preset is what such a file holds.
type preset struct {
	GroupBy  []string          `toml:"group_by"`
	Features []feature.Feature `toml:"feature"`
}

func readPreset(name string) (p preset, err error) {
	if !slices.Contains(Presets(), name) {
		return p, fmt.Errorf("preset = %q is unknown; use one of %s", name, strings.Join(Presets(), ", "))
	}
	_, err = toml.DecodeFS(presets, "presets/"+name+".toml", &p)
	return p, err
}

// expand puts the preset's features in front of the block's own, and its groups in
// place of the default ones.
func (c *Config) expand() error {
	if c.Preset == "" {
		return nil
	}
	p, err := readPreset(c.Preset)
	if err != nil {
		return err
	}
	if p.GroupBy != nil && slices.Equal(c.GroupBy, feature.DefaultSchema().GroupBy) {
		c.GroupBy = p.GroupBy
	}
	c.Features = p.with(c.Features)
	return nil
}

// with returns the preset's features and, behind them, those that a block names. One of the same name takes the preset's place.
func (p *preset) with(named []feature.Feature) []feature.Feature {
	all := slices.Clone(p.Features)
	for _, f := range named {
		same := func(other feature.Feature) bool { return other.Name == f.Name }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i] = f
		} else {
			all = append(all, f)
		}
	}
	return all
}
