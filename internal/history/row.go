// Package history reads stored metrics back, one moment at a time and in
// bounded memory, however long the record is. What is wrong with a record is
// never passed over in silence: it ends the reading with an error that says
// what to do, or it is counted and reported.
package history

import "time"

// Row is one moment of a record: the values of the requested features and, in
// a labelled record, what is known about it.
type Row struct {
	Time   time.Time // zero in a record without a time column
	Values []float64 // in the order of the features; NaN where missing
	Label  bool      // part of an incident
	Event  int       // number of the incident; 0 where there is none or none is given
	Kind   string    // kind of the incident, empty where none is given
	Cause  []string  // features that caused it, empty where unknown
}
