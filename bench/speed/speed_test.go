package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

// Contenders run by turns; one that cannot run is asked once, and the others do
// not mind.
func TestAlternate(t *testing.T) {
	var order string
	turns := map[string]float64{"a": 5}
	step := func(who string) func() (float64, error) {
		return func() (float64, error) {
			order += who
			turns[who]--
			return turns[who], nil
		}
	}
	figures := alternate("work", 3, contender{"a", step("a")},
		contender{"broken", func() (float64, error) { order += "x"; return 0, errors.New("no Python") }},
		contender{"b", step("b")})
	require.Equal(t, "axbabab", order)
	require.Equal(t, []figure{
		{What: "work", Who: "a", Value: 2, Rounds: []float64{4, 3, 2}},
		{What: "work", Who: "broken", Why: "no Python"},
		{What: "work", Who: "b", Value: -3, Rounds: []float64{-1, -2, -3}},
	}, figures)
}

func TestBestIsPerCall(t *testing.T) {
	sink := 0
	work := func(n int) func() {
		return func() {
			for i := range n {
				sink += i
			}
		}
	}
	one, ten := best(20*time.Millisecond, work(100_000)), best(20*time.Millisecond, work(1_000_000))
	require.InEpsilon(t, 10, ten/one, 0.7)
}

func TestHead(t *testing.T) {
	text := []byte("a 1\nb 2\nc 3\n")
	require.Equal(t, "a 1\nb 2\n", string(head(text, 2)))
	require.Equal(t, string(text), string(head(text, 5)))
	require.Empty(t, head(text, 0))
}

func TestFilterRun(t *testing.T) {
	if _, err := exec.LookPath("cat"); err != nil {
		t.Skip("there is no cat here")
	}
	text := bytes.Repeat([]byte("cpu a=1 1\n"), 1000)
	_, err := (&filter{command: []string{"cat"}}).run(text)
	require.NoError(t, err)
	_, err = (&filter{command: []string{"head", "-n", "3"}}).run(text)
	require.ErrorContains(t, err, "3 of 1000 lines came out")
	_, err = (&filter{command: []string{"/does/not/exist"}}).run(text)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = (&filter{why: errNoPython}).run(text)
	require.ErrorIs(t, err, errNoPython)
}

// The stock mix is what its name says, and each kind of line is part of it.
func TestMixes(t *testing.T) {
	all, err := lines(1, 5, nil)
	require.NoError(t, err)
	require.InDelta(t, 17.5*5, count(all), 10)
	s := feature.DefaultSchema()
	wants := feature.NewFilter(&s).Wants
	for _, m := range mixes {
		text, err := lines(1, 5, m.wanted)
		require.NoError(t, err)
		require.NotEmpty(t, text, m.what)
		for line := range bytes.Lines(text) {
			switch m.what {
			case lineOther, lineCore:
				require.False(t, wants(line), "%s: %s", m.what, line)
			case lineScored:
				require.True(t, wants(line), "%s", line)
			}
		}
	}
}

func TestBlend(t *testing.T) {
	first, second := []byte("A\nB\nC\nD\n"), []byte("x\ny\n")
	for share, want := range map[float64]string{0: "xyxy", 0.25: "xyxA", 0.5: "xAyB", 1: "ABCD"} {
		require.Equal(t, want, strings.ReplaceAll(string(blend(first, second, share, 4)), "\n", ""))
	}
}

func TestFleetWritesWhatMakesVectors(t *testing.T) {
	var text bytes.Buffer
	f := newFleet(50)
	require.NoError(t, f.play(&text, 3))
	require.Equal(t, 3*50*linesPerHost, count(text.Bytes()))
	s := feature.DefaultSchema()
	s.Interval = interval
	require.NoError(t, s.Normalize())
	complete := 0
	j, err := feature.NewJoiner(&s, 0, feature.DefaultLimits, func(v *feature.Vector, _ []feature.Item[int]) {
		if v.Complete() {
			complete++
		}
	})
	require.NoError(t, err)
	var p lp.Point
	for line := range bytes.Lines(text.Bytes()) {
		require.NoError(t, lp.Decode(&p, line, time.Time{}))
		require.True(t, j.Add(&p, 0, time.Time{}))
	}
	j.Flush()
	require.Equal(t, 2*50, complete, "counters need a first interval")
}

func TestCountScored(t *testing.T) {
	text := "cpu a=1,anomaly_score=0.4 1\nmem b=1 1\nai_predictions anomaly_score=0.4 1\nmem b=1,anomaly_score=0.4 1\n"
	require.Equal(t, 2, countScored(strings.NewReader(text)))
}

// What a score is read from an explanation is the forest's score.
func TestOwnScoreIsThatOfTheExplanation(t *testing.T) {
	for _, columns := range widths {
		o, err := newOwn(normal(500, columns, 1), normal(testRows, columns, 2), forest.Options{})
		require.NoError(t, err)
		for range 100 {
			o.sink = 0
			o.explain()
			explained := o.sink
			o.turn, o.sink = o.turn-1, 0
			o.score()
			require.InDelta(t, o.sink, explained, 1e-12)
		}
	}
}

