package grafana

import (
	"encoding/json"
	"maps"
	"reflect"
)

// within reports whether there holds all of wanted. Grafana adds keys of its own,
// and drops those that are null.
func within(wanted, there any) bool {
	switch w := plain(wanted).(type) {
	case nil:
		return plain(there) == nil
	case map[string]any:
		t, ok := plain(there).(map[string]any)
		for key, value := range w {
			if !ok || !within(value, t[key]) {
				return false
			}
		}
		return ok
	case []any:
		t, ok := plain(there).([]any)
		if !ok || len(t) != len(w) {
			return false
		}
		for i := range w {
			if !within(w[i], t[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(w, plain(there))
	}
}

// plain is a value as it comes back from JSON: all numbers are floats.
func plain(v any) any {
	switch v.(type) {
	case nil, bool, string, float64, []any, map[string]any:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return v // is equal to nothing that came from JSON
	}
	var decoded any
	_ = json.Unmarshal(text, &decoded) // it was just made
	return decoded
}

// over lays wanted over what is there, so that what somebody else has set stays.
func over(wanted, there Object) Object {
	result := maps.Clone(there)
	for key, value := range wanted {
		w, both := plain(value).(map[string]any)
		if t, ok := result[key].(map[string]any); ok && both {
			value = over(w, t)
		}
		result[key] = value
	}
	return result
}

func object(v any) Object {
	o, _ := plain(v).(map[string]any)
	return o
}
