// Package rule decides when something is wrong: it holds the alarm rules of
// projects and evaluates them over what arrived.
//
// It owns the rules, their kinds (one file each), their history, how far each
// was evaluated and what matched. It does not own what happens then: it hands a
// Firing to OnFire, a function given by package app. It reads telemetry through
// the packages of the nouns and keeps its own state in the metadata database.
//
// Every kind comes down to matches: a call that was too slow, a minute in which a
// measure was beyond its limit. A rule fires when so many of them lie in a window
// of so many minutes. A match is recorded by what it is, so that it counts once
// however often, late or on how many nodes it is found.
package rule

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The severities, mildest first.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Severities lists the severities, mildest first.
var Severities = []string{Info, Warning, Critical}

// Rule is an alarm rule of a project.
type Rule struct {
	ID            int64      `json:"id"`
	Project       project.ID `json:"project_id"`
	Name          string     `json:"name"`
	Kind          string     `json:"kind"` // Kind.Name
	Enabled       bool       `json:"enabled"`
	Service       string     `json:"service"`        // "" is any
	Environment   string     `json:"environment"`    // "" is any
	Params        Params     `json:"params"`         // what its kind asks for
	Count         int        `json:"count"`          // matches that fire: calls, or minutes of kinds that measure. 1 to 10,000
	WindowMinutes int        `json:"window_minutes"` // in which they must be: 1 to 1,440
	QuietMinutes  int        `json:"quiet_minutes"`  // without a match, until an incident resolves: 1 to 1,440
	Channels      []int64    `json:"channels"`       // targets to notify; empty is all of the project
	Severity      string     `json:"severity" enum:"info,warning,critical"`
	Owner         string     `json:"owner"`   // who looks after it, a person or a team; "" for nobody
	Runbook       string     `json:"runbook"` // address of what to do, "" for none
	Labels        Labels     `json:"labels"`
	Mutes         []Mute     `json:"mutes"`   // when it opens no incident
	Version       int64      `json:"version"` // from 1, goes up with every edit
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	UpdatedBy     string     `json:"updated_by"`

	// Since when and why it cannot be evaluated, for a reason of its own; nothing
	// when it can. Only reads of rules say it.
	FailingSince *time.Time `json:"failing_since,omitempty"`
	Failure      string     `json:"failure,omitempty"`
}

// Window returns the length of the counting window.
func (r *Rule) Window() time.Duration { return time.Duration(r.WindowMinutes) * time.Minute }

// Quiet returns how long there must be no match until an incident resolves.
func (r *Rule) Quiet() time.Duration { return time.Duration(r.QuietMinutes) * time.Minute }

// Condition returns what the rule counts.
func (r *Rule) Condition() Condition { return kindOf(r.Kind).condition(r) }

// Measured writes a value that was measured for the rule, with its unit.
func (r *Rule) Measured(v float64) string {
	c := r.Condition()
	c.Unit = cmp.Or(kindOf(r.Kind).valueUnit, c.Unit)
	return c.Value(v)
}

// Minutes reports whether the rule counts minutes rather than calls.
func (r *Rule) Minutes() bool { return kindOf(r.Kind).Minutes }

// lowIsWorse reports whether of two values the lower is the worse.
func (r *Rule) lowIsWorse() bool {
	low := kindOf(r.Kind).low
	return low != nil && low(r)
}

// covers reports whether a service in an environment is the rule's concern.
func (r *Rule) covers(service, environment string) bool {
	return (r.Service == "" || r.Service == service) && (r.Environment == "" || r.Environment == environment)
}

// Labels are what a project sorts its rules and incidents by.
type Labels map[string]string

// Limits of what a rule may say.
const (
	maxNameLength  = 100  // characters
	maxScopeLength = 256  // bytes of service and environment
	maxOwner       = 100  // characters
	maxRunbook     = 2000 // bytes
	maxLabels      = 20
	maxLabel       = 200 // bytes of a name or a value
	maxMutes       = 20
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
	r.Owner, r.Runbook, r.Severity = strings.TrimSpace(r.Owner), strings.TrimSpace(r.Runbook), cmp.Or(r.Severity, Warning)
	if r.Labels == nil {
		r.Labels = Labels{}
	}
	if r.Mutes == nil {
		r.Mutes = []Mute{}
	}
	kind := kindOf(r.Kind)
	switch {
	case kind == nil:
		return unknownKind(r.Kind)
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
	case !slices.Contains(Severities, r.Severity):
		return bad("severity", "severity must be one of %s, not %q", strings.Join(Severities, ", "), r.Severity)
	case utf8.RuneCountInString(r.Owner) > maxOwner || strings.ContainsAny(r.Owner, "\r\n"):
		return bad("owner", "the owner must be one line of at most %d characters", maxOwner)
	case !isLink(r.Runbook):
		return bad("runbook", "the runbook must be an http or https address of at most %d bytes", maxRunbook)
	case kind.Minutes && r.Count > r.WindowMinutes:
		return bad("count", "%d minutes cannot be in a window of %d", r.Count, r.WindowMinutes)
	case !kind.Scoped && r.Service+r.Environment != "":
		return bad("service", "rules of kind %s are of no service or environment: say it in the expression", kind.Name)
	case len(r.Mutes) > maxMutes:
		return bad("mutes", "a rule has at most %d mute timings", maxMutes)
	}
	var err error
	if r.Params, err = kind.complete(r.Params); err != nil {
		return err
	}
	if err := r.Labels.check(); err != nil {
		return err
	}
	for i := range r.Mutes {
		if err := r.Mutes[i].check(i); err != nil {
			return err
		}
	}
	for _, err := range []error{
		upTo("count", r.Count, maxCount),
		upTo("window_minutes", r.WindowMinutes, maxMinutes), upTo("quiet_minutes", r.QuietMinutes, maxMinutes),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// sameCondition reports whether both rules count the same.
func (r *Rule) sameCondition(other *Rule) bool {
	return r.Kind == other.Kind && maps.Equal(r.Params, other.Params) && r.Service == other.Service &&
		r.Environment == other.Environment && r.Enabled == other.Enabled
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// check reports the first label that is wrong.
func (l Labels) check() error {
	if len(l) > maxLabels {
		return fault.New(fault.Invalid, "a rule has at most %d labels", maxLabels).WithField("labels")
	}
	for name, value := range l {
		if !labelName.MatchString(name) || len(name) > maxLabel || len(value) > maxLabel || strings.ContainsAny(value, "\r\n") {
			return fault.New(fault.Invalid, "label %q: a name is letters, digits and _, a value is one line, each of at most %d bytes", name, maxLabel).WithField("labels")
		}
	}
	return nil
}

// isLink reports whether text is an address a person can open, or nothing.
func isLink(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxRunbook && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