func TestTheModelServesTheStockMix(t *testing.T) {
	bundle, err := fit(10)
	require.NoError(t, err)
	dir := t.TempDir()
	config, err := serve(dir, bundle, "")
	require.NoError(t, err)
	require.FileExists(t, config)
	e, err := engine.New(engine.Config{Schema: bundle.Schema, Model: bundle, Limits: feature.DefaultLimits}, engine.Output[int](nil))
	require.NoError(t, err)
	require.Equal(t, interval, e.Interval())
}

func TestEnvironmentSaysWhatIsMissing(t *testing.T) {
	_, err := environment("/no/such/python", t.TempDir(), []string{"numpy"})
	require.ErrorIs(t, err, errNoPython)
	peers := python("/no/such/python", t.TempDir(), "peer.py")
	require.Len(t, peers, len(pythonPeers))
	for _, p := range peers {
		_, err := p.fit()
		require.ErrorIs(t, err, errNoPython)
		_, err = p.measure("score", 1)()
		require.ErrorIs(t, err, errNoPython)
	}
}

// A peer that ends, or answers nonsense, is a peer that is not run.
func TestPeerThatFails(t *testing.T) {
	p := &peer{who: "brief", command: []string{"sh", "-c", `read x; echo '{"error": "ImportError: no"}'`}}
	_, err := p.fit()
	require.EqualError(t, err, "ImportError: no")
	_, err = p.fit()
	require.Error(t, err)
	require.Error(t, p.why, "it is not asked again")
	p.close()
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		target target
		want   string
	}{
		{target{Must: 2, Aim: 1}, "not measured"},
		{target{Must: 2, Aim: 1, Reached: 0.9, Known: true}, "aim"},
		{target{Must: 2, Aim: 1, Reached: 1, Known: true}, "aim"},
		{target{Must: 2, Aim: 1, Reached: 2, Known: true}, "must"},
		{target{Must: 2, Aim: 1, Reached: 2.1, Known: true}, "missed"},
		{target{Must: .95, Aim: .98, More: true, Reached: .99, Known: true}, "aim"},
		{target{Must: .95, Aim: .98, More: true, Reached: .96, Known: true}, "must"},
		{target{Must: .95, Aim: .98, More: true, Reached: .9, Known: true}, "missed"},
	} {
		require.Equal(t, c.want, c.target.verdict(), "%+v", c.target)
	}
	var r report
	r.judge()
	require.Greater(t, len(r.Targets), 10)
	for _, target := range r.Targets {
		require.Equal(t, "not measured", target.verdict())
		require.True(t, target.More == (target.Aim > target.Must), target.What)
	}
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	o := options{JSON: filepath.Join(dir, "speed.json"), Docs: filepath.Join(dir, "B.md")}
	require.NoError(t, os.WriteFile(o.Docs, []byte("before\n<!-- make bench begins -->\nold\n<!-- make bench ends -->\nafter\n"), 0o600))
	r := report{Machine: "a machine", Versions: map[string]string{"shap": "0.5"}, Figures: []figure{
		{What: lineMix, Who: us, Value: 1.5}, {What: lineMix, Who: noop, Value: 15}, {What: lineMix, Who: "cat", Why: "no cat"},
	}}
	for _, hosts := range []float64{1, 10_000} {
		y := map[string]float64{"resident_MB": hosts, "peak_MB": 2 * hosts, "us_per_line": 1, "score": 1, "score and explain": 2}
		r.Shares = append(r.Shares, point{hosts - 1, map[string]float64{us: 1, "cat": 0.1, noop: 10}})
		r.Fleet, r.Features, r.Trees = append(r.Fleet, point{hosts, y}), append(r.Features, point{hosts, y}), append(r.Trees, point{hosts, y})
	}
	r.judge()
	require.NoError(t, r.write(&o))
	text, err := os.ReadFile(o.Docs)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^before\n<!-- .* begins -->\n.*<!-- .* ends -->\nafter\n$`, string(text))
	require.Contains(t, string(text), "| a line of the stock mix | this project | 1.50 | 1.00 |\n|  | no-op on Telegraf's shim | 15.0 | 10.0 |\n|  | cat | not run: no cat |  |\n")
	require.Contains(t, string(text), "| a line of the stock mix | – | ≤ 3 µs | ≤ 1.5 µs | 1.50 µs | aim |")
	require.NotContains(t, string(text), "old")
	for _, p := range pictures {
		require.Contains(t, string(text), "(img/"+p.file+")")
		require.FileExists(t, filepath.Join(dir, "img", p.file))
	}
	require.Contains(t, string(text), "(img/"+mixPicture+")")
	require.FileExists(t, filepath.Join(dir, "img", mixPicture))

	var got report
	data, err := os.ReadFile(o.JSON)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, r.Figures, got.Figures)

	again := report{Versions: map[string]string{}, Figures: []figure{{What: lineMix, Who: us, Value: 1.2}}, Trees: got.Trees[:1]}
	again.keep(o.JSON)
	require.Equal(t, []figure{{What: lineMix, Who: us, Value: 1.2}}, again.Figures, "what was measured again is new as a whole")
	require.Equal(t, got.Fleet, again.Fleet)
	require.Equal(t, got.Shares, again.Shares)
	require.Equal(t, got.Versions, again.Versions)

	require.NoError(t, os.WriteFile(o.Docs, nil, 0o600))
	require.ErrorContains(t, r.write(&o), "has no section between")
}
