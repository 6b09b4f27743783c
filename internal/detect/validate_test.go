package detect

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file may hold anything: what cannot be computed with is refused.
func TestValidateRefuses(t *testing.T) {
	m := fit(t, host(t, 200, 3, 1, nil), DefaultOptions())
	require.NoError(t, m.Validate(abc))
	require.ErrorContains(t, m.Validate([]string{"a", "b"}), `want ["a" "b"]`)
	for name, spoil := range map[string]func(*Model){
		"columns of another kind":   func(m *Model) { m.Columns = "value,value" },
		"fewer columns":             func(m *Model) { m.Columns = pastColumns; m.Residual = nil },
		"residual gone":             func(m *Model) { m.Residual = nil },
		"range short":               func(m *Model) { m.Range = m.Range[1:] },
		"range upside down":         func(m *Model) { m.Range[1].Low = m.Range[1].High + 1 },
		"range in units of 0":       func(m *Model) { m.Range[1].Unit = 0 },
		"range in tiny units":       func(m *Model) { m.Range[1].Unit = 5e-324 },
		"median short":              func(m *Model) { m.Median = nil },
		"still short":               func(m *Model) { m.Still = m.Still[:2] },
		"usual short":               func(m *Model) { m.Usual.Middle = m.Usual.Middle[1:] },
		"usual in units of 0":       func(m *Model) { m.Usual.Unit[4] = 0 },
		"threshold 0":               func(m *Model) { m.Threshold = 0 },
		"threshold above 1":         func(m *Model) { m.Threshold = 1.5 },
		"options":                   func(m *Model) { m.Options.RangeWeight = -1 },
		"residual mean short":       func(m *Model) { m.Residual.Mean = m.Residual.Mean[1:] },
		"residual scale short":      func(m *Model) { m.Residual.Scale = nil },
		"component short":           func(m *Model) { m.Residual.Components[0] = m.Residual.Components[0][1:] },
		"too many components":       func(m *Model) { m.Residual.Components = make([][]float64, 10) },
		"variance missing":          func(m *Model) { m.Residual.Variance = nil },
		"variance 0":                func(m *Model) { m.Residual.Variance[0] = 0 },
		"noise 0":                   func(m *Model) { m.Residual.Noise = 0 },
		"typical distance below 0":  func(m *Model) { m.Residual.Typical = -1 },
		"relation mean short":       func(m *Model) { m.Relation.Mean = nil },
		"relation row short":        func(m *Model) { m.Relation.Q[2] = m.Relation.Q[2][:1] },
		"jump row short":            func(m *Model) { m.Jump.Q[2] = m.Jump.Q[2][:1] },
		"jump scale short":          func(m *Model) { m.Jump.Scale = nil },
		"jump never calm":           func(m *Model) { m.Jump.Calm = 0 },
		"usual jump short":          func(m *Model) { m.Usual.Jump = m.Usual.Jump[1:] },
		"usual jump in units of 0":  func(m *Model) { m.Usual.Jump[1] = 0 },
		"relation bands short":      func(m *Model) { m.Relation.Band = m.Relation.Band[1:] },
		"relation band upside down": func(m *Model) { m.Relation.Band[0].Low = 1e9 },
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(m)
			require.NoError(t, err)
			var spoilt Model
			require.NoError(t, json.Unmarshal(data, &spoilt))
			spoilt.Forest = m.Forest
			spoil(&spoilt)
			require.ErrorContains(t, spoilt.Validate(abc), "detect: ")
		})
	}
}
