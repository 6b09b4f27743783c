package mlflow

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of MLflow's servers, in characters (mlflow/utils/validation.py; where 2.x
// and 3.x differ, the smaller).
const (
	maxKey        = 250
	maxParam      = 6000
	maxTag        = 5000
	maxRunName    = 250
	maxExperiment = 500
	maxModelName  = 250
	maxPath       = 500
	maxDatasetRef = 500
	maxDigest     = 36
	maxChildren   = 1000
)

var (
	// identifier is what MLflow accepts as the id of a run, a model, an experiment.
	identifier = regexp.MustCompile(`^[a-zA-Z0-9][\w\-]{0,255}$`)
	uploadID   = regexp.MustCompile(`^[a-zA-Z0-9][\w\-.]{0,99}$`)
	modelName  = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}_. \-]*$`)
	alias      = regexp.MustCompile(`^[\w\-]{1,250}$`)
	reserved   = regexp.MustCompile(`(?i)^(latest|v\d+)$`)
	unsafeKey  = regexp.MustCompile(`[^/\p{L}\p{N}_.\- ]`)
)

// clean returns a deep enough copy of the run that every server takes: odd
// characters in keys become "_" and long values are cut with an ellipsis, while
// names that identify things are refused rather than changed.
func (r Run) clean() (Run, error) {
	if r.ID == "" {
		r.ID = newID(time.Now())
	}
	if !uploadID.MatchString(r.ID) {
		return r, fmt.Errorf("mlflow: run id %q: want letters, digits, '-', '_', '.'", cut(r.ID, maxSnippet))
	}
	if err := r.cleanTree(); err != nil {
		return r, fmt.Errorf("mlflow: run %q: %w", cut(r.Name, maxSnippet), err)
	}
	return r, nil
}

func newID(now time.Time) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails, says its documentation
	return now.UTC().Format("20060102T150405Z-") + hex.EncodeToString(random[:])
}

func (r *Run) cleanTree() error {
	if err := r.cleanSelf(); err != nil {
		return err
	}
	if len(r.Children) > maxChildren {
		return fmt.Errorf("%d child runs, at most %d", len(r.Children), maxChildren)
	}
	r.Children = slices.Clone(r.Children)
	for i := range r.Children {
		child := &r.Children[i]
		child.ID = fmt.Sprintf("%s.%d", r.ID, i)
		if err := child.cleanChild(); err != nil {
			return fmt.Errorf("child %d (%q): %w", i, cut(child.Name, maxSnippet), err)
		}
	}
	return nil
}

func (r *Run) cleanChild() error {
	if r.Model != nil || r.Children != nil {
		return errors.New("a child run has no model and no children")
	}
	return r.cleanSelf()
}

func (r *Run) cleanSelf() (err error) {
	r.Name = cut(r.Name, maxRunName)
	r.Status = cmp.Or(r.Status, Finished)
	var errs [7]error
	errs[0] = r.checkHead()
	r.Params, errs[1] = cleanPairs("param", r.Params, maxParam)
	r.Tags, errs[2] = cleanPairs("tag", r.Tags, maxTag)
	r.Metrics, errs[3] = r.cleanMetrics()
	r.Datasets, errs[4] = cleanDatasets(r.Datasets)
	r.Artifacts, errs[5] = cleanArtifacts(r.Artifacts)
	r.Model, errs[6] = r.Model.clean()
	return cmp.Or(errs[:]...)
}

func (r *Run) checkHead() error {
	switch {
	case r.Start.IsZero() || r.Start.UnixMilli() < 0:
		return errors.New("no start time, or one before 1970")
	case !r.End.IsZero() && r.End.Before(r.Start):
		return errors.New("ends before it starts")
	case !slices.Contains([]Status{Finished, Failed, Killed}, r.Status):
		return fmt.Errorf("status %q: want %s, %s or %s", cut(string(r.Status), maxSnippet), Finished, Failed, Killed)
	}
	return checkText("experiment", r.Experiment, maxExperiment)
}

// checkText refuses what no log or page should have to show.
func checkText(what, s string, most int) error {
	switch {
	case utf8.RuneCountInString(s) > most:
		return fmt.Errorf("%s %q: longer than %d characters", what, cut(s, 40), most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%s %q: control characters or broken UTF-8", what, cut(s, maxSnippet))
	}
	return nil
}

// cleanKey replaces characters that MLflow refuses, and refuses what MLflow would
// read as a path to elsewhere.
func cleanKey(what, key string) (string, error) {
	safe := unsafeKey.ReplaceAllString(key, "_")
	if utf8.RuneCountInString(safe) > maxKey {
		return "", fmt.Errorf("%s %q: key longer than %d characters", what, cut(key, 40), maxKey)
	}
	if !fs.ValidPath(safe) || safe == "." {
		return "", fmt.Errorf("%s %q: the key must not be empty nor hold empty, %q or %q path elements", what, key, ".", "..")
	}
	return safe, nil
}

func cleanPairs(what string, pairs map[string]string, longest int) (map[string]string, error) {
	clean := make(map[string]string, len(pairs))
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		safe, err := cleanKey(what, key)
		if err != nil {
			return nil, err
		}
		if _, twice := clean[safe]; twice {
			return nil, fmt.Errorf("%s %q: another %[1]s has the same key on the server, %q", what, key, safe)
		}
		clean[safe] = cut(strings.ToValidUTF8(pairs[key], "\uFFFD"), longest)
	}
	return clean, nil
}

func (r *Run) cleanMetrics() ([]Metric, error) {
	clean := slices.Clone(r.Metrics)
	for i := range clean {
		if err := r.cleanMetric(&clean[i]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(clean, func(a, b Metric) int { return cmp.Or(cmp.Compare(a.Key, b.Key), inOrder(a, b)) })
	return clean, nil
}

func (r *Run) cleanMetric(m *Metric) (err error) {
	if m.Time.IsZero() {
		m.Time = r.lastMoment()
	}
	if m.Time.UnixMilli() < 0 {
		return fmt.Errorf("metric %q: time %s is before 1970", cut(m.Key, 40), m.Time)
	}
	m.Key, err = cleanKey("metric", m.Key)
	return err
}

// inOrder compares two points of a series as MLflow does to find the newest.
func inOrder(a, b Metric) int {
	return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()))
}

func cleanDatasets(datasets []Dataset) ([]Dataset, error) {
	clean := slices.Clone(datasets)
	for i := range clean {
		d := &clean[i]
		if d.Name == "" || d.Digest == "" {
			return nil, fmt.Errorf("dataset %d: needs a name and a digest", i)
		}
		if err := cmp.Or(checkText("dataset", d.Name, maxDatasetRef), checkText("dataset context", d.Context, maxDatasetRef),
			checkText("dataset source", d.Source, maxTag)); err != nil {
			return nil, err
		}
		d.Digest = d.Digest[:min(len(d.Digest), maxDigest)]
	}
	return clean, nil
}

func cleanArtifacts(artifacts []Artifact) ([]Artifact, error) {
	seen := map[string]bool{}
	for _, a := range artifacts {
		if err := a.check(); err != nil {
			return nil, err
		}
		if seen[a.Path] {
			return nil, fmt.Errorf("artifact %q: another one has the same path", a.Path)
		}
		seen[a.Path] = true
	}
	return slices.Clone(artifacts), nil
}

func (a Artifact) check() error {
	if a.File != "" && a.Data != nil {
		return fmt.Errorf("artifact %q: give File or Data, not both", cut(a.Path, maxSnippet))
	}
	if !fs.ValidPath(a.Path) || a.Path == "." || strings.ContainsAny(a.Path, `\:#%?*"<>|`) {
		return fmt.Errorf("artifact %q: want a relative path of plain names, without .. and without any of \\ : # %% ? * \" < > |", cut(a.Path, maxSnippet))
	}
	return checkText("artifact", a.Path, maxPath)
}

func (m *Model) clean() (*Model, error) {
	if m == nil {
		return nil, nil
	}
	switch copied := *m; {
	case !modelName.MatchString(m.Name) || len(m.Name) > maxModelName:
		return nil, fmt.Errorf("model %q: want at most %d letters, digits, '_', '-', '.', ' ', beginning with none of the last three", cut(m.Name, 40), maxModelName)
	case m.Alias != "" && (!alias.MatchString(m.Alias) || reserved.MatchString(m.Alias)):
		return nil, fmt.Errorf("model alias %q: want letters, digits, '_', '-', and neither \"latest\" nor \"v1\"", cut(m.Alias, 40))
	case path.Base(m.Data.Path) == modelFile:
		return nil, fmt.Errorf("model file %q: that name is taken", m.Data.Path)
	default:
		copied.Description = cut(m.Description, maxTag)
		return &copied, m.Data.check()
	}
}
