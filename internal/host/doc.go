// Package host answers what the machines do that services run on: how busy and
// how full they are, when they were last heard of, and what runs on them. It owns
// no table: machines are what the metrics of an OpenTelemetry Collector's
// hostmetrics receiver (system_…, by host_name) and of Prometheus' node_exporter
// (node_…, by instance, named by node_uname_info) tell of, services on them what
// the resources of spans say.
package host
