package anomaly

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/retrain"
)

// inBlock is a configuration whose third line is the first of these.
func inBlock(lines string) string { return "# line 1\n[[processors.anomaly]]\n" + lines + "\n" }

func featureBlock(name, more string) string {
	return "[[processors.anomaly.feature]]\nname = \"" + name + "\"\nmeasurement = \"m\"\nfields = [\"f\"]\n" + more
}

func TestParseConfig(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		change func(*Config)
	}{
		"nothing":          {"", func(*Config) {}},
		"an empty block":   {inBlock(""), func(*Config) {}},
		"durations":        {inBlock("window = \"0s\"\ninterval = \"1m30s\""), func(c *Config) { c.Window, c.Interval = 0, Duration(90*time.Second) }},
		"a quoted key":     {inBlock(`"trees" = 7`), func(c *Config) { c.Trees = 7 }},
		"no predictions":   {inBlock(`predictions = ""`), func(c *Config) { c.Predictions = "" }},
		"an alarm rule":    {inBlock("alarm = \"2 of 3\"\nclear_after = 5"), func(c *Config) { c.Alarm, c.ClearAfter = "2 of 3", 5 }},
		"two group tags":   {inBlock(`group_by = ["dc", "host"]`), func(c *Config) { c.GroupBy = []string{"dc", "host"} }},
		"line ends of DOS": {"[[processors.anomaly]]\r\n  seed = 9\r\n", func(c *Config) { c.Seed = 9 }},
		"a feature": {inBlock(featureBlock("x", "")), func(c *Config) {
			c.Features = []feature.Feature{{Name: "x", Measurement: "m", Fields: []string{"f"}}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := DefaultConfig()
			test.change(&want)
			got, err := ParseConfig(test.text)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

// An error names the line and what to do.
func TestParseConfigRefuses(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{inBlock("window = = 3"), "line 3: expected value but found '=' instead"},
		{inBlock("window = \"1m\"\nwindow = \"2m\""), "line 4: Key 'processors.anomaly.window' has already been defined."},
		{"\xff", "line 1: invalid UTF-8 byte: 0xff"},

		{inBlock("windw = \"1m\""), `line 3: unknown key "processors.anomaly.windw"`},
		{inBlock("# windw = 1\nwindow = \"1m\"\n\n'windw' = 1"), `line 6: unknown key "processors.anomaly.windw"`},
		{inBlock(featureBlock("x", "nmae = 1")), `line 7: unknown key "processors.anomaly.feature.nmae"`},
		{"\n[agent]\ninterval = \"10s\"\n", `line 2: unknown key "agent"`},
		{"window = \"5m\"\n", `line 1: unknown key "window"`},
		{"[[processors.execd]]\ncommand = []\n", `line 1: unknown key "processors.execd"`},

		{inBlock("window = 5"), `line 3: time: missing unit in duration "5"`},
		{inBlock(`retrain = "1d"`), `line 3: time: unknown unit "d" in duration "1d"`},
		{inBlock("min_samples = 1.5"), `line 3 (last key "processors.anomaly.min_samples"): incompatible types: TOML value has type float64; destination has type integer`},
		{inBlock("\ngroup_by = \"host\""), `line 4 (last key "processors.anomaly.group_by"): incompatible types: TOML value has type string; destination has type slice`},
		{"[processors.anomaly]\n", `line 1 (last key "processors.anomaly"): incompatible types: TOML value has type map[string]any; destination has type slice`},
		{"[[processors.anomaly]]\n[[processors.anomaly]]\n", "it has 2 [[processors.anomaly]] blocks, want one"},

		{inBlock(`missing = "guess"`), `line 3: missing = "guess" is unknown; use "skip", "carry" or "median"`},
		{inBlock("trees = 9\n\nscope = \"host\""), `line 5: scope = "host" is unknown; use "group" or "shared"`},
		{inBlock("interval = \"10s\"\nwindow = \"-1m\""), `line 4: window = "-1m0s" must not be below 0`},
		{inBlock(`max_hold = "0s"`), `line 3: max_hold = "0s" must be above 0`},
		{inBlock(`accept_after = "-1h"`), `line 3: accept_after = "-1h0m0s" must be above 0`},
		{inBlock("min_samples = -1"), "line 3: min_samples = -1 must not be below 0"},
		{inBlock("alarms_per_week = nan"), "line 3: alarms_per_week = NaN must be between 0 and 1e+06"},
		{inBlock("alarms_per_week = -0.5"), "line 3: alarms_per_week = -0.5 must be between 0 and 1e+06"},
		{inBlock("contamination = nan"), "line 3: contamination = NaN must be above 0 and at most 0.5"},
		{inBlock("flat_weight = -1.0"), "line 3: flat_weight = -1 must be between 0 and 10 bits"},
		{inBlock("retrain_share = 0.0"), "line 3: retrain_share = 0 must be above 0 and at most 1"},
		{inBlock("retrain_share = 1.5"), "line 3: retrain_share = 1.5 must be above 0 and at most 1"},
		{inBlock("retrain_share = nan"), "line 3: retrain_share = NaN must be above 0 and at most 1"},
		{inBlock("trees = 0"), "line 3: trees = 0 must be between 1 and 16384"},
		{inBlock("sample_size = 1"), "line 3: sample_size = 1 must be between 2 and 32768"},
		{inBlock("seed = -1"), "line 3: seed must not be below 0"},
		{inBlock(`alarm = "often"`), `line 3: alarm = "often" is not like "2 of 3"`},
		{inBlock(`alarm = "1 of 1 hour"`), `line 3: alarm = "1 of 1 hour" is not like "2 of 3"`},
		{inBlock(`alarm = "3 of 2"`), "line 3: alarm rule 3 of 2, cleared after 1, makes no sense: want 1 <= n <= m <= 64 and clear >= 1"},
		{inBlock("alarm = \"1 of 1\"\nclear_after = 0"), "line 4: clear_after = 0 must be at least 1"},

		{inBlock(featureBlock("x", "kind = \"rate\"")), `line 7: feature 1 ("x"): kind = "rate" is unknown; use "gauge" or "counter"`},
		{inBlock(featureBlock("x", "min = 3.0\n") + featureBlock("y", "max = 5.0\nmin = 5.0")), `line 13: feature 2 ("y"): min 5 must be below max 5`},
		{inBlock("[[processors.anomaly.feature]]\nname = \"x\"\n" + featureBlock("y", "")), `line 3: feature 1 ("x"): measurement is missing`},
		{inBlock(featureBlock("x", "") + featureBlock("x", "")), `line 8: feature 2 ("x"): the name is taken by an earlier feature`},
		{inBlock(featureBlock("x y", "")), `line 4: feature 1 ("x y"): name must be a plain word`},
		{inBlock(featureBlock("x", `include = {path = ["["]}`)), `line 3: feature 1 ("x"): pattern "[" for tag "path": syntax error in pattern`},
		{inBlock(featureBlock("x", "scale = inf")), `line 7: feature 1 ("x"): scale = +Inf is not a finite number`},
	} {
		_, err := ParseConfig(test.text)
		require.EqualError(t, err, test.says, test.text)
	}
}

func TestReadConfigNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "anomaly.conf")
	_, err := ReadConfig(file)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, file)

	require.NoError(t, os.WriteFile(file, []byte(inBlock("windw = 1")), 0o600))
	_, err = ReadConfig(file)
	require.EqualError(t, err, file+`: line 3: unknown key "processors.anomaly.windw"`)
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
	}{{"0s", 0}, {"15m", 15 * time.Minute}, {"1h30m", 90 * time.Minute}, {"250ms", 250 * time.Millisecond}, {"-1s", -time.Second}} {
		var d Duration
		require.NoError(t, d.UnmarshalText([]byte(c.text)))
		require.Equal(t, Duration(c.want), d)
	}
	for _, text := range []string{"", "5", "s", "1 h", "1d", "∞"} {
		require.Error(t, new(Duration).UnmarshalText([]byte(text)), text)
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64().Draw(t, "ns"))
		text, err := d.MarshalText()
		require.NoError(t, err)
		var back Duration
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, d, back)
	})
}

