package engine

import (
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

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
func (e *Engine[T]) predict(v *feature.Vector, status Status, delay time.Duration) {
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
	h := e.host(v.Group)
	if status == StatusLearning {
		r.Fields = append(r.Fields, lp.Float(FieldProgress, h.unit.progress(e.config.MinSamples)))
	}
	if h.unit.bundle != nil {
		r.Fields = append(r.Fields, lp.String(FieldModel, h.unit.bundle.ID()))
	}
	r.Fields = append(r.Fields,
		lp.Float(FieldLatency, float64(delay)/float64(time.Millisecond)),
		lp.String(FieldStatus, string(status)))
	e.out.Write(r)
}

func (e *Engine[T]) startRecord(name string, g *feature.Group, time int64) {
	e.record.Name, e.record.Time = name, time
	e.record.Tags, e.record.Fields = e.record.Tags[:0], e.record.Fields[:0]
	for i, tag := range e.config.Schema.GroupBy {
		e.record.Tags = append(e.record.Tags, [2]string{tag, g.Tags[i]})
	}
}
