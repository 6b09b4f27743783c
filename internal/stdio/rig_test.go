package stdio

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/engine"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a stdout: it keeps what is written and can stall or fail.
type sink struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes []int
	stall  chan struct{} // if not nil, a Write waits until it is closed
	err    error
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	stall, err := s.stall, s.err
	s.mu.Unlock()
	if stall != nil {
		<-stall
	}
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, len(p))
	return s.text.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// rig is a Runner between an in-memory pipe and a sink. Inside a synctest bubble
// say, wait and the clock are exact.
type rig struct {
	*Runner
	t    testing.TB
	in   *io.PipeWriter
	out  *sink
	logs *sink
	log  *Logger
	stop chan struct{}
	done chan error
}

func newRig(t testing.TB) *rig {
	in, w := io.Pipe()
	r := &rig{t: t, in: w, out: &sink{}, logs: &sink{}, stop: make(chan struct{}), done: make(chan error, 1)}
	r.log = NewLogger(r.logs)
	r.Runner = New(in, r.out, r.log)
	return r
}

func (r *rig) start() { go func() { r.done <- r.Run(r.stop) }() }

// say writes to stdin and waits until all that follows from it at once is done.
func (r *rig) say(text string) {
	_, err := io.WriteString(r.in, text)
	require.NoError(r.t, err)
	synctest.Wait()
}

// ask runs f between two lines, where it may look at what the Runner changes.
func (r *rig) ask(f func()) {
	require.True(r.t, r.Call(f))
	synctest.Wait()
}

// end closes stdin and returns what Run returns.
func (r *rig) end() error {
	_ = r.in.Close()
	return r.finished()
}

func (r *rig) finished() error {
	err := <-r.done
	_ = r.in.Close()
	r.log.Close()
	return err
}

// bubble runs a test in a synctest bubble with a running rig.
func bubble(t *testing.T, prepare func(*rig), test func(*testing.T, *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		prepare(r)
		r.start()
		defer r.log.Close()
		defer r.in.Close() // for a test that failed
		test(t, r)
	})
}

func nothing(*rig) {}

// bundle is a model of the default features at an interval of ten seconds, fitted
// on quiet hosts.
var bundle = sync.OnceValue(func() *model.Bundle {
	s := feature.DefaultSchema()
	s.Interval, s.Window = 10*time.Second, 0
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	contexts := mat.NewDense(200, 3*feature.ContextWidth, nil)
	for i := range 200 {
		for f, x := range []float64{10 + r.Float64(), 40 + r.Float64(), 1000 * r.Float64()} {
			contexts.Set(i, f*feature.ContextWidth+feature.Value, x)
			contexts.Set(i, f*feature.ContextWidth+feature.Level, x)
		}
	}
	o := detect.DefaultOptions()
	o.Trees, o.SampleSize = 10, 32
	d, err := detect.Fit(contexts, s.Names(), false, o)
	if err != nil {
		panic(err)
	}
	b, err := model.New(s, d, contexts, model.Provenance{})
	if err != nil {
		panic(err)
	}
	return b
})

func config() engine.Config {
	return engine.Config{Schema: bundle().Schema, Detect: bundle().Detector.Options, MaxHold: time.Second, Limits: feature.DefaultLimits, Annotate: true, Model: bundle()}
}

// scored gives the rig an engine, whose way out may be changed.
func scored(change func(engine.Output[[]byte]) engine.Output[[]byte]) func(*rig) {
	return func(r *rig) {
		require.NoError(r.t, r.Use(func(out engine.Output[[]byte]) (*engine.Engine[[]byte], error) {
			return engine.New(config(), change(out))
		}))
	}
}

func asIs(out engine.Output[[]byte]) engine.Output[[]byte] { return out }

// interval is what Telegraf writes of a host in its k-th interval.
func interval(host string, k int) []string {
	at := int64(k) * 10e9
	return []string{
		fmt.Sprintf("cpu,cpu=cpu-total,host=%s usage_idle=%d %d\n", host, 85+k%5, at),
		fmt.Sprintf("mem,host=%s used_percent=%d,used=%di %d\n", host, 40+k%2, k, at),
		fmt.Sprintf("net,host=%s,interface=eth0 bytes_recv=%di,bytes_sent=%di %d\n", host, 4000*k, 1000*k, at),
		fmt.Sprintf("net,host=%s,interface=lo bytes_recv=%di,bytes_sent=%di %d\n", host, k, k, at),
		fmt.Sprintf("disk,host=%s,path=/ used_percent=50 %d\n", host, at),
	}
}

// plain takes the fields that the engine appended off again, and its own records.
func plain(out string) (lines []string) {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ai_predictions") {
			continue
		}
		if i := strings.Index(line, ","+engine.FieldScore+"="); i >= 0 {
			line = line[:i] + line[strings.LastIndexByte(line, ' '):]
		}
		lines = append(lines, line)
	}
	return lines
}

// series names what must stay in order.
func series(line string) string {
	var p lp.Point
	if lp.Decode(&p, []byte(line), time.Time{}) != nil {
		return ""
	}
	return string(p.Series)
}

// requireEachOnce checks that out holds the lines, those of a series in order.
func requireEachOnce(t require.TestingT, lines []string, out string) {
	got := plain(out)
	require.ElementsMatch(t, lines, got)
	sort := func(lines []string) map[string][]string {
		of := map[string][]string{}
		for _, l := range lines {
			of[series(l)] = append(of[series(l)], l)
		}
		return of
	}
	require.Equal(t, sort(lines), sort(got))
}
