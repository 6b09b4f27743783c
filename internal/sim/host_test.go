package sim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func clock(day time.Weekday, hour float64) time.Time {
	sunday := time.Date(2024, 1, 7, 0, 0, 0, 0, time.UTC)
	return sunday.AddDate(0, 0, int(day)).Add(time.Duration(hour * float64(time.Hour)))
}

func TestExpectedLoadByHand(t *testing.T) {
	cases := map[string]struct {
		at   time.Time
		want float64
	}{
		"Monday at peak":          {clock(time.Monday, 15), 1},
		"Monday at night":         {clock(time.Monday, 3), -1},
		"Monday morning":          {clock(time.Monday, 9), 0},
		"Friday evening":          {clock(time.Friday, 21), 0},
		"last minute of Friday":   {clock(time.Friday, 24).Add(-time.Minute), math.Sin(2 * math.Pi * (15 - 1/60.) / 24)},
		"first minute of weekend": {clock(time.Saturday, 0), math.Sin(2*math.Pi*15/24) - .5},
		"Saturday at peak":        {clock(time.Saturday, 15), .5},
		"Sunday at night":         {clock(time.Sunday, 3), -1.5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, c.want, Host{}.load(c.at), 1e-9)
		})
	}
}

func TestPhaseIsAShiftInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)
		phase := time.Duration(rapid.IntRange(-720, 720).Draw(t, "phase")) * time.Minute
		require.InDelta(t, Host{}.load(at), Host{Phase: phase}.load(at.Add(phase)), 1e-9)
	})
}

func TestLoadIsWeekly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)
		require.InDelta(t, Host{}.load(at), Host{}.load(at.Add(week)), 1e-6)
	})
}

func TestMeanLoad(t *testing.T) {
	require.InDelta(t, 0, Host{}.meanLoad(clock(time.Monday, 0), 24*time.Hour), 1e-9)
	require.InDelta(t, -.5, Host{}.meanLoad(clock(time.Saturday, 0), 48*time.Hour), 1e-9)
	require.InDelta(t, 1, Host{}.meanLoad(clock(time.Monday, 14.75), 30*time.Minute), .01)
	require.Equal(t, Host{}.load(clock(time.Monday, 7)), Host{}.meanLoad(clock(time.Monday, 7), 0), "at least one point")
}

// An AR(1) of deviation σ and correlation ρ per minute has them at any interval.
func TestAutoregressionKeepsDeviationAndCorrelation(t *testing.T) {
	for _, minutes := range []float64{.1, 1, 5} {
		random := rand.New(rand.NewPCG(1, 2))
		a := newAutoregressive(random, .9, 2, minutes)
		var x []float64
		for range 400_000 {
			x = append(x, a.next(random))
		}
		require.InDelta(t, 0, stat.Mean(x, nil), .1)
		require.InEpsilon(t, 2, stat.StdDev(x, nil), .03)
		require.InEpsilon(t, math.Pow(.9, minutes), stat.Correlation(x[1:], x[:len(x)-1], nil), .02)
	}
}

func TestHostsHaveTheirOwnRandomNumbers(t *testing.T) {
	a, b := Host{Name: "a"}.random(1), Host{Name: "b"}.random(1)
	require.NotEqual(t, a.Uint64(), b.Uint64())
	require.Equal(t, Host{Name: "a"}.random(1).Uint64(), Host{Name: "a", Cores: 8}.random(1).Uint64(),
		"what a host is does not change what happens to it")
}

func TestDefaultsOfAHost(t *testing.T) {
	require.Equal(t, Host{CPUScale: 1, MemoryScale: 1, NetworkScale: 1, Cores: 2}, Host{}.withDefaults())
	set := Host{Name: "x", CPUScale: 2, MemoryScale: 3, NetworkScale: 4, Cores: 5, Veths: 6}
	require.Equal(t, set, set.withDefaults())
}

func TestAWholeFleetStaysBelowItsLimits(t *testing.T) {
	for _, h := range Fleet(3, 300) {
		require.True(t, h.CPUScale >= .3 && h.CPUScale <= 1.2)
		require.True(t, h.MemoryScale >= .5 && h.MemoryScale <= 1.2)
		require.True(t, h.NetworkScale >= .03 && h.NetworkScale <= 3.2)
		require.LessOrEqual(t, h.Phase.Abs(), 3*time.Hour)
		require.Contains(t, []int{2, 4, 8}, h.Cores)
	}
}
