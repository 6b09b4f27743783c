package model

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/detect"
)

// mutate replaces a random node of a JSON tree.
func mutate(t *rapid.T, node any) any {
	if rapid.IntRange(0, 5).Draw(t, "stop") == 0 {
		return rapid.SampledFrom([]any{nil, true, "x", "", 0, -1, 1, 1e-300, 1e30, 1e308, -1e308, []any{}, map[string]any{}, []any{nil}, []any{1, 2, 3}}).Draw(t, "value")
	}
	switch n := node.(type) {
	case map[string]any:
		if keys := slices.Sorted(maps.Keys(n)); len(keys) > 0 {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			n[key] = mutate(t, n[key])
		}
		return n
	case []any:
		if len(n) == 0 {
			return n
		}
		i := rapid.IntRange(0, len(n)-1).Draw(t, "index")
		switch rapid.IntRange(0, 8).Draw(t, "how") {
		case 0:
			return slices.Delete(n, i, i+1)
		case 1:
			return slices.Insert(n, i, n[i])
		}
		n[i] = mutate(t, n[i])
		return n
	}
	return node
}

// Signed metadata with one or a few things changed is refused, or makes a model
// that computes: never a panic.
func TestMutatedMetadata(t *testing.T) {
	meta, trees := parts(t, fit(t, 1))
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var root any
		require.NoError(t, json.Unmarshal(meta, &root))
		for range rapid.IntRange(1, 3).Draw(t, "mutations") {
			root = mutate(t, root)
		}
		text, err := json.Marshal(root)
		require.NoError(t, err)
		b, err := Decode(sign(text, trees))
		if err != nil {
			refused++
			require.True(t, isTyped(err), "%v", err)
			return
		}
		accepted++
		scorer := detect.NewScorer(b.Detector)
		for _, x := range []float64{0, -1e30, 1e30} {
			context := slices.Repeat([]float64{x}, len(b.Probes[0].Context))
			var v detect.Verdict
			require.NoError(t, scorer.Explain(&v, context))
			require.True(t, v.Score >= 0 && v.Score <= 1, "score %v", v.Score)
		}
	})
	t.Logf("%d accepted, %d refused", accepted, refused)
}
