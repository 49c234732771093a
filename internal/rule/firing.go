package rule

import (
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// Match is one thing that a rule counted: a call, or a minute of a measure.
type Match struct {
	TraceID     trace.TraceID `json:"trace_id"` // zero for a minute
	SpanID      trace.SpanID  `json:"span_id"`
	Service     string        `json:"service"`
	Environment string        `json:"environment"`
	// Subject is what a service has several of and the rule counts apart: an
	// endpoint, a host, a callee, the labels of a series. "" for the service itself.
	Subject    string    `json:"subject"`
	Instance   string    `json:"instance"`
	Start      time.Time `json:"start"`
	DurationNs int64     `json:"duration_ns"`
	Statement  string    `json:"statement"` // hash, 16 hex, "" for none
	// Value is what was measured, in the unit of the kind; Usual what it is at
	// that hour of the week, nil when the rule does not compare with it.
	Value float64  `json:"value"`
	Usual *float64 `json:"usual,omitempty"`
	// Counts is false when the value is back within the limit but not yet beyond
	// the one at which the rule calms down: it keeps an incident open, no more.
	Counts bool `json:"counts"`

	as string // its key, where that is not the span
}

// End returns when what matched was over.
func (m *Match) End() time.Time { return m.Start.Add(time.Duration(m.DurationNs)) }

// InstanceCount is how many matches an instance had.
type InstanceCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// maxMatches is how many matches a Firing lists.
const maxMatches = 100

// Firing is what one pass found for a rule in one application, phase and
// subject: new matches, and whether with them the threshold is met.
//
// A pass hands over every such group, so that an incident that is open already
// gets the later matches whether or not they meet the threshold once more. An
// incident begins only from a Firing that is Met.
type Firing struct {
	Rule    Rule   `json:"rule"`
	Service string `json:"service"`
	Phase   string `json:"phase"` // deployment environment, "" when the program sends none
	Subject string `json:"subject"`

	// The window: the ruled number of minutes up to the end of its last match.
	Met       bool            `json:"met"` // it holds at least Rule.Count matches, and no mute timing
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	Count     int             `json:"count"`
	Instances []InstanceCount `json:"instances"` // of the window, most first
	Window    []Match         `json:"window"`    // of the window, worst first, at most 100

	New          int             `json:"new"`           // matches that no pass has seen before
	NewInstances []InstanceCount `json:"new_instances"` // of the new ones, most first
	Matches      []Match         `json:"matches"`       // the new ones, worst first, at most 100
}
