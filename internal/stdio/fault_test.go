package stdio

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/lp"
)

func builder(change func(engine.Output[[]byte]) engine.Output[[]byte]) Builder {
	c := config()
	c.Predictions = "ai_predictions"
	return func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) { return engine.New(c, change(out)) }
}

// faulty is an output that fails at some of its calls, as a fault of ours inside
// the engine would.
type faulty struct {
	engine.Output[[]byte]
	calls *int
	fails func(call int) bool
}

func (f faulty) Emit(line []byte, values []lp.Value) {
	f.fail()
	f.Output.Emit(line, values)
}

func (f faulty) Write(r *lp.Record) {
	f.fail()
	f.Output.Write(r)
}

func (f faulty) fail() {
	if *f.calls++; f.fails(*f.calls) {
		panic("fault")
	}
}

// Wherever the engine fails, every line comes out once and in order, the faults
// are counted, and scoring goes on.
func TestFaultsCostNoLine(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name   string
		fails  func(call int) bool
		scores bool // in the end
	}{
		{"never", func(int) bool { return false }, true},
		{"first call", func(n int) bool { return n == 1 }, true},
		{"second call", func(n int) bool { return n == 2 }, true},
		{"third call", func(n int) bool { return n == 3 }, true},
		{"fourth call", func(n int) bool { return n == 4 }, true},
		{"every fiftieth", func(n int) bool { return n%50 == 0 }, true},
		{"one in a hundred, at random", func(int) bool { return chance.Float64() < 0.01 }, true},
		{"every seventh", func(n int) bool { return n%7 == 0 }, false},
		{"every other", func(n int) bool { return n%2 == 0 }, false},
		{"always", func(int) bool { return true }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls, count := 0, uint64(0)
			fails := func(n int) bool {
				if c.fails(n) {
					count++
					return true
				}
				return false
			}
			var lines []string
			faults := builder(func(out engine.Output[[]byte]) engine.Output[[]byte] { return faulty{out, &calls, fails} })
			bubble(t, func(r *rig) { require.NoError(r.t, r.Use(faults)) }, func(t *testing.T, r *rig) {
				for k := range 30 {
					for _, host := range []string{"a", "b", "c"} {
						told := interval(host, k)
						lines = append(lines, told...)
						r.say(strings.Join(told, ""))
						time.Sleep(300 * time.Millisecond)
					}
					time.Sleep(9 * time.Second)
				}
				require.NoError(t, r.end())
				requireEachOnce(t, lines, r.out.String())
				require.Equal(t, count, r.Counts().Panics)
				require.Equal(t, count > 0, strings.Contains(r.logs.String(), "E! internal fault, please report it: fault at telegraf-anomaly/internal/stdio.faulty.fail:"))
				require.Equal(t, c.scores, strings.Contains(r.out.String(), "is_anomaly="))
			})
		})
	}
}

// After a fault lines pass unscored for a second, then a new engine is built.
func TestEngineIsBuiltAnew(t *testing.T) {
	built := 0
	build := func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) {
		switch built++; built {
		case 2:
			return nil, errors.New("model is gone")
		case 3:
			panic("no luck")
		}
		return engine.New(config(), out)
	}
	bubble(t, func(r *rig) { require.NoError(r.t, r.Use(build)) }, func(t *testing.T, r *rig) {
		requireBuilt := func(times int, runs bool) {
			t.Helper()
			var n int
			var e *engine.Engine[[]byte]
			r.ask(func() { n, e = built, r.Engine() })
			require.Equal(t, times, n)
			require.Equal(t, runs, e != nil)
		}
		r.ask(func() { panic("fault") })
		requireBuilt(1, false)
		r.say("cpu a=1 1\n" + interval("a", 1)[0])
		require.Equal(t, "cpu a=1 1\n"+interval("a", 1)[0], r.out.String(), "lines pass meanwhile")

		time.Sleep(retryWait)
		requireBuilt(2, false)
		require.Contains(t, r.logs.String(), "E! lines are passed on unscored, next try in 1m0s: model is gone\n")

		time.Sleep(failWait)
		requireBuilt(3, false)
		require.Contains(t, r.logs.String(), "next try in 1m0s: internal fault: no luck at telegraf-anomaly/internal/stdio.")

		time.Sleep(failWait)
		requireBuilt(4, true)
		require.NoError(t, r.end())
	})
}

func TestUseFails(t *testing.T) {
	r := newRig(t)
	defer r.log.Close()
	require.EqualError(t, r.Use(func(engine.Output[[]byte]) (*engine.Engine[[]byte], error) { return nil, errors.New("no") }), "no")
	require.ErrorContains(t, r.Use(func(engine.Output[[]byte]) (*engine.Engine[[]byte], error) { panic("ouch") }), "internal fault: ouch at ")
	require.Nil(t, r.Engine())
}

// Whatever happens while there is no engine costs nothing either.
func TestFaultsWithoutAnEngine(t *testing.T) {
	bubble(t, func(r *rig) { r.Every(time.Second, func() { panic("task") }) }, func(t *testing.T, r *rig) {
		r.say("cpu a=1\n")
		time.Sleep(2500 * time.Millisecond)
		r.say("cpu a=2\n")
		require.NoError(t, r.end())
		require.Equal(t, "cpu a=1\ncpu a=2\n", r.out.String())
		require.Equal(t, uint64(3), r.Counts().Panics)
		require.Equal(t, 1, strings.Count(r.logs.String(), "\n"), "said once a minute")
	})
}

func TestMalformedLinesPass(t *testing.T) {
	bubble(t, scored(asIs), func(t *testing.T, r *rig) {
		text := "cpu,cpu=cpu-total,host=a usage_idle=NaN 5\ncpu,cpu=cpu-total usage\nmem used_percent= 5\n" +
			"cpu,cpu=cpu0,host=a usage_idle=NaN 5\n" // feeds no feature: nobody reads it
		r.say(text)
		require.Equal(t, text, r.out.String())
		require.NoError(t, r.end())
		require.Equal(t, uint64(3), r.Counts().Malformed)
		require.Equal(t, 1, strings.Count(r.logs.String(), "W! a line was passed on unread: lp: "))
	})
}
