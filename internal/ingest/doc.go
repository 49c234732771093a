// Package ingest is the edge where telemetry arrives: OTLP traces, logs and
// metrics over gRPC and HTTP, Prometheus remote write, and the alerts of other systems.
//
// A request goes one way: key → project (an Authenticator handed in by app),
// limits, wire bytes → columns (trace.Columns, logs.Columns), one insert shared with other requests,
// answer. It is answered only after its rows are stored, so what was
// acknowledged is never lost; when the engine falls behind or is down, callers are told
// to come back instead of being queued without bound. Memory is taken as a
// request arrives, from the share of its project, and nobody waits for more of
// it while holding some; gRPC is served by net/http for the sake of that.
//
// It owns the receivers, the decoding of OTLP, the limits and the mapping of
// faults to OTLP statuses. It does not own how a row is stored (packages trace,
// logs and metric) or who may write where (package tenant). The protobuf bytes of
// spans and logs are walked once and never become a tree of objects; JSON is
// converted to those bytes first. Metrics are read by Prometheus' own packages.
package ingest
