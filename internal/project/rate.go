package project

// Rate is how many spans, log records and samples of metrics a project may send a
// second, to each node; 0 is no limit. Stacks of profiles count by themselves and
// may be as many as spans.
type Rate struct {
	Traces  int `json:"traces,omitempty" minimum:"0" maximum:"2147483647"`
	Logs    int `json:"logs,omitempty" minimum:"0" maximum:"2147483647"`
	Metrics int `json:"metrics,omitempty" minimum:"0" maximum:"2147483647"`
}

// Of returns the rate of a signal.
func (r Rate) Of(s Signal) int {
	switch s {
	case Logs:
		return r.Logs
	case Metrics:
		return r.Metrics
	}
	return r.Traces
}