// What -check prints is a configuration, of the same meaning.
func TestStringRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[a-z]\w{0,6}`)
	long := rapid.Map(rapid.Int64Range(1, int64(1000*time.Hour)), func(ns int64) Duration { return Duration(ns) })
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig()
		c.State = rapid.String().Draw(t, "state")
		c.Window, c.MaxHold = long.Draw(t, "window"), long.Draw(t, "max_hold")
		c.GroupBy = rapid.SliceOfN(word, 1, 3).Draw(t, "group_by")
		c.AlarmsPerWeek = rapid.Float64Range(0, 1e6).Draw(t, "alarms_per_week")
		c.Seed = rapid.Uint64Range(0, 1<<63-1).Draw(t, "seed")
		c.Annotate = rapid.Bool().Draw(t, "annotate")
		if rapid.Bool().Draw(t, "has a feature") {
			low := rapid.Float64Range(-1e9, 1e9).Draw(t, "min")
			c.Features = []feature.Feature{{Name: word.Draw(t, "name"), Measurement: rapid.StringN(1, 9, -1).Draw(t, "measurement"), Fields: []string{"f"},
				Tags: map[string]string{word.Draw(t, "tag"): "v"}, Min: &low}}
		}
		back, err := ParseConfig(c.String())
		require.NoError(t, err, c.String())
		require.Equal(t, c.String(), back.String())
		requireSameMeaning(t, c, back)
	})
}

func requireSameMeaning(t require.TestingT, want, got Config) {
	a, err := want.Engine()
	require.NoError(t, err)
	b, err := got.Engine()
	require.NoError(t, err)
	require.Equal(t, a, b)
}

func TestStringNamesTheDefaultFeatures(t *testing.T) {
	text := DefaultConfig().String()
	for _, name := range []string{"cpu", "memory", "network"} {
		require.Contains(t, text, `name = "`+name+`"`)
	}
}

func TestEngineOfTheDefaults(t *testing.T) {
	c := DefaultConfig()
	e, err := c.Engine()
	require.NoError(t, err)
	require.Equal(t, engine.DefaultAlarmRule, e.Alarm)
	require.Equal(t, []string{"cpu", "memory", "network"}, e.Schema.Names())
	require.True(t, e.Annotate)
	require.Equal(t, "ai_predictions", e.Predictions)
	require.Equal(t, time.Second, e.MaxHold)
	require.Nil(t, e.Model)
	require.Nil(t, e.Learner)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	quiet := filepath.Join(dir, "quiet.txt")
	require.NoError(t, os.WriteFile(quiet, []byte("daily 02:00 02:30\n"), 0o600))
	c := DefaultConfig()
	c.QuietPeriods, c.State, c.RetrainShare = quiet, dir, 0.5
	learner := &retrain.Learner{}
	e, err := c.Load(learner)
	require.NoError(t, err)
	require.Same(t, learner, e.Learner)
	require.Equal(t, dir, learner.Dir)
	require.Equal(t, 0.5, learner.Share)
	require.True(t, e.Quiet("a", time.Date(2026, 1, 1, 2, 10, 0, 0, time.UTC)))
	require.False(t, e.Quiet("a", time.Date(2026, 1, 1, 2, 40, 0, 0, time.UTC)))
}

func TestLoadNamesWhatIsMissing(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for key, set := range map[string]func(*Config){
		"":               func(c *Config) { c.Model = none },
		"challenger":     func(c *Config) { c.Challenger = none },
		"quiet_periods":  func(c *Config) { c.QuietPeriods = none },
		`scope = "none"`: func(c *Config) { c.Scope = "none" },
	} {
		c := DefaultConfig()
		set(&c)
		_, err := c.Load(&retrain.Learner{})
		require.ErrorContains(t, err, "none")
		require.True(t, strings.HasPrefix(err.Error(), key), err)
	}
}

func TestCheckState(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(occupied, nil, 0o600))
	for name, state := range map[string]string{"none": "", "there": dir, "not there yet": filepath.Join(dir, "a", "b")} {
		c := Config{State: state}
		require.NoError(t, c.CheckState(), name)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "a", "b"))
	require.NoError(t, err)
	require.Empty(t, entries, "the probe is gone")

	for name, state := range map[string]string{"a file": occupied, "below a file": filepath.Join(occupied, "x")} {
		c := Config{State: state}
		require.ErrorContains(t, c.CheckState(), `state = "`+state+`": `, name)
	}
}
