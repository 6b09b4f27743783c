package main

import (
	"bytes"
	"math"
)

// shares are parts of a text that are scored; four lines of 17 are in the stock mix.
var shares = []float64{0, 1. / 17, 4. / 17, 0.5, 1}

// growing measures texts of which ever more is scored; the rest is lines of other
// measurements.
func (b *bench) growing() error {
	filters := b.filters()
	most := filters[0].lines
	other, err := lines(1, 2000, mixes[0].wanted)
	if err != nil {
		return err
	}
	scored, err := lines(1, most/linesPerHost+1, mixes[len(mixes)-1].wanted)
	if err != nil {
		return err
	}
	for _, share := range shares {
		text, y := blend(scored, other, share, most), map[string]float64{}
		var contenders []contender
		for i := range filters {
			contenders = append(contenders, contender{filters[i].who, filters[i].cost(text)})
		}
		for _, f := range alternate("", b.rounds, contenders...) {
			if f.Why == "" {
				y[f.Who] = f.Value
			}
		}
		b.report.Shares = append(b.report.Shares, point{100 * share, y})
	}
	return nil
}

// blend takes lines of two texts, so that a share of them, evenly spread, is of
// the first. The second begins again where it ends.
func blend(first, second []byte, share float64, lines int) (text []byte) {
	next := func(from []byte) (rest []byte) {
		n := bytes.IndexByte(from, '\n') + 1
		text = append(text, from[:n]...)
		return from[n:]
	}
	again := second
	for k := range lines {
		if math.Floor(float64(k+1)*share) > math.Floor(float64(k)*share) {
			first = next(first)
			continue
		}
		if len(again) == 0 {
			again = second
		}
		again = next(again)
	}
	return text
}
