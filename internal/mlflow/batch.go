package mlflow

import (
	"encoding/json"
	"maps"
	"slices"
)

// pair is a parameter or a tag on the wire.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// pairs returns m in the order of its keys.
func pairs(m map[string]string) []pair {
	list := make([]pair, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, pair{k, m[k]})
	}
	return list
}

// The three lists of a batch.
const (
	metrics = iota
	params
	tags
	lists
)

// Limits of runs/log-batch: per list, over all lists, and for the body, of which a
// little is kept for the braces.
var perList = [lists]int{metrics: 1000, params: 100, tags: 100}

const (
	perBatch = 1000
	maxBody  = 1_000_000 - 1000
)

// batch is the body of one runs/log-batch call under construction.
type batch struct {
	items       [lists][]json.RawMessage
	count, size int
}

func (b *batch) fits(list, size int) bool {
	return len(b.items[list]) < perList[list] && b.count < perBatch && b.size+size+1 <= maxBody
}

func (b *batch) add(list int, item json.RawMessage) {
	b.items[list] = append(b.items[list], item)
	b.count++
	b.size += len(item) + 1
}

// body omits empty lists: a real server answers 500 to a null one.
func (b *batch) body(runID string) any {
	return struct {
		RunID   string            `json:"run_id"`
		Metrics []json.RawMessage `json:"metrics,omitempty"`
		Params  []json.RawMessage `json:"params,omitempty"`
		Tags    []json.RawMessage `json:"tags,omitempty"`
	}{runID, b.items[metrics], b.items[params], b.items[tags]}
}

// batches splits what a run logs into as few calls as its order allows: parameters,
// tags, then metrics.
func batches(r *Run) []batch {
	var done []batch
	var b batch
	add := func(list int, v any) {
		item, _ := json.Marshal(v) // strings and numbers: cannot fail
		if !b.fits(list, len(item)) {
			done, b = append(done, b), batch{}
		}
		b.add(list, item)
	}
	for _, p := range pairs(r.Params) {
		add(params, p)
	}
	for _, t := range pairs(r.Tags) {
		add(tags, t)
	}
	for _, m := range r.Metrics {
		add(metrics, m)
	}
	if b.count > 0 {
		done = append(done, b)
	}
	return done
}
