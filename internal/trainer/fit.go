package trainer

import (
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/model"
)

// Fit makes a model of a training set. p adds to the provenance what only the
// caller knows.
func Fit(s *Set, o detect.Options, p model.Provenance) (*model.Bundle, error) {
	d, err := detect.Fit(s.Contexts, s.Schema.Names(), s.Schema.Windowed(), o)
	if err != nil {
		return nil, err
	}
	p.DataDigest, p.Dropped, p.Groups, p.From, p.To = s.Digest, s.Dropped, s.Groups, s.From, s.To
	return model.New(s.Schema, d, s.Contexts, p)
}
