// Package testbed installs, starts and stops the real programs around the
// processor: Telegraf and InfluxDB. `make run`, the end-to-end tests and the
// demonstrations share it.
//
// Everything listens on loopback only, keeps its files in a folder that the
// caller names, and is ended by its process id.
package testbed
