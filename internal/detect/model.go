package detect

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/shap"
)

// MinRows is the smallest training set that Fit accepts.
const MinRows = 16

// ErrRows says that there are too few rows for a model.
var ErrRows = errors.New("detect: too few training rows")

// A Model is all that was learned from a training set. It is data: exported for
// the model file, not for changing.
type Model struct {
	Features  []string       `json:"features"`
	Options   Options        `json:"options"`
	Columns   columns        `json:"columns"`
	Range     []Band         `json:"range"`            // per feature
	Curves    []Curve        `json:"curves,omitempty"` // per feature; none: all are seen on their own scale
	Median    []float64      `json:"median"`           // per feature, of the training values
	Usual     Usual          `json:"usual"`
	Standard  *Standard      `json:"standard,omitempty"` // of the forest's columns; none: they are in their features' units
	Residual  *Residual      `json:"residual,omitempty"`
	Relation  *Relation      `json:"relation,omitempty"`
	Jump      *Jump          `json:"jump,omitempty"`
	Still     []float64      `json:"still"` // per feature: longest run without a change
	Threshold float64        `json:"threshold"`
	Expected  float64        `json:"expected_alarms_per_week,omitempty"` // with AlarmsPerWeek: what held-out rows let expect
	Rows      int            `json:"rows"`
	Forest    *forest.Forest `json:"-"`

	explainer *shap.Explainer // to be cloned; see Prepare
}

// Prepare makes the tables that explanations need, which takes longer than a
// stream should wait, once for all scorers. It is for whoever has fitted or loaded
// m, before others see it.
func (m *Model) Prepare() (err error) {
	m.explainer, err = shap.New(m.Forest, m.Players())
	return err
}

// Forget gives up what Prepare made, for a model that nobody asks for reasons any
// more. Scorers that have it already keep it.
func (m *Model) Forget() { m.explainer = nil }

// explain returns an explainer for one scorer.
func (m *Model) explain() (*shap.Explainer, error) {
	if m.explainer == nil {
		return shap.New(m.Forest, m.Players())
	}
	return m.explainer.Clone(), nil
}

// columns says what the forest sees of each feature.
type columns string

const (
	rawColumns  columns = "value"                    // without a window there is nothing else
	pastColumns columns = "level,deviation"          // a window, but nothing to relate to
	fullColumns columns = "level,deviation,residual" // the default
)

func (c columns) perFeature() int { return strings.Count(string(c), ",") + 1 }

// Fit learns a model from complete contexts, one row per vector with
// feature.ContextWidth numbers per feature. windowed says that the contexts hold
// a rolling past; else the forest sees the bare values. It fails with ErrRows,
// with forest.ErrConstant when nothing varies, or on options out of range.
func Fit(contexts *mat.Dense, names []string, windowed bool, o Options) (*Model, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	n, width := contexts.Dims()
	if width != len(names)*feature.ContextWidth {
		return nil, fmt.Errorf("detect: contexts have %d columns, want %d for %d features", width, len(names)*feature.ContextWidth, len(names))
	}
	if n < MinRows {
		return nil, fmt.Errorf("%w: %d, want at least %d", ErrRows, n, MinRows)
	}
	contexts = tame(contexts)
	m, err := grow(contexts, names, windowed, o)
	if err != nil {
		return nil, err
	}
	if o.AlarmsPerWeek > 0 {
		return m, m.budget(contexts, windowed)
	}
	return m, m.calibrate(contexts)
}

// maxInput is what can still be squared, summed and rounded to float32.
const maxInput = 1e30

// tame bounds the numbers of a training set, in a copy where it has to.
func tame(contexts *mat.Dense) *mat.Dense {
	n, _ := contexts.Dims()
	for i := range n {
		if slices.ContainsFunc(contexts.RawRowView(i), wild) {
			var tamed mat.Dense
			tamed.Apply(func(_, _ int, x float64) float64 { return clamp(x, maxInput) }, contexts)
			return &tamed
		}
	}
	return contexts
}

