// Package dashboards is the one source of the Grafana dashboards and alert rules
// in grafana/. A dashboard is written once; InfluxQL and Flux versions of it are
// rendered and committed. To render again after a change here:
//
//	go generate ./internal/dashboards
//
// The conventions are Grafana's own for files that are provisioned: classic JSON,
// schema version 39, data source through a variable, nothing that only the import
// dialog would fill in.
package dashboards

//go:generate go run ./render ../../grafana
