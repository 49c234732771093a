package project

import "iter"

// Signal is a kind of telemetry that is kept for a time of its own.
type Signal string

// The signals.
const (
	Traces  Signal = "traces"
	Logs    Signal = "logs"
	Metrics Signal = "metrics"
)

// Retention is how many days a project's telemetry is kept.
type Retention struct {
	Traces  int `json:"traces,omitempty" minimum:"0" maximum:"3650"`
	Logs    int `json:"logs,omitempty" minimum:"0" maximum:"3650"`
	Metrics int `json:"metrics,omitempty" minimum:"0" maximum:"3650"`
}

// BySignal goes through the days of all signals.
func (r *Retention) BySignal() iter.Seq2[Signal, *int] {
	return func(yield func(Signal, *int) bool) {
		_ = yield(Traces, &r.Traces) && yield(Logs, &r.Logs) && yield(Metrics, &r.Metrics)
	}
}
