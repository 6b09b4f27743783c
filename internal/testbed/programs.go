package testbed

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// A Program is one that the testbed can install into the bin folder of a
// checkout. Its value is the name of the file.
type Program string

// The programs. The first two are the real ones, in fixed versions; the others
// are this project's.
const (
	Telegraf Program = "telegraf"
	InfluxDB Program = "influxd"
	Anomaly  Program = "telegraf-anomaly"
	Train    Program = "train"
)

// recipe is how a program is made with nothing but Go.
type recipe struct {
	pkg, version string // version "": from this checkout
	tags         string
	ldflags      string
}

// telegrafTags select the plugins: with "custom", Telegraf has no others.
// processors.execd needs the influx parser and serializer.
var telegrafTags = strings.Join([]string{
	"custom",
	"inputs.cpu", "inputs.mem", "inputs.net", "inputs.disk", "inputs.system",
	"inputs.execd", "inputs.file", "inputs.http", "inputs.internal",
	"processors.execd", "aggregators.basicstats",
	"outputs.file", "outputs.discard", "outputs.influxdb", "outputs.influxdb_v2",
	"parsers.influx", "parsers.json", "parsers.json_v2", "serializers.influx",
}, ",")

var recipes = map[Program]recipe{
	Telegraf: {
		pkg: "github.com/influxdata/telegraf/cmd/telegraf", version: "v1.39.3", tags: telegrafTags,
		ldflags: "-s -w -X github.com/influxdata/telegraf/internal.Version=1.39.3",
	},
	// The newest InfluxDB that builds without a Rust toolchain.
	InfluxDB: {pkg: "github.com/influxdata/influxdb/cmd/influxd", version: "v1.8.10", ldflags: "-s -w"},
	Anomaly:  {pkg: "./cmd/telegraf-anomaly", ldflags: "-s -w"},
	Train:    {pkg: "./cmd/train", ldflags: "-s -w"},
}

// Root returns the folder of the checkout that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("testbed: no go.mod in this folder or above")
		}
	}
	return "", err
}

// Path returns where the program is, or will be, in a checkout.
func (p Program) Path(root string) string { return filepath.Join(root, "bin", string(p)) }

// Installed fails, saying what to do, unless the program is there in the version
// and with the plugins that are wanted.
func (p Program) Installed(root string) error {
	info, err := buildinfo.ReadFile(p.Path(root))
	if err == nil && !recipes[p].made(info) {
		err = fmt.Errorf("bin/%s is another version, or has other plugins", p)
	}
	if err != nil {
		return fmt.Errorf("testbed: %w; run: make bin/%s", err, p)
	}
	return nil
}

// made reports whether a program with this build information came from r.
func (r recipe) made(info *buildinfo.BuildInfo) bool {
	if r.version == "" {
		return true
	}
	tags := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-tags" && s.Value == r.tags })
	return info.Path == r.pkg && info.Main.Version == r.version && (tags >= 0 || r.tags == "")
}
