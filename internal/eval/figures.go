package eval

import (
	"encoding/json"
	"iter"
	"math"
	"time"
)

// Figures are the headline numbers of a detector on one record. Undefined ones
// are NaN.
type Figures struct {
	AveragePrecision  float64
	ROCAUC            float64
	BestF1            float64 // at an oracle's threshold
	Precision         float64 // this and what follows: at the detector's own flags
	Recall            float64
	F1                float64
	EventRecall       float64
	FalseAlarmsPerDay float64
	DetectionDelay    float64 // minutes
	RecallAtOneAlarm  float64 // event recall at ≤ 1 false alarm a day, an oracle's threshold
}

// Measure judges scores and flags against the incidents of a record sampled
// every interval.
func Measure(score []float64, flag []bool, events []Event, interval time.Duration) Figures {
	sameLength("scores", len(score), "flags", len(flag))
	label := Rows(events, len(score))
	best, _ := BestF1(score, label)
	c := Confuse(flag, label)
	return Figures{
		AveragePrecision:  AveragePrecision(score, label),
		ROCAUC:            ROCAUC(score, label),
		BestF1:            best,
		Precision:         c.Precision(),
		Recall:            c.Recall(),
		F1:                c.F1(),
		EventRecall:       EventRecall(flag, events),
		FalseAlarmsPerDay: FalseAlarmsPerDay(flag, events, interval),
		DetectionDelay:    DetectionDelay(flag, events, interval),
		RecallAtOneAlarm:  RecallAtBudget(score, events, interval, 1).Recall,
	}
}

// All gives the figures that are defined, by their names in JSON and in
// tracking servers.
func (f Figures) All() iter.Seq2[string, float64] {
	figures := []struct {
		name  string
		value float64
	}{
		{"average_precision", f.AveragePrecision},
		{"roc_auc", f.ROCAUC},
		{"best_f1", f.BestF1},
		{"precision", f.Precision},
		{"recall", f.Recall},
		{"f1", f.F1},
		{"event_recall", f.EventRecall},
		{"false_alarms_per_day", f.FalseAlarmsPerDay},
		{"detection_delay_minutes", f.DetectionDelay},
		{"event_recall_at_one_alarm_per_day", f.RecallAtOneAlarm},
	}
	return func(yield func(string, float64) bool) {
		for _, figure := range figures {
			if !math.IsNaN(figure.value) && !yield(figure.name, figure.value) {
				return
			}
		}
	}
}

// MarshalJSON writes the defined figures as one object; JSON has no NaN.
func (f Figures) MarshalJSON() ([]byte, error) {
	object := map[string]float64{}
	for name, value := range f.All() {
		object[name] = value
	}
	return json.Marshal(object)
}
