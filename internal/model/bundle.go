package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/drift"
	"telegraf-anomaly/internal/feature"
)

// A Bundle is all that a stream needs to score: how to make vectors, how to
// judge them, and where that knowledge came from.
type Bundle struct {
	Schema     feature.Schema
	Detector   *detect.Model
	Provenance Provenance
	Profile    drift.Profile // of the features and the score, to notice drift by
	Probes     []Probe

	id string
}

// Provenance says how a model came to be. It holds no time of making: the same
// rows and options give the same bytes.
type Provenance struct {
	Program    string             `json:"program"`               // version that fitted it
	Commit     string             `json:"commit,omitempty"`      // of the program
	Go         string             `json:"go,omitempty"`          // version that built it
	SchemaHash string             `json:"schema_hash"`           // see feature.Schema.Hash
	Source     string             `json:"source,omitempty"`      // what it was fitted on, in words
	DataDigest string             `json:"data_digest,omitempty"` // SHA-256 of the contexts
	Rows       int                `json:"rows"`
	Dropped    map[string]int     `json:"dropped,omitempty"` // rows left out, by reason
	Groups     int                `json:"groups,omitempty"`
	From       time.Time          `json:"from,omitzero"` // time range of the rows
	To         time.Time          `json:"to,omitzero"`
	Metrics    map[string]float64 `json:"metrics,omitempty"`
}

// A Probe is a known answer: a build that computes another one must not score.
type Probe struct {
	Context []float64 `json:"context"`
	Score   float64   `json:"score"`
	Base    float64   `json:"base"`
	Shap    []float64 `json:"shap"`
}

const (
	probes         = 8  // that New stores
	maxProbes      = 64 // that Verify computes
	probeTolerance = 1e-9
)

// New makes a bundle of a detector that was fitted on contexts, some of which
// become its probes.
func New(s feature.Schema, d *detect.Model, contexts *mat.Dense, p Provenance) (*Bundle, error) {
	b := &Bundle{Schema: s, Detector: d, Provenance: p}
	b.Provenance.SchemaHash = s.Hash()
	n, _ := contexts.Dims()
	b.Provenance.Rows = n
	if err := d.Prepare(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	scorer := detect.NewScorer(d)
	for i := range min(probes, n) {
		context := mat.Row(nil, i*n/min(probes, n), contexts)
		var v detect.Verdict
		if err := scorer.Explain(&v, context); err != nil {
			return nil, err
		}
		b.Probes = append(b.Probes, Probe{Context: context, Score: v.Score, Base: v.Base, Shap: v.Shap})
	}
	if err := b.profile(contexts, scorer); err != nil {
		return nil, err
	}
	data, err := b.Encode()
	if err != nil {
		return nil, err
	}
	b.id = contentID(data)
	return b, nil
}

func (b *Bundle) profile(contexts *mat.Dense, scorer *detect.Scorer) error {
	b.Profile.From, b.Profile.To = b.Provenance.From, b.Provenance.To
	add := func(name string, sample []float64) error {
		r, err := drift.NewReference(name, sample)
		b.Profile.References = append(b.Profile.References, r)
		return err
	}
	for f, name := range b.Detector.Features {
		if err := add(name, mat.Col(nil, f*feature.ContextWidth+feature.Value, contexts)); err != nil {
			return err
		}
	}
	scores := make([]float64, contexts.RawMatrix().Rows)
	for i := range scores {
		scores[i] = scorer.Score(contexts.RawRowView(i)).Score
	}
	return add(ScoreColumn, scores)
}

// ScoreColumn names the score's reference in a profile. No feature can have this
// name.
const ScoreColumn = "(score)"

// ID is a short name of the bundle's content.
func (b *Bundle) ID() string { return b.id }

func contentID(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:4])
}

// Verify checks that the parts fit together and that this build reproduces the
// probes.
func (b *Bundle) Verify() error {
	if err := b.Schema.Normalize(); err != nil {
		return fmt.Errorf("%w: schema: %w", ErrInvalid, err)
	}
	if got := b.Schema.Hash(); got != b.Provenance.SchemaHash {
		return fmt.Errorf("%w: schema hash is %s, the file says %s", ErrInvalid, got, b.Provenance.SchemaHash)
	}
	if err := b.Detector.Validate(b.Schema.Names()); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := b.verifyProfile(); err != nil {
		return fmt.Errorf("%w: profile: %w", ErrInvalid, err)
	}
	if n := len(b.Probes); n == 0 || n > maxProbes {
		return fmt.Errorf("%w: %d probes, want 1 to %d", ErrInvalid, n, maxProbes)
	}
	if err := b.Detector.Prepare(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	scorer := detect.NewScorer(b.Detector)
	for i, p := range b.Probes {
		if err := p.verify(scorer, len(b.Schema.Features)); err != nil {
			return fmt.Errorf("%w: probe %d: %w", ErrInvalid, i, err)
		}
	}
	return nil
}

func (b *Bundle) verifyProfile() error {
	if err := b.Profile.Validate(); err != nil {
		return err
	}
	var names []string
	for _, r := range b.Profile.References {
		names = append(names, r.Name)
	}
	if want := append(b.Schema.Names(), ScoreColumn); !slices.Equal(names, want) {
		return fmt.Errorf("it is of %q, want %q", names, want)
	}
	return nil
}

func (p *Probe) verify(s *detect.Scorer, features int) error {
	if len(p.Context) != features*feature.ContextWidth || len(p.Shap) != features {
		return fmt.Errorf("it has %d numbers and %d shares for %d features", len(p.Context), len(p.Shap), features)
	}
	var v detect.Verdict
	if err := s.Explain(&v, p.Context); err != nil {
		return err
	}
	if !near(v.Score, p.Score) || !near(v.Base, p.Base) {
		return fmt.Errorf("score %v and base %v, the file says %v and %v", v.Score, v.Base, p.Score, p.Base)
	}
	for f := range v.Shap {
		if !near(v.Shap[f], p.Shap[f]) {
			return fmt.Errorf("share %d is %v, the file says %v", f, v.Shap[f], p.Shap[f])
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= probeTolerance }
