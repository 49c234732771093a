// Package rule decides when something is wrong: it holds the alarm rules of
// projects and evaluates them over what arrived.
//
// It owns the rules, their history, how far each was evaluated and which calls
// matched. It does not own what happens then: it hands a Firing to OnFire, a
// function given by package app. It reads telemetry through package trace and
// keeps its own state in the metadata database.
package rule

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// SlowSQL is the kind of rule that counts slow SQL calls: "SQL response time
// >= N ms occurred K times in W minutes", per application and phase.
const SlowSQL = "slow_sql"

// Rule is an alarm rule of a project.
type Rule struct {
	ID            int64      `json:"id"`
	Project       project.ID `json:"project_id"`
	Name          string     `json:"name"`
	Kind          string     `json:"kind"` // slow_sql
	Enabled       bool       `json:"enabled"`
	Service       string     `json:"service"`        // "" is any
	Environment   string     `json:"environment"`    // "" is any
	ThresholdMs   int        `json:"threshold_ms"`   // at least 100
	Count         int        `json:"count"`          // 1 to 10,000
	WindowMinutes int        `json:"window_minutes"` // 1 to 1,440
	QuietMinutes  int        `json:"quiet_minutes"`  // without a match, until an incident resolves: 1 to 1,440
	Channels      []int64    `json:"channels"`       // targets to notify; empty is all of the project
	Version       int64      `json:"version"`        // from 1, goes up with every edit
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	UpdatedBy     string     `json:"updated_by"`
}

// Window returns the length of the counting window.
func (r *Rule) Window() time.Duration { return time.Duration(r.WindowMinutes) * time.Minute }

// Quiet returns how long there must be no match until an incident resolves.
func (r *Rule) Quiet() time.Duration { return time.Duration(r.QuietMinutes) * time.Minute }

// Threshold returns the duration from which a call matches.
func (r *Rule) Threshold() time.Duration { return time.Duration(r.ThresholdMs) * time.Millisecond }

// Limits of what a rule may say.
const (
	maxNameLength  = 100 // characters
	maxScopeLength = 256 // bytes of service and environment
	maxThresholdMs = 24 * 60 * 60 * 1000
	maxCount       = 10_000
	maxMinutes     = 24 * 60
	maxChannels    = 50
)

// check trims the rule and reports the first field that is wrong.
func (r *Rule) check() error {
	r.Name, r.Service, r.Environment = strings.TrimSpace(r.Name), strings.TrimSpace(r.Service), strings.TrimSpace(r.Environment)
	if r.Channels == nil {
		r.Channels = []int64{}
	}
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	upTo := func(field string, value, high int) error {
		if value < 1 || value > high {
			return bad(field, "%s must be between 1 and %d, not %d", field, high, value)
		}
		return nil
	}
	switch {
	case r.Kind != SlowSQL:
		return bad("kind", "kind %q is unknown: it must be %s", r.Kind, SlowSQL)
	case r.Name == "":
		return bad("name", "a rule needs a name")
	case utf8.RuneCountInString(r.Name) > maxNameLength:
		return bad("name", "the name has more than %d characters", maxNameLength)
	case strings.ContainsAny(r.Name, "\r\n"):
		return bad("name", "the name must be one line")
	case len(r.Service) > maxScopeLength:
		return bad("service", "service has more than %d bytes", maxScopeLength)
	case len(r.Environment) > maxScopeLength:
		return bad("environment", "environment has more than %d bytes", maxScopeLength)
	case len(r.Channels) > maxChannels:
		return bad("channels", "a rule has at most %d channels", maxChannels)
	case r.Threshold() < trace.SlowFloor:
		return bad("threshold_ms", "threshold_ms must be at least %d, not %d: faster calls are not kept for rules", trace.SlowFloor.Milliseconds(), r.ThresholdMs)
	}
	for _, err := range []error{
		upTo("threshold_ms", r.ThresholdMs, maxThresholdMs), upTo("count", r.Count, maxCount),
		upTo("window_minutes", r.WindowMinutes, maxMinutes), upTo("quiet_minutes", r.QuietMinutes, maxMinutes),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// matches reports whether the call is one that the rule counts.
func (r *Rule) matches(c *trace.SlowCall) bool {
	return c.Project == r.Project && c.DurationNs >= r.Threshold().Nanoseconds() &&
		(r.Service == "" || r.Service == c.Service) && (r.Environment == "" || r.Environment == c.Environment)
}

// sameCondition reports whether both rules count the same calls.
func (r *Rule) sameCondition(other *Rule) bool {
	return r.Kind == other.Kind && r.ThresholdMs == other.ThresholdMs && r.Service == other.Service &&
		r.Environment == other.Environment && r.Enabled == other.Enabled
}

// Match is one call that a rule counted.
type Match struct {
	TraceID     trace.TraceID `json:"trace_id"`
	SpanID      trace.SpanID  `json:"span_id"`
	Service     string        `json:"service"`
	Environment string        `json:"environment"`
	Instance    string        `json:"instance"`
	Start       time.Time     `json:"start"`
	DurationNs  int64         `json:"duration_ns"`
	Statement   string        `json:"statement"` // hash, 16 hex
}

// InstanceCount is how many matches an instance had.
type InstanceCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// maxMatches is how many matches a Firing lists.
const maxMatches = 100

// Firing is what one pass found for a rule in one application and phase: new
// matches, and whether with them the threshold is met.
//
// A pass hands over every such group, so that an incident that is open already
// gets the later matches whether or not they meet the threshold once more. An
// incident begins only from a Firing that is Met.
type Firing struct {
	Rule    Rule   `json:"rule"`
	Service string `json:"service"`
	Phase   string `json:"phase"` // deployment environment, "" when the program sends none

	// The window: the ruled number of minutes up to the end of its last match.
	Met       bool            `json:"met"` // it holds at least Rule.Count matches
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	Count     int             `json:"count"`
	Instances []InstanceCount `json:"instances"` // of the window, most first
	Window    []Match         `json:"window"`    // of the window, slowest first, at most 100

	New          int             `json:"new"`           // matches that no pass has seen before
	NewInstances []InstanceCount `json:"new_instances"` // of the new ones, most first
	Matches      []Match         `json:"matches"`       // the new ones, slowest first, at most 100
}
