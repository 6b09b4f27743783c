package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newTestRecord(fields ...string) record {
	return newRecord(rand.New(rand.NewPCG(1, 1)), "m,host=a", fields...)
}

func line(r *record, seed uint64) string {
	return string(r.append(nil, rand.New(rand.NewPCG(seed, 0)), time.Unix(0, 42)))
}

func TestARecordIsALine(t *testing.T) {
	r := newTestRecord("a")
	r.int(0, -7)
	require.Equal(t, "m,host=a a=-7i 42\n", line(&r, 1))
	r.float(0, .1)
	require.Equal(t, "m,host=a a=0.1 42\n", line(&r, 1))
	r.hundredths(0, 2)
	require.Equal(t, "m,host=a a=2.00 42\n", line(&r, 1))
	r.text(0, []byte("3 days"))
	require.Equal(t, "m,host=a a=\"3 days\" 42\n", line(&r, 1))
}

func TestAFieldThatIsNotSetKeepsItsText(t *testing.T) {
	r := newTestRecord("a", "b=5i,c=6i")
	for i := range int64(20) {
		r.int(0, i*1000)
		text := line(&r, uint64(i))
		require.Contains(t, text, "b=5i,c=6i")
		require.Contains(t, text, "a="+strconv.FormatInt(i*1000, 10)+"i")
	}
}

func TestShorterValuesLeaveNothingBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newTestRecord("a")
		for _, v := range rapid.SliceOfN(rapid.Int64(), 1, 5).Draw(t, "values") {
			r.int(0, v)
			require.Equal(t, "m,host=a a="+strconv.FormatInt(v, 10)+"i 42\n", line(&r, 1))
		}
	})
}

func TestFloatsAreReadBackExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e300, 1e300).Draw(t, "v")
		r := newTestRecord("a")
		r.float(0, v)
		text := strings.TrimSuffix(strings.TrimPrefix(line(&r, 1), "m,host=a a="), " 42\n")
		got, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(v), math.Float64bits(got))
	})
}

// Whatever the order, each field is there once.
func TestOrdersArePermutations(t *testing.T) {
	r := newTestRecord("a=1", "b=2", "c=3", "d=4")
	seen := map[string]bool{}
	for seed := range uint64(100) {
		text := line(&r, seed)
		fields := strings.Split(strings.Fields(text)[1], ",")
		seen[text] = true
		slices.Sort(fields)
		require.Equal(t, []string{"a=1", "b=2", "c=3", "d=4"}, fields)
	}
	require.Greater(t, len(seen), 5)
}

func TestANICCountsItsShareBothWays(t *testing.T) {
	n := newNIC(Host{}, "eth0", .7, 0)
	random := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		n.grow(random, 1e6, 10)
	}
	require.EqualValues(t, .7*1e6*600*.6, n.counters[netReceived])
	require.EqualValues(t, .7*1e6*600*.4, n.counters[netSent])
	require.Greater(t, n.counters[netReceived], n.counters[netPacketsReceived]*60)
	n.reset()
	require.Zero(t, n.counters)
	require.Equal(t, "bytes_recv=0i", string(n.fields[netReceived].text))
}

func TestCountersHoldAYearOfTenGigabits(t *testing.T) {
	n := newNIC(Host{}, "eth0", 1, 0)
	n.grow(rand.New(rand.NewPCG(1, 1)), 1.25e9, 365*day)
	before := n.counters[netReceived]
	n.grow(rand.New(rand.NewPCG(1, 1)), 1, 10)
	require.EqualValues(t, 6, n.counters[netReceived]-before, "not a byte is lost")
}

func TestEscaping(t *testing.T) {
	for name, want := range map[string]string{
		"web01": "web01", "a b": `a\ b`, "a,b": `a\,b`, "a=b": `a\=b`, "ä": "ä",
	} {
		require.Equal(t, want, escapeTag(name))
	}
}
