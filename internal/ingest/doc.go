// Package ingest is the edge where telemetry arrives: OTLP over gRPC and HTTP.
//
// A request goes one way: key → project (an Authenticator handed in by app),
// limits, wire bytes → trace.Columns, one insert shared with other requests,
// answer. It is answered only after its spans are stored, so an acknowledged
// span is never lost; when the engine falls behind or is down, callers are told
// to come back instead of being queued without bound. Memory is taken as a
// request arrives, from the share of its project, and nobody waits for more of
// it while holding some; gRPC is served by net/http for the sake of that.
//
// It owns the receivers, the decoding of OTLP, the limits and the mapping of
// faults to OTLP statuses. It does not own how a span is stored (package trace)
// or who may write where (package tenant). The protobuf bytes are walked once
// and never become a tree of objects; JSON is converted to those bytes first.
package ingest
