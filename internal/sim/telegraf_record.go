package sim

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// record is a line in parts. A field that does not change keeps its text, which
// is most of them and most of the time.
type record struct {
	head   []byte // measurement, tags, blank
	fields []field
	orders [][]int
}

type field struct {
	text []byte // name=value
	name int    // length of the name with its "="
}

// Telegraf's order of fields is that of a Go map; a few shuffles made
// beforehand are as good and cost nothing.
const orders = 16

func newRecord(random *rand.Rand, head string, fields ...string) record {
	r := record{head: []byte(head + " ")}
	for _, f := range fields {
		r.fields = append(r.fields, newField(f))
	}
	for range orders {
		r.orders = append(r.orders, random.Perm(len(fields)))
	}
	return r
}

// newField takes "name" or "name=value", and for speed several of these that
// stay together, joined by commas.
func newField(text string) field {
	for i := range text {
		if text[i] == '=' {
			return field{[]byte(text), i + 1}
		}
	}
	return field{[]byte(text + "="), len(text) + 1}
}

func (r *record) append(dst []byte, random *rand.Rand, t time.Time) []byte {
	dst = append(dst, r.head...)
	for i, f := range r.orders[random.IntN(orders)] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, r.fields[f].text...)
	}
	return appendTime(dst, t)
}

func (r *record) label(i int) []byte { return r.fields[i].text[:r.fields[i].name] }

func (r *record) float(i int, v float64) {
	r.fields[i].text = strconv.AppendFloat(r.label(i), v, 'g', -1, 64)
}

func (r *record) hundredths(i int, v float64) {
	r.fields[i].text = strconv.AppendFloat(r.label(i), v, 'f', 2, 64)
}

func (r *record) int(i int, v int64) {
	r.fields[i].text = append(strconv.AppendInt(r.label(i), v, 10), 'i')
}

func (r *record) text(i int, v []byte) {
	r.fields[i].text = append(append(append(r.label(i), '"'), v...), '"')
}
