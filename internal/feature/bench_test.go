package feature

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/lp"
)

// fleet is one interval of many hosts, as Telegraf would write it: cpu, mem and
// two interfaces each. Its times and counters are set by at.
type fleet struct{ points []*lp.Point }

func newFleet(hosts int) *fleet {
	f := &fleet{}
	for h := range hosts {
		host := fmt.Sprintf("web%06d", h)
		f.points = append(f.points, cpu(host, 10, 0), mem(host, 20, 0), network(host, "eth0", 0, 0, 0), network(host, "eth1", 0, 0, 0))
	}
	return f
}

func (f *fleet) at(interval int) {
	for _, p := range f.points {
		p.Time = int64(interval) * 10e9
		if string(p.Name) == "net" {
			for i := range p.Fields {
				p.Fields[i].Value = float64(interval) * 1e6
			}
		}
	}
}

func (f *fleet) play(j *Joiner[int], intervals, from int) {
	for k := range intervals {
		f.at(from + k)
		for _, p := range f.points {
			j.Add(p, 0, time.Time{})
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	j := newJoiner(t, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
	f := newFleet(100)
	f.play(j, 5, 1)
	k := 10
	require.Zero(t, testing.AllocsPerRun(10, func() {
		f.play(j, 1, k)
		k++
	}))
	for name, p := range map[string]*lp.Point{
		"an interface that does not count": network("web000001", "lo", 1, 1, 0),
		"a core":                           point("cpu", []string{"cpu", "cpu7", "host", "web000001"}, nil, 0),
		"another measurement":              point("disk", []string{"host", "web000001"}, nil, 0),
	} {
		require.Zero(t, testing.AllocsPerRun(100, func() { j.Add(p, 0, time.Time{}) }), name)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, hosts := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			j := newJoiner(b, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
			f := newFleet(hosts)
			f.play(j, 4, 1)
			k := 5
			b.ReportAllocs()
			for b.Loop() {
				f.play(j, 1, k)
				k++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(f.points)), "ns/point")
		})
	}
}

// BenchmarkMemory says what a group costs: four series, three features, a full
// window of 15 minutes.
func BenchmarkMemory(b *testing.B) {
	const hosts = 100_000
	for b.Loop() {
		f := newFleet(hosts)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		j := newJoiner(b, defaults(), 0, DefaultLimits, func(*Vector, []Item[int]) {})
		f.play(j, 3, 1)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/hosts, "B/group")
		runtime.KeepAlive(j)
		runtime.KeepAlive(f)
	}
}

func BenchmarkSuppose(b *testing.B) {
	q, err := NewSequence(defaults(), "")
	require.NoError(b, err)
	var v *Vector
	for k := range int64(100) {
		v = q.Add(k*10e9, []float64{float64(k % 7), 20, 1e6})
	}
	dst := make([]float64, len(v.Context))
	b.ReportAllocs()
	for b.Loop() {
		v.Suppose(dst, 0, 50)
	}
}
