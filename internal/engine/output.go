package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
	"telegraf-anomaly/internal/retrain"
)

// Names of what the engine writes.
const (
	FieldScore     = "anomaly_score"
	FieldIsAnomaly = "is_anomaly"
	PrefixShap     = "shap_"

	FieldThreshold         = "threshold"
	FieldBase              = "shap_base"
	FieldStatus            = "status"
	FieldModel             = "model"
	FieldLatency           = "latency_ms"
	FieldProgress          = "progress"
	FieldReason            = "reason"
	FieldSuspect           = "suspect"
	FieldEpisode           = "episode"
	FieldEpisodeStart      = "episode_start"
	FieldChallenger        = "challenger_score"
	FieldChallengerAnomaly = "challenger_is_anomaly"

	MeasurementDrift = "anomaly_drift"
)

// reserved are names that a feature, whose value becomes a field too, must not
// have.
var reserved = []string{
	FieldScore, FieldIsAnomaly, FieldThreshold, FieldBase, FieldStatus, FieldModel, FieldLatency, FieldProgress, FieldReason, FieldSuspect,
	FieldEpisode, FieldEpisodeStart, FieldChallenger, FieldChallengerAnomaly,
}

func checkNames(features []string) error {
	for _, name := range features {
		if slices.Contains(reserved, name) || strings.HasPrefix(name, PrefixShap) {
			return fmt.Errorf("engine: a feature must not be named %q, which is a field of its own", name)
		}
	}
	return nil
}

// Status says what became of a vector.
type Status string

// What may become of a vector.
const (
	StatusOK       Status = "ok"
	StatusWarming  Status = "warming"  // scored, but its past is too short for a verdict
	StatusLearning Status = "learning" // there is no model yet
	StatusMissing  Status = "missing"  // a feature has no value
	StatusNoModel  Status = "no_model" // there is none, and learning is off
	StatusError    Status = "error"    // a fault of ours, counted and logged
)

func (s Status) scored() bool { return s == StatusOK || s == StatusWarming }

// fieldNames are the names of per-feature fields, made once.
type fieldNames struct{ feature, shap []string }

func newFieldNames(features []string) fieldNames {
	n := fieldNames{feature: features}
	for _, f := range features {
		n.shap = append(n.shap, PrefixShap+f)
	}
	return n
}

// annotation is what is appended to a scored point.
func (n *fieldNames) annotation(dst []lp.Value, v *detect.Verdict) []lp.Value {
	dst = append(dst, lp.Float(FieldScore, v.Score), lp.Int(FieldIsAnomaly, toInt(v.Anomaly)))
	for f, name := range n.shap {
		dst = append(dst, lp.Float(name, v.Shap[f]))
	}
	return dst
}

func toInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// predict writes the point of one vector.
func (e *Engine[T]) predict(h *host, v *feature.Vector, status Status, delay time.Duration) {
	e.startRecord(e.config.Predictions, v.Group, v.Time)
	r := &e.record
	if status.scored() {
		r.Fields = e.names.annotation(r.Fields, &e.verdict)
		r.Fields = append(r.Fields, lp.Float(FieldThreshold, e.verdict.Threshold), lp.Float(FieldBase, e.verdict.Base))
	}
	for f, name := range e.names.feature {
		if !v.Missing[f] {
			r.Fields = append(r.Fields, lp.Float(name, v.Values[f]))
		}
	}
	if status == StatusLearning {
		r.Fields = append(r.Fields, lp.Float(FieldProgress, h.unit.Progress()))
	}
	if e.served != nil {
		r.Fields = append(r.Fields, lp.String(FieldModel, e.served.Bundle.ID()))
	}
	if e.compared {
		r.Fields = append(r.Fields, lp.Float(FieldChallenger, e.other.Score), lp.Int(FieldChallengerAnomaly, toInt(e.other.Anomaly)))
	}
	if e.why != "" {
		r.Fields = append(r.Fields, lp.String(FieldEpisode, h.alarm.Episode), lp.Int(FieldEpisodeStart, h.alarm.Start), lp.String(FieldReason, e.why),
			lp.String(FieldSuspect, e.names.feature[e.verdict.Suspect()]))
	}
	r.Fields = append(r.Fields,
		lp.Float(FieldLatency, float64(delay)/float64(time.Millisecond)),
		lp.String(FieldStatus, string(status)))
	e.out.Write(r)
}

// decisions writes what happened to the group's model since the last vector.
func (e *Engine[T]) decisions(h *host, v *feature.Vector) {
	for _, d := range h.unit.Decisions {
		switch {
		case d.Failed:
			e.Counts.FitErrors++
		case d.What == retrain.Promoted:
			e.Counts.Promotions++
		}
		if e.config.Predictions == "" {
			continue
		}
		e.startRecord(MeasurementDrift, v.Group, d.Time)
		e.record.Fields = append(e.record.Fields, lp.String("decision", d.What), lp.String("why", d.Why))
		e.out.Write(&e.record)
		for _, r := range d.Drift {
			e.startRecord(MeasurementDrift, v.Group, d.Time)
			e.record.Tags = append(e.record.Tags, [2]string{"feature", r.Feature}, [2]string{"test", r.Test})
			e.record.Fields = append(e.record.Fields,
				lp.Float("statistic", r.Statistic), lp.Float("threshold", r.Threshold), lp.Int("drifted", toInt(r.Drifted)))
			e.out.Write(&e.record)
		}
	}
	h.unit.Decisions = h.unit.Decisions[:0]
}

func (e *Engine[T]) startRecord(name string, g *feature.Group, time int64) {
	e.record.Name, e.record.Time = name, time
	e.record.Tags, e.record.Fields = e.record.Tags[:0], e.record.Fields[:0]
	for i, tag := range e.config.Schema.GroupBy {
		e.record.Tags = append(e.record.Tags, [2]string{tag, g.Tags[i]})
	}
}
