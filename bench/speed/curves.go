package main

import (
	"telegraf-anomaly/forest"
	"telegraf-anomaly/shap"
)

// features measures rows of ever more features, three columns each, and every
// column a feature of its own.
func (b *bench) features() error {
	for _, n := range []int{3, 5, 8, 16, 32, 64} {
		owners := make([]int, 3*n)
		for c := range owners {
			owners[c] = c / 3
		}
		y, err := b.curve(forest.Options{}, owners)
		if err != nil {
			return err
		}
		b.report.Features = append(b.report.Features, point{float64(n), y})
	}
	return nil
}

// trees measures ever more trees, on the default schema.
func (b *bench) trees() error {
	for _, n := range []int{10, 30, 100, 300, 1000} {
		y, err := b.curve(forest.Options{Trees: n}, players(9))
		if err != nil {
			return err
		}
		b.report.Trees = append(b.report.Trees, point{float64(n), y})
	}
	return nil
}

// curve is what rows cost whose columns have these owners.
func (b *bench) curve(options forest.Options, owners []int) (map[string]float64, error) {
	o, err := newOwn(normal(rows, len(owners), 1), normal(testRows, len(owners), 2), options)
	if err != nil {
		return nil, err
	}
	if o.explainer, err = shap.New(o.forest, owners); err != nil {
		return nil, err
	}
	o.phi = make([]float64, o.explainer.Players())
	y := map[string]float64{"score": best(turnTime, o.score), "score and explain": best(turnTime, o.explain)}
	for range b.rounds - 1 {
		y["score"] = min(y["score"], best(turnTime, o.score))
		y["score and explain"] = min(y["score and explain"], best(turnTime, o.explain))
	}
	return y, nil
}
