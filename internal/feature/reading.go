package feature

// yield is what became of a sample, from good to bad.
type yield int

const (
	value yield = iota // it is a value
	first              // a counter's starting point: the other series still make a sum
	lost               // there should be a value and is none: the rest of a sum would look like a drop
	reset              // lost, since a counter went back
)

// input is what one series contributes to one feature in the open bucket.
type input struct {
	feature int32
	counter bool
	fields  []reading // in the order of the feature's Fields
}

func newInput(f *Feature, i int) input {
	return input{feature: int32(i), counter: f.Kind == Counter, fields: make([]reading, len(f.Fields))}
}

// take returns the series' contribution in the bucket and makes the input ready
// for the next one. longest is the age of a counter beyond which it gives no rate.
func (in *input) take(longest int64) (v float64, got yield) {
	for k := range in.fields {
		x, y := in.fields[k].take(in.counter, longest)
		v, got = v+x, max(got, y)
	}
	return v, got
}

// reading is one field of an input.
type reading struct {
	sum      float64 // of the bucket's samples
	n        int32   // samples in this bucket
	counted  bool    // there is a previous
	value    float64 // newest sample
	time     int64
	previous float64 // newest sample of an earlier bucket
	before   int64   // and its time
}

// add takes a sample. It returns false if there was one for this time already.
func (r *reading) add(v float64, time int64) bool {
	if r.n > 0 && r.time == time {
		return false
	}
	r.sum += v
	r.n++
	if r.n == 1 || time > r.time {
		r.value, r.time = v, time
	}
	return true
}

// take returns the mean of a gauge's samples, or a counter's rate per second
// between the newest sample and that of the bucket before.
func (r *reading) take(counter bool, longest int64) (float64, yield) {
	if r.n == 0 {
		return 0, lost
	}
	mean, rise, dt, counted := r.sum/float64(r.n), r.value-r.previous, r.time-r.before, r.counted
	r.sum, r.n = 0, 0
	r.previous, r.before, r.counted = r.value, r.time, true
	switch {
	case !counter:
		return mean, value
	case !counted || dt > longest:
		return 0, first
	case dt <= 0 || rise < 0:
		return 0, reset
	}
	return rise / (float64(dt) / 1e9), value
}
