package trainer

import (
	"math"
	"math/rand/v2"
	"time"

	"telegraf-anomaly/internal/eval"
)

// A Measurement is a detector against the incidents of a table.
type Measurement struct {
	eval.Figures
	Rows, Events      int
	AlarmsPerHostWeek float64
	LatencyMicros     float64 // mean time per vector, join and explanation included
	Random            eval.Figures
	ByKind            map[string]float64
	Naming            *Naming
}

// Naming says how well explanations name causes, with chance beside it.
type Naming struct{ Model, Random eval.Naming }

// Measure compares verdicts with incidents. Random is what a coin with the same
// share of flags gets on the same rows: the row that every table needs.
func Measure(j *Judgement, features []string) Measurement {
	score, flag, events := j.Flat()
	m := Measurement{
		Figures: eval.Measure(score, flag, events, j.Interval), Rows: len(score), Events: len(events),
		AlarmsPerHostWeek: j.AlarmsPerHostWeek(), ByKind: eval.RecallByKind(flag, events),
		Random: measureRandom(flag, events, j.Interval), Naming: name(j, features),
	}
	m.LatencyMicros = j.latency()
	return m
}

func (j *Judgement) latency() float64 {
	var total time.Duration
	rows := 0
	for _, v := range j.Groups {
		total += v.Latency
		rows += v.judged
	}
	return float64(total.Microseconds()) / math.Max(1, float64(rows))
}

func measureRandom(flag []bool, events []eval.Event, interval time.Duration) eval.Figures {
	share := 0.0
	for _, f := range flag {
		if f {
			share++
		}
	}
	share /= math.Max(1, float64(len(flag)))
	random := rand.New(rand.NewPCG(1, 1))
	score := make([]float64, len(flag))
	for i := range score {
		score[i] = random.Float64()
	}
	return eval.Measure(score, eval.Flags(score, 1-share), events, interval)
}

// name rates the explanations of incidents whose cause is known; nil without any.
func name(j *Judgement, features []string) *Naming {
	var shap [][]float64
	for _, v := range j.Groups {
		shap = append(shap, v.Shap...)
	}
	_, _, events := j.Flat()
	n := Naming{
		Model:  eval.NameCauses(events, features, func(row int) []float64 { return shap[row] }),
		Random: eval.NameAtRandom(events, features),
	}
	if n.Model.Events == 0 {
		return nil
	}
	return &n
}
