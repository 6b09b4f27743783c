package drift

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scenario is a known stream, and what is promised about it.
type scenario struct {
	name    string
	stream  func(*rand.Rand) stream
	change  change
	promise promise
}

// promise is what the decision must do. Before a change every call is false.
type promise int

const (
	silent       promise = iota // never call
	weeklySilent                // never call if the reference spans a week
	swift                       // call within 0.7 of a window
	reported                    // in the table for what it is: at or below the thresholds, or beyond a short reference
	limit                       // in the table as a limit: stationary, and yet its windows differ
)

// drifts tells streams whose change is to be found from those where every call is false.
func (s scenario) drifts() bool { return s.promise == swift || s.promise == reported }

var scenarios = []scenario{
	{"no change", with(flat), nil, silent},
	{"recurring daily wave", with(dailyWave), nil, silent},
	{"nightly backup, 2 h at +4 sd", with(nightlyBackup), nil, silent},
	{"cron job, 1 of 5 minutes", with(cronJob), nil, silent},
	{"heavy tails (log-normal)", heavyTails, nil, silent},
	{"idle, small integers", quantised, nil, silent},
	{"constant", constant, nil, silent},
	{"incident, 3 h at +20 sd", with(dailyWave), incident, silent},
	{"weekly pattern", with(officeWeek), nil, weeklySilent},
	{"restless, memory of 3 h", restless(3), nil, limit},
	{"restless, memory of 12 h", restless(12), nil, limit},
	{"mean +0.25 sd", with(dailyWave), shift(0.25), reported},
	{"mean +0.5 sd", with(dailyWave), shift(0.5), reported},
	{"mean +1 sd", with(dailyWave), shift(1), swift},
	{"mean −1 sd", with(dailyWave), shift(-1), swift},
	{"mean +2 sd", with(dailyWave), shift(2), swift},
	{"mean +1 sd, weekly pattern", with(officeWeek), shift(1), reported},
	{"mean +1 sd, heavy tails", heavyTails, shift(1), swift},
	{"deviation × 1.5", with(dailyWave), widen(1.5), reported},
	{"deviation × 2", with(dailyWave), widen(2), reported},
	{"slow drift, 0.1 sd a day", with(dailyWave), slope(0.1), reported},
}

const (
	settleDays  = 8  // from the start of the monitor to the change: more than a window
	observeDays = 14 // from the change to the end
	checkEvery  = 2  // hours
)

// delays holds, for each test and the decision, the days from the change to the first call; absent if never.
type delays map[string]float64

const decision = "decision"

// run trains on whole days up to midnight, then watches from an hour of day that depends on the seed.
func (s scenario) run(t testing.TB, referenceDays int, seed uint64) delays {
	r := rand.New(rand.NewPCG(seed, 17))
	value := s.stream(r)
	start := float64(24*7*2600 + 24*r.IntN(7)) // the year 2019, any day of the week
	p := simulatedProfile(t, value, start, referenceDays)
	m, err := NewMonitor(p, seed)
	require.NoError(t, err)

	changeAt := start + float64(24*settleDays+r.IntN(24))
	calls := delays{}
	for i := 0; i < (settleDays+1+observeDays)*24*60; i++ {
		h := start + float64(i)/60
		x := value(h)
		if s.change != nil && h >= changeAt {
			x = s.change(x, p.References[0].Mean, p.References[0].Deviation, (h-changeAt)/24)
		}
		require.NoError(t, m.Add(at(h), []float64{x}))
		if i%(60*checkEvery) == 0 {
			calls.note(m.Check(), (h-changeAt)/24)
		}
	}
	return calls
}

func (d delays) note(results []Result, days float64) {
	call := func(name string) {
		if _, known := d[name]; !known {
			d[name] = days
		}
	}
	for _, r := range results {
		if r.Drifted {
			call(r.Test)
		}
	}
	if len(Drifted(results)) > 0 {
		call(decision)
	}
}

func at(hour float64) time.Time { return time.Unix(int64(hour*3600+0.5), 0).UTC() }

func simulatedProfile(t testing.TB, value stream, start float64, days int) Profile {
	sample := make([]float64, days*24*60)
	from := start - float64(24*days)
	for i := range sample {
		sample[i] = value(from + float64(i)/60)
	}
	ref, err := NewReference("cpu", sample)
	require.NoError(t, err)
	return Profile{From: at(from), To: at(start - 1.0/60), References: []Reference{ref}}
}
