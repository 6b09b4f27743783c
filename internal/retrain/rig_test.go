package retrain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// policy is that of small models of two features, an interval of five minutes and
// a day that makes a change the new normal.
func policy() *Policy {
	s := feature.Schema{Interval: 5 * time.Minute, Window: 30 * time.Minute}
	for _, name := range []string{"cpu", "network"} {
		s.Features = append(s.Features, feature.Feature{Name: name, Measurement: "m", Fields: []string{name}})
	}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	o := detect.DefaultOptions()
	o.Trees, o.SampleSize, o.Contamination = 20, 64, 0.01
	return &Policy{Schema: s, Detect: o, MinSamples: 200, Period: 7 * 24 * time.Hour, Accept: 24 * time.Hour}
}

// rig drives a unit as the engine does, in simulated time.
type rig struct {
	t         testing.TB
	unit      *Unit
	random    *rand.Rand
	time      int64
	log       []string
	decisions []Decision
}

// newRig starts a unit that keeps its models in dir; "": nowhere.
func newRig(t testing.TB, p *Policy, dir string) *rig {
	r := &rig{t: t, random: rand.New(rand.NewPCG(1, 2)), time: epoch}
	l := &Learner{Sync: true, Dir: dir, Now: func() time.Time { return time.Unix(0, r.time) }}
	l.Log = func(format string, arguments ...any) { r.log = append(r.log, fmt.Sprintf(format, arguments...)) }
	r.unit = NewUnit("host/a", p, l, 1024, 1)
	return r
}

// context draws what the two features are while they lie about level.
func context(random *rand.Rand, level float64) []float64 {
	c := make([]float64, 0, 2*feature.ContextWidth)
	load := random.Float64()
	for range 2 {
		x := level + 10*load + random.Float64()
		c = append(c, x, level+5+random.Float64(), 3+0.3*random.Float64(), 0)
	}
	return c
}

// observe plays n intervals about a level and returns how many were flagged.
func (r *rig) observe(n int, level float64) (flagged int) {
	for range n {
		r.time += int64(5 * time.Minute)
		c := context(r.random, level)
		var v *detect.Verdict
		r.unit.Poll(r.time)
		if r.unit.Champion != nil {
			v = new(detect.Verdict)
			require.NoError(r.t, r.unit.Champion.Scorer.Explain(v, c))
			r.unit.Compare(r.time, c, v)
			if v.Anomaly {
				flagged++
			}
		}
		r.unit.Observe(r.time, c, 1, v)
		for _, d := range r.unit.Decisions {
			if d.What != Drifted {
				r.decisions = append(r.decisions, d)
			}
		}
		r.unit.Decisions = r.unit.Decisions[:0]
	}
	return flagged
}

func (r *rig) what() (what []string) {
	for _, d := range r.decisions {
		what = append(what, d.What)
	}
	return what
}

func (r *rig) count(what string) (n int) {
	for _, d := range r.decisions {
		if d.What == what {
			n++
		}
	}
	return n
}

// fitted is a model of n vectors, a share of which are anomalies.
func fitted(t testing.TB, n int, poison float64, seed uint64) *model.Bundle {
	r := &Reservoir{Width: 2 * feature.ContextWidth, Capacity: n, HalfLife: halfLife, Seed: seed}
	random := rand.New(rand.NewPCG(seed, 3))
	for i := range n {
		c := context(random, 20)
		if random.Float64() < poison {
			x := c[random.IntN(2)*feature.ContextWidth:]
			d := (random.Float64() - 0.5) * 200
			x[feature.Value] += d
			x[feature.Level] += d / 2
			x[feature.Deviation] += math.Abs(d) / 4
		}
		r.Add(epoch+int64(i), c, 1)
	}
	p := policy()
	p.Detect.Seed = seed
	fresh, err := Fit(&Task{Schema: p.Schema, Options: p.Detect, Sample: Sample(nil).Take(r)})
	require.NoError(t, err)
	return fresh.Bundle
}

// nervous is b with a threshold that nearly everything exceeds.
func nervous(b *model.Bundle) *model.Bundle {
	c, d := *b, *b.Detector
	d.Threshold = 0.2
	c.Detector = &d
	return &c
}

// versions counts the models in the unit's store.
func versions(t testing.TB, dir string) int {
	files, err := filepath.Glob(filepath.Join(dir, "models", "*", "*.*"))
	require.NoError(t, err)
	n := 0
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Size() > 1000 {
			n++
		}
	}
	return n
}
