package eval_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/eval"
)

func TestEventsAreRunsOfLabels(t *testing.T) {
	require.Equal(t,
		[]eval.Event{{Start: 1, End: 3}, {Start: 4, End: 5}},
		eval.Events(bits("01101"), nil, nil, nil))
	require.Empty(t, eval.Events(bits("000"), nil, nil, nil))
	require.Empty(t, eval.Events(nil, nil, nil, nil))
}

func TestTouchingEventsAreToldApartById(t *testing.T) {
	events := eval.Events(bits("01110"), []int{0, 7, 8, 8, 0},
		[][]string{nil, {"cpu"}, {"net"}, {"net"}, nil}, []string{"", "spike", "drop", "drop", ""})
	require.Equal(t, []eval.Event{
		{Start: 1, End: 2, Cause: []string{"cpu"}, Kind: "spike"},
		{Start: 2, End: 4, Cause: []string{"net"}, Kind: "drop"},
	}, events)
}

// The Server Machine Dataset has incidents inside others.
func TestAnOuterEventGoesOnAfterAnInnerOne(t *testing.T) {
	require.Equal(t,
		[]eval.Event{{Start: 1, End: 6}, {Start: 3, End: 5}, {Start: 7, End: 8}},
		eval.Events(bits("011111010"), []int{0, 5, 5, 6, 6, 5, 0, 5, 0}, nil, nil),
		"but not across normal rows")
}

func TestEventsCoverExactlyTheLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SliceOf(rapid.Bool()).Draw(t, "label")
		id := rapid.SliceOfN(rapid.IntRange(1, 2), len(label), len(label)).Draw(t, "id")
		require.Equal(t, append([]bool{}, label...), eval.Rows(eval.Events(label, id, nil, nil), len(label)))
	})
}

func TestMergeGap(t *testing.T) {
	for interval, gap := range map[time.Duration]int{
		time.Second:      300,
		10 * time.Second: 30,
		time.Minute:      5,
		5 * time.Minute:  2,
		time.Hour:        2,
	} {
		require.Equal(t, gap, eval.MergeGap(interval), "%v", interval)
	}
}

func TestFalseAlarmsByHand(t *testing.T) {
	cases := map[string]struct {
		flag, label string
		gap, alarms int
	}{
		"silence":                        {"00000000", "00000000", 2, 0},
		"one flag":                       {"00100000", "00000000", 2, 1},
		"gap of two is one alarm":        {"10010000", "00000000", 2, 1},
		"gap of three is two":            {"10001000", "00000000", 2, 2},
		"no gap allowed":                 {"10101100", "00000000", 0, 3},
		"hit is no false alarm":          {"00100000", "00110000", 2, 0},
		"alarm that reaches an incident": {"11110000", "00011000", 2, 0},
		"alarm that began inside":        {"00001110", "00011000", 2, 0},
		"flags on both sides":            {"01001000", "00100000", 2, 0},
		"beside an incident":             {"11000000", "00100000", 2, 1},
		"one false, one hit":             {"10000010", "00000011", 2, 1},
		"at both ends":                   {"10000001", "00000000", 2, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			events := eval.Events(bits(c.label), nil, nil, nil)
			require.Equal(t, c.alarms, eval.FalseAlarms(bits(c.flag), events, c.gap))
		})
	}
}

func TestFalseAlarmsEqualTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flag := rapid.SliceOf(rapid.Bool()).Draw(t, "flag")
		label := rapid.SliceOfN(rapid.Bool(), len(flag), len(flag)).Draw(t, "label")
		gap := rapid.IntRange(0, 4).Draw(t, "gap")
		require.Equal(t, slowFalseAlarms(flag, label, gap),
			eval.FalseAlarms(flag, eval.Events(label, nil, nil, nil), gap))
	})
}

// slowFalseAlarms first fills the gaps, then looks at the runs.
func slowFalseAlarms(flag, label []bool, gap int) int {
	filled := append([]bool{}, flag...)
	for i := range flag {
		for j := i + 1; j <= i+gap+1 && j < len(flag); j++ {
			for k := i; flag[i] && flag[j] && k < j; k++ {
				filled[k] = true
			}
		}
	}
	alarms := 0
	for _, run := range eval.Events(filled, nil, nil, nil) {
		touched := false
		for i := run.Start; i < run.End; i++ {
			touched = touched || label[i]
		}
		if !touched {
			alarms++
		}
	}
	return alarms
}

func TestFalseAlarmsPerDay(t *testing.T) {
	twoDays := make([]bool, 2*24*60)
	twoDays[10], twoDays[14], twoDays[500] = true, true, true
	require.Equal(t, 1.0, eval.FalseAlarmsPerDay(twoDays, nil, time.Minute))
	require.Equal(t, 3/10.0, eval.FalseAlarmsPerDay(twoDays, nil, 5*time.Minute), "ten days, gap of three")
}

func TestRecallAndDelayOfEvents(t *testing.T) {
	label := bits("0111001110011100")
	events := eval.Events(label, nil, nil, nil)
	cases := map[string]struct {
		flag          string
		recall, delay float64
	}{
		"all at once":         {"0100001000010000", 1, 0},
		"one late":            {"0001001000010000", 1, 0},
		"two late":            {"0001000010010000", 1, 10},
		"one of three":        {"0001000000000000", 1 / 3., 10},
		"mean of two":         {"0010001000000000", 2 / 3., 2.5},
		"only the first flag": {"0011000000000000", 1 / 3., 5},
		"flags beside events": {"1000110001100011", 0, math.NaN()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			equal(t, c.recall, eval.EventRecall(bits(c.flag), events))
			equal(t, c.delay, eval.DetectionDelay(bits(c.flag), events, 5*time.Minute))
		})
	}
	equal(t, math.NaN(), eval.EventRecall(bits("1111"), nil))
}

func TestRecallByKind(t *testing.T) {
	events := []eval.Event{{Start: 0, End: 1, Kind: "spike"}, {Start: 2, End: 3, Kind: "spike"}, {Start: 4, End: 5, Kind: "drop"}}
	require.Equal(t, map[string]float64{"spike": .5, "drop": 0}, eval.RecallByKind(bits("100100"), events))
}

// The mean over kinds, weighted by their numbers, is the recall of all.
func TestKindsMakeUpTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SliceOfN(rapid.Bool(), 1, 40).Draw(t, "label")
		flag := rapid.SliceOfN(rapid.Bool(), len(label), len(label)).Draw(t, "flag")
		kind := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), len(label), len(label)).Draw(t, "kind")
		events := eval.Events(label, nil, nil, kind)
		found, byKind := 0.0, eval.RecallByKind(flag, events)
		for _, e := range events {
			found += byKind[e.Kind]
		}
		equal(t, eval.EventRecall(flag, events), found/float64(len(events)))
	})
}

func ExampleFalseAlarmsPerDay() {
	day := make([]bool, 24*60)
	for _, minute := range []int{100, 103, 600, 1000} {
		day[minute] = true
	}
	incident := []eval.Event{{Start: 990, End: 1010}}
	fmt.Println(eval.FalseAlarmsPerDay(day, incident, time.Minute), eval.EventRecall(day, incident))
	// Output: 2 1
}
