package feature

import (
	"bytes"
	"path"
	"strings"

	"telegraf-anomaly/internal/lp"
)

// A Filter tells, from the bytes of a line that nobody has decoded, whether it may
// feed a feature: of the nine lines of an eight-core machine's cpu input, eight
// feed none.
type Filter struct{ features map[string][]selector }

// NewFilter returns the Filter of a normalized schema.
func NewFilter(s *Schema) *Filter {
	f := &Filter{features: map[string][]selector{}}
	for i := range s.Features {
		name := s.Features[i].Measurement
		f.features[name] = append(f.features[name], newSelector(&s.Features[i]))
	}
	return f
}

// Wants reports false only if no feature selects the line's series. It reports
// true as well where the bytes do not tell, because there are escapes among them.
func (f *Filter) Wants(line []byte) bool {
	selectors := f.features[string(lp.Name(line))]
	if selectors == nil {
		return false
	}
	tags, ok := lp.Tags(line)
	for _, s := range selectors {
		if !ok || s.selects(tags) {
			return true
		}
	}
	return false
}

// A selector is what a Feature demands of tags, made ready to be asked often.
type selector []condition

// A condition says of one tag that a pattern matches it, or that none does.
type condition struct {
	tag      string // as lp.RawTags looks for it
	patterns []glob
	match    bool
}

func newSelector(f *Feature) (s selector) {
	for tag, value := range f.Tags {
		s = append(s, condition{lp.TagPrefix(tag), []glob{{text: value}}, true})
	}
	for tag, patterns := range f.Include {
		s = append(s, condition{lp.TagPrefix(tag), newGlobs(patterns), true})
	}
	for tag, patterns := range f.Exclude {
		s = append(s, condition{lp.TagPrefix(tag), newGlobs(patterns), false})
	}
	return s
}

// selects agrees with Feature.selects.
func (s selector) selects(tags lp.RawTags) bool {
	for i := range s {
		if c := &s[i]; c.matches(tags.Value(c.tag)) != c.match {
			return false
		}
	}
	return true
}

func (c *condition) matches(value []byte) bool {
	for i := range c.patterns {
		if c.patterns[i].matches(value) {
			return true
		}
	}
	return false
}

// A glob is a pattern of path.Match, of which the commonest kinds, a plain text
// and one with a star at its end, do without that.
type glob struct {
	text    string // without the star
	star    bool
	general bool
}

func newGlobs(patterns []string) (globs []glob) {
	for _, p := range patterns {
		text, star := strings.CutSuffix(p, "*")
		if strings.ContainsAny(text, `*?[\`) {
			globs = append(globs, glob{text: p, general: true})
		} else {
			globs = append(globs, glob{text: text, star: star})
		}
	}
	return globs
}

func (g *glob) matches(value []byte) bool {
	switch {
	case g.general:
		ok, _ := path.Match(g.text, string(value)) // patterns were checked by Normalize
		return ok
	case g.star:
		return len(value) >= len(g.text) && string(value[:len(g.text)]) == g.text && bytes.IndexByte(value[len(g.text):], '/') < 0
	}
	return string(value) == g.text
}
