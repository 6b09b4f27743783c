package engine

import (
	"fmt"
	"math"
	"strings"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// reason says in words why a vector is an anomaly: the suspect, where its value
// usually lies, and the smallest change of that feature alone that would make the
// vector normal.
func (e *Engine[T]) reason(h *host, v *feature.Vector) string {
	top := e.verdict.Suspect()
	band := e.usual(h, top)
	x := v.Values[top]
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s, usually %s to %s", e.names.feature[top], short(x), short(band.Low), short(band.High))
	switch {
	case x > band.High:
		b.WriteString(": too high")
	case x < band.Low:
		b.WriteString(": too low")
	default:
		b.WriteString(": unusual for what it did before or for what the others do")
	}
	b.WriteString(e.remedy(h, v, top, band))
	return b.String()
}

// remedy says at which value of a feature the vector would be normal, or whether what
// the feature did before, which counts as well, stands in the way. It is by far the
// dearest word of a verdict: in a storm of alarms it is left out.
func (e *Engine[T]) remedy(h *host, v *feature.Vector, f int, band detect.Band) (text string) {
	if !forest.Anomalous(e.verdict.Score, e.verdict.Threshold) {
		return "; normal by itself, but the alarm is not cleared yet"
	}
	if live := e.config.MaxHold > 0; live && !e.words.any(e.now) {
		e.Counts.Shortened++
		return ""
	}
	e.words.spend(func() {
		y, now := e.normalAt(h, v, f, band)
		switch {
		case now:
			text = "; normal again at " + short(y)
		case !e.above(h, e.settle(h, e.suppose(h, v, f, v.Values[f]), f)):
			text = "; normal again once its recent past is usual, too"
		default:
			text = "; no change of it alone makes this normal"
		}
	})
	return text
}

// usual is the training range of a feature in its own unit.
func (e *Engine[T]) usual(h *host, f int) detect.Band {
	band := h.unit.Champion.Bundle.Detector.Range[f]
	if e.config.Shared {
		band.Low, band.High = e.value(&h.baseline, f, band.Low), e.value(&h.baseline, f, band.High)
	}
	return band
}

func middle(b detect.Band) float64 { return (b.Low + b.High) / 2 }

const (
	searchSteps = 64
	searchHalve = 12 // people read three digits
)

// normalAt searches from the value towards the middle of its usual range for the
// first value at which the score is no more than the threshold. Between two
// steps of the search the boundary is found by halving.
func (e *Engine[T]) normalAt(h *host, v *feature.Vector, f int, band detect.Band) (float64, bool) {
	x, middle := v.Values[f], middle(band)
	normal := func(y float64) bool { return !e.above(h, e.suppose(h, v, f, y)) }
	far := x
	for i := 1; i <= searchSteps; i++ {
		near := x + (middle-x)*float64(i)/searchSteps
		if !normal(near) {
			far = near
			continue
		}
		for range searchHalve {
			if half := (near + far) / 2; normal(half) {
				near = half
			} else {
				far = half
			}
		}
		if y := towards(near, middle); normal(y) {
			return y, true // people read few digits, and those should be true
		}
	}
	return 0, false
}

// towards rounds x, in the direction of middle, to the digits that short shows.
func towards(x, middle float64) float64 {
	size := math.Abs(x)
	if size == 0 {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(size))-2)
	if size >= 100 && size < 1e4 {
		unit = 1
	}
	if middle > x {
		return math.Ceil(x/unit) * unit
	}
	return math.Floor(x/unit) * unit
}

// short writes a number as people read it: 71.3, 12.3M.
func short(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(x) >= unit.size {
			if unit.name == "k" {
				unit.size = 1e3
			}
			return fmt.Sprintf("%.3g%s", x/unit.size, unit.name)
		}
	}
	if math.Abs(x) >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
