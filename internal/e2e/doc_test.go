// Package e2e proves the promises of the project on the real programs: this one
// as it is shipped, Telegraf, InfluxDB.
//
// What needs Telegraf or InfluxDB is skipped where they are not in ./bin. With
// E2E=1, as `make test` sets it, that is a failure instead.
package e2e
