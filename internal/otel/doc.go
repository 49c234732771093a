// Package otel owns what the signals of OpenTelemetry share: the limits on
// attributes, and resources, which say whose telemetry it is. It fills the table
// resources, whose schema came with the first migration of package trace.
package otel
