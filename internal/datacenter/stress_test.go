package datacenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// change is what a stress makes of the first host, and of another, in the middle
// of its time.
func change(t *testing.T, s Stress) (before, after Reading, other [2]Reading) {
	t.Helper()
	calm, c := open(t, small), open(t, small)
	s.Host, s.Duration = c.Names()[0], Duration(20*time.Second)
	_, err := c.Add(s, noon)
	require.NoError(t, err)
	middle := noon.Add(10 * time.Second)
	a, b := calm.Read(middle), c.Read(middle)
	return a[0], b[0], [2]Reading{a[1], b[1]}
}

func TestStress(t *testing.T) {
	for _, c := range []struct {
		kind                 Kind
		size                 float64
		cpu, memory, network float64 // added, added, factor
	}{
		{CPU, 0, 45, 0, 1}, {CPU, .5, 22.5, 0, 1},
		{Memory, 1, 0, 25, 1}, {Memory, .4, 0, 10, 1},
		{Network, 1, 0, 0, 10}, {Network, 2, 0, 0, 100},
		{Leak, 1, 0, 20, 1},
		{Burst, 1, 30, 12, 4},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			before, after, other := change(t, Stress{Kind: c.kind, Size: c.size})
			require.InDelta(t, min(100, before.CPU+c.cpu), after.CPU, 1e-9)
			require.InDelta(t, min(100, before.Memory+c.memory), after.Memory, 1e-9)
			require.InEpsilon(t, before.Network*c.network, after.Network, 1e-9)
			require.Equal(t, other[0], other[1], "only the host that is named")
		})
	}
}

func TestOutageTakesTheCallersAway(t *testing.T) {
	before, after, _ := change(t, Stress{Kind: Outage})
	require.InEpsilon(t, before.Network*.02, after.Network, 1e-9)
	require.InEpsilon(t, before.CPU*.5, after.CPU, 1e-9)
	require.Equal(t, before.Memory, after.Memory)
}

func TestPercentagesStayWithinBounds(t *testing.T) {
	_, after, _ := change(t, Stress{Kind: Burst, Size: 10})
	require.Equal(t, 100.0, after.CPU)
	require.Equal(t, 100.0, after.Memory)
}

func TestStressHasAnEndAndHitsAllHostsIfNoneIsNamed(t *testing.T) {
	calm, c := open(t, small), open(t, small)
	s, err := c.Add(Stress{Kind: Network, Duration: Duration(5 * time.Second)}, noon)
	require.NoError(t, err)
	require.Equal(t, 1.0, s.Size)
	require.Equal(t, noon.Add(5*time.Second), s.Until)
	for second, hit := range map[int]bool{0: true, 4: true, 5: false, 60: false} {
		calm, c := open(t, small), open(t, small)
		_, err := c.Add(s, noon)
		require.NoError(t, err)
		now := noon.Add(time.Duration(second) * time.Second)
		for i, r := range c.Read(now) {
			require.Equal(t, hit, r.Network > 2*calm.Read(now)[i].Network, "host %d, second %d", i, second)
		}
	}
	require.NotEqual(t, calm.Read(noon), c.Read(noon))
}

func TestStressesThatAreOverAreForgotten(t *testing.T) {
	c := open(t, small)
	for i := range 100 {
		_, err := c.Add(Stress{Kind: CPU, Duration: Duration(time.Second)}, noon.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err)
	}
	require.Len(t, c.stresses, 1)
}

func TestAddRefuses(t *testing.T) {
	good := Stress{Kind: CPU, Duration: Duration(time.Second)}
	for _, c := range []struct {
		name   string
		change func(*Stress)
		want   string
	}{
		{"kind", func(s *Stress) { s.Kind = "flood" }, `kind "flood" is unknown; use one of [burst cpu leak memory network outage]`},
		{"size below 0", func(s *Stress) { s.Size = -1 }, "size is -1"},
		{"size beyond all bounds", func(s *Stress) { s.Size = 11 }, "at most 10"},
		{"no duration", func(s *Stress) { s.Duration = 0 }, "duration must be above 0"},
		{"endless", func(s *Stress) { s.Duration = Duration(2 * time.Hour) }, "at most an hour"},
		{"host", func(s *Stress) { s.Host = "mars" }, `host "mars" is unknown; there are host0001`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good
			c.change(&s)
			_, err := open(t, small).Add(s, noon)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestEveryKindHasACause(t *testing.T) {
	for _, k := range Kinds() {
		require.NotEmpty(t, k.Cause(), k)
		for _, f := range k.Cause() {
			require.Contains(t, []string{"cpu", "memory", "network"}, f)
		}
	}
}
