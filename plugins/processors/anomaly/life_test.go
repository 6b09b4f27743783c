package anomaly

import (
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/metric"
	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

func memory(at time.Time) telegraf.Metric {
	return metric.New("mem", map[string]string{"host": "a"}, map[string]any{"used_percent": 40.0}, at)
}

func started(t *testing.T, config Config, out *accumulator) *Anomaly {
	t.Helper()
	p := New()
	p.Config, p.Log = config, logger{T: t}
	require.NoError(t, p.Init())
	require.NoError(t, p.Start(out))
	return p
}

func ofTenSeconds() Config {
	c := DefaultConfig()
	c.Interval = Duration(10 * time.Second)
	return c
}

// A metric waits for the others of its interval, but no longer than max_hold,
// though nothing else comes.
func TestMaxHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out accumulator
		p := started(t, ofTenSeconds(), &out)
		came := func() []telegraf.Metric {
			p.mu.Lock()
			defer p.mu.Unlock()
			return out.metrics
		}
		for i := range 3 {
			m := memory(time.Now().Truncate(10 * time.Second))
			require.NoError(t, p.Add(m, &out))
			time.Sleep(time.Second - time.Nanosecond)
			synctest.Wait()
			require.Len(t, came(), 2*i)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			require.Len(t, came(), 2*i+2)
			require.Same(t, m, came()[2*i])
			time.Sleep(9 * time.Second)
		}
		p.Stop()
	})
}

func TestStopHandsOutWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out accumulator
		p := started(t, ofTenSeconds(), &out)
		m := memory(time.Now())
		require.NoError(t, p.Add(m, &out))
		require.Empty(t, out.metrics)
		p.Stop()
		require.Same(t, m, out.metrics[0])
	}) // and no goroutine is left, or it would say so
}

// Telegraf calls Add from one goroutine while the clock has its own; several
// callers do no harm either.
func TestAddFromSeveralGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, each = 4, 50
		var out accumulator
		p := started(t, ofTenSeconds(), &out)
		begin := time.Now()
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for i := range each {
					_ = p.Add(memory(begin.Add(time.Duration(i)*10*time.Second)), &out)
					time.Sleep(10 * time.Second)
				}
			})
		}
		all.Wait()
		p.Stop()
		came := 0
		for _, m := range out.metrics {
			if m.Name() == "mem" {
				came++
			}
		}
		require.Equal(t, callers*each, came)
	})
}

// Init looks at the configuration only; what is on the disk is Start's.
func TestInitAndStartRefuse(t *testing.T) {
	p := New()
	p.Missing = "guess"
	require.EqualError(t, p.Init(), `missing = "guess" is unknown; use "skip", "carry" or "median"`)

	p = New()
	p.Model = filepath.Join(t.TempDir(), "none")
	require.NoError(t, p.Init())
	require.ErrorContains(t, p.Start(&accumulator{}), "none")
}

func TestLogLevels(t *testing.T) {
	var log levels
	p := Anomaly{Log: &log}
	p.logf("E! no %s", "disk")
	p.logf("W! slow")
	p.logf("I! a model")
	require.Equal(t, levels{said: []string{"error: no disk", "warn: slow", "info: a model"}}, log)
}

type levels struct {
	telegraf.Logger
	said []string
}

func (l *levels) Error(a ...any) { l.said = append(l.said, "error: "+a[0].(string)) }
func (l *levels) Warn(a ...any)  { l.said = append(l.said, "warn: "+a[0].(string)) }
func (l *levels) Info(a ...any)  { l.said = append(l.said, "info: "+a[0].(string)) }

func TestToFloat(t *testing.T) {
	for _, c := range []struct {
		in      any
		want    float64
		numeric bool
	}{
		{1.5, 1.5, true}, {int64(-2), -2, true}, {uint64(1 << 63), 1 << 63, true},
		{"1.5", 0, false}, {true, 0, false}, {nil, 0, false},
	} {
		got, numeric := toFloat(c.in)
		require.Equal(t, c.want, got)
		require.Equal(t, c.numeric, numeric)
	}
}

// The plugin and the execd program show the engine the same point.
func TestReadAgreesWithLineProtocol(t *testing.T) {
	m := metric.New("net", map[string]string{"interface": "eth0", "host": "a"},
		map[string]any{"bytes_recv": int64(7), "name": "x"}, time.Unix(12, 34))
	p := New()
	p.read(m)
	var want lp.Point
	require.NoError(t, lp.Decode(&want, []byte(`net,host=a,interface=eth0 bytes_recv=7i,name="x" 12000000034`), time.Time{}))
	require.Equal(t, want.Name, p.point.Name)
	require.Equal(t, want.Time, p.point.Time)
	require.Equal(t, want.Tags, p.point.Tags)
	require.Equal(t, want.Series, p.point.Series)
	require.ElementsMatch(t, want.Fields, p.point.Fields)
}
