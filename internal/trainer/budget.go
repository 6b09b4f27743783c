package trainer

import (
	"math"
	"slices"
	"time"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/eval"
)

// candidates is how many thresholds a budget tries, closer together the higher.
const candidates = 200

// budget lowers the threshold for as long as the judged rows raise at most
// perWeek false alarms per host and week, and flags the rows by it.
func (j *Judgement) budget(perWeek float64) (threshold float64) {
	scores, _, _ := j.Flat()
	scores = slices.DeleteFunc(scores, math.IsNaN)
	slices.Sort(scores)
	if len(scores) == 0 {
		return 0
	}
	threshold = scores[len(scores)-1]
	for k := range candidates {
		rank := int(math.Pow(float64(len(scores))/10, float64(k)/candidates)) // up to a tenth of the rows
		next := scores[len(scores)-rank]
		if j.flag(next); j.falseAlarmsPerHostWeek() > perWeek {
			break
		}
		threshold = next
	}
	j.flag(threshold)
	return threshold
}

func (j *Judgement) flag(threshold float64) {
	for _, v := range j.Groups {
		for i, score := range v.Score {
			v.Flag[i] = !math.IsNaN(score) && forest.Anomalous(score, threshold)
		}
	}
}

func (j *Judgement) falseAlarmsPerHostWeek() float64 {
	alarms, rows := 0, 0
	for _, v := range j.Groups {
		alarms += eval.FalseAlarms(v.Flag, v.Events(), eval.MergeGap(j.Interval))
		rows += len(v.Flag)
	}
	return float64(alarms) / (float64(rows) * float64(j.Interval) / float64(7*24*time.Hour))
}