func wild(x float64) bool { return !(math.Abs(x) <= maxInput) }

// grow fits everything but the threshold.
func grow(contexts *mat.Dense, names []string, windowed bool, o Options) (m *Model, err error) {
	n, _ := contexts.Dims()
	m = &Model{Features: names, Options: o, Rows: n}
	m.describe(contexts)
	m.Usual = fitUsual(contexts, windowed)
	if windowed {
		m.bend(contexts)
	}
	contexts = m.seen(contexts)
	m.relate(contexts, windowed)
	rows := mat.NewDense(n, len(names)*m.Columns.perFeature(), nil)
	work := newWork(m)
	for i := range n {
		m.row(rows.RawRowView(i), work, contexts.RawRowView(i))
	}
	if o.Standardize {
		standard := fitStandard(rows)
		standard.applyAll(rows)
		m.Standard = &standard
	}
	m.Forest, err = forest.Fit(rows, forest.Options{Trees: o.Trees, SampleSize: o.SampleSize, Seed: o.Seed, Workers: o.Workers})
	return m, err
}

// describe takes what is known of each feature by itself.
func (m *Model) describe(contexts *mat.Dense) {
	for f := range m.Features {
		values := mat.Col(nil, f*feature.ContextWidth+feature.Value, contexts)
		m.Range = append(m.Range, rangeBand(values))
		m.Median = append(m.Median, median(values))
		longest := 0.0
		for _, run := range mat.Col(nil, f*feature.ContextWidth+feature.Run, contexts) {
			longest = math.Max(longest, run)
		}
		m.Still = append(m.Still, longest)
	}
}

// relate takes what is known of the features together.
func (m *Model) relate(contexts *mat.Dense, windowed bool) {
	m.Columns = rawColumns
	if !windowed {
		return
	}
	m.Columns = pastColumns
	if m.Residual = fitResidual(contexts); m.Residual != nil {
		m.Columns = fullColumns
	}
	if m.Options.RelationWeight > 0 {
		m.Relation = fitRelation(contexts)
	}
	if m.Options.JumpWeight > 0 {
		m.Jump = fitJump(contexts, m.band)
	}
}

// Players maps the forest's columns to features.
func (m *Model) Players() []int {
	per := m.Columns.perFeature()
	players := make([]int, len(m.Features)*per)
	for c := range players {
		players[c] = c / per
	}
	return players
}

// work is scratch space for one vector.
type work struct {
	residual *residualWork
	z        []float64
	terms    []float64 // per feature, bits
	distance []float64
	seen     []float64 // the context, on the curves' scales
}

func newWork(m *Model) *work {
	w := &work{
		z: make([]float64, len(m.Features)), terms: make([]float64, len(m.Features)), distance: make([]float64, len(m.Features)),
		seen: make([]float64, len(m.Features)*feature.ContextWidth),
	}
	if m.Residual != nil {
		w.residual = newResidualWork(m.Residual)
	}
	return w
}

// row writes what the forest sees of a context.
func (m *Model) row(dst []float64, w *work, context []float64) {
	if m.Residual != nil {
		m.Residual.apply(w.residual, context)
	}
	per := m.Columns.perFeature()
	for f := range m.Features {
		c := context[f*feature.ContextWidth : (f+1)*feature.ContextWidth]
		to := dst[f*per : (f+1)*per]
		if m.Columns == rawColumns {
			to[0] = clamp(c[feature.Value], maxInput)
			continue
		}
		to[0], to[1] = clamp(c[feature.Level], maxInput), clamp(c[feature.Deviation], maxInput)
		if m.Columns == fullColumns {
			to[2] = math.Sqrt(w.residual.squares[f])
		}
	}
	if m.Standard != nil {
		m.Standard.apply(dst)
	}
}
