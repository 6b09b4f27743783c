// Package lp handles line protocol as bytes: it cuts a stream into lines,
// decodes a line into a Point without copying, and splices fields into a line
// without touching anything else of it.
//
// A line that nobody asked to change leaves exactly as it came.
package lp
