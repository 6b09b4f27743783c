package grafana

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWithin(t *testing.T) {
	for _, set := range []struct {
		wanted, there string
		want          bool
	}{
		{`{}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":1}`, `{}`, false},
		{`{"a":null}`, `{}`, true},
		{`{"a":{"b":[1,{"c":2}]}}`, `{"a":{"b":[1,{"c":2,"d":3}]}}`, true},
		{`{"a":[1]}`, `{"a":[1,2]}`, false},
		{`{"a":[]}`, `{"a":{}}`, false},
		{`{"a":{}}`, `{}`, false},
		{`{"a":"1"}`, `{"a":1}`, false},
	} {
		var wanted, there any
		require.NoError(t, json.Unmarshal([]byte(set.wanted), &wanted))
		require.NoError(t, json.Unmarshal([]byte(set.there), &there))
		require.Equal(t, set.want, within(wanted, there), "%s in %s", set.wanted, set.there)
	}
	require.True(t, within(map[string]any{"n": 39, "list": []string{"x"}}, Object{"n": 39.0, "list": []any{"x"}}), "Go's values are those of JSON")
}

// Whatever is there: with what is wanted laid over it, it holds what is wanted,
// and what it held under other keys.
func TestOverHoldsWhatIsWanted(t *testing.T) {
	values := rapid.MapOf(rapid.StringMatching("[a-d]"), rapid.Just(any(nil)))
	tree := rapid.Custom(func(t *rapid.T) Object {
		o := Object{}
		for key := range values.Draw(t, "keys") {
			if rapid.Bool().Draw(t, "nested") {
				o[key] = Object{rapid.StringMatching("[xy]").Draw(t, "inner"): rapid.Float64().Draw(t, "value")}
			} else {
				o[key] = rapid.String().Draw(t, "text")
			}
		}
		return o
	})
	rapid.Check(t, func(t *rapid.T) {
		w, there := tree.Draw(t, "wanted"), tree.Draw(t, "there")
		result := over(w, there)
		if !within(w, result) {
			t.Fatalf("%v is not within %v", w, result)
		}
		for key, value := range there {
			if _, replaced := w[key]; !replaced && !within(value, result[key]) {
				t.Fatalf("%q was lost", key)
			}
		}
	})
}
