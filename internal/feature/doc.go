// Package feature turns points into vectors: it derives rates from counters,
// joins what one host's inputs wrote in one interval, fills gaps by a declared
// policy and adds the recent past of every feature.
//
// Training and serving both go through here; there is no other way from a line
// to a vector.
package feature
