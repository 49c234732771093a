// Package investigate answers a model's questions about an incident with facts:
// a handful of tools, each of which only reads.
//
// It owns what may be asked and how far a question reaches: the project, the
// services and the time of a tool come from its Scope, which code makes, and
// never from what a model says. It keeps no budget and talks to no model;
// package incident does both.
package investigate

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// The names of the tools.
const (
	Transactions       = "transactions"
	TransactionProfile = "transaction_profile"
	Statements         = "statements"
	Calls              = "calls"
	LogPatterns        = "log_patterns"
	Metric             = "metric"
	PastIncidents      = "past_incidents"
)

// MaxRows is how many facts one answer has at most.
const MaxRows = 10

const (
	before       = 15 * time.Minute // of the alarm's window that is looked at, too
	after        = 5 * time.Minute
	usualFor     = time.Hour // before that, with which it is compared
	maxArguments = 4 << 10   // bytes
)

// Scope is how far the questions about one incident reach.
type Scope struct {
	Project     project.ID
	Incident    int64
	Environment string // "" for all
	Service     string // of the alarm, "" when it is about none
	// Services are those at and below the alarm's; nil when it is about none, which
	// leaves the project as the only bound.
	Services map[string]bool
	From, To time.Time // what is looked at
	Now      time.Time
	Location *time.Location // of the times in the facts
	// Known returns the transaction that a fact so far tells of, by its trace: only
	// such a one can be asked about.
	Known func(trace string) (span string, known bool)
}

// Around makes the time of the scope that of an alarm's window with what is
// before and after it, as far as it has come.
func (s *Scope) Around(from, to, now time.Time) {
	s.From, s.To, s.Now = from.Add(-before).UTC(), to.Add(after).UTC(), now.UTC()
	if s.To.After(s.Now) {
		s.To = s.Now
	}
	if !s.From.Before(s.To) { // a clock that is behind the telemetry's
		s.To = s.From.Add(time.Minute)
	}
}

// Names are the services of the scope in order.
func (s *Scope) Names() []string { return slices.Sorted(maps.Keys(s.Services)) }

// Of returns the service that a question is about, fault.Invalid when it is
// not of the scope.
func (s *Scope) Of(asked string) (string, error) {
	if asked == "" {
		return s.Service, nil
	}
	if s.Services != nil && !s.Services[asked] {
		return "", fault.New(fault.Invalid, "service %q is not at or below the alarm's: ask about one of %s", asked, strings.Join(s.Names(), ", ")).WithField("service")
	}
	return asked, nil
}

// usual is the time with which that of the scope is compared.
func (s *Scope) usual() (from, to time.Time) { return s.From.Add(-usualFor), s.From }

// Run answers one question. Its facts have no ids. fault.Invalid tells the model
// what is wrong with the arguments, which are valid against the tool's schema.
type Run func(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error)

// Tool is what a model may ask for.
type Tool struct {
	Name        string          `json:"-"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"` // of the arguments, an object

	check *jsonschema.Resolved
	run   Run
}

// Tools are those of one house. They are safe for concurrent use once all are added.
type Tools struct {
	traces  *trace.Store
	logs    *logs.Store
	metrics *metric.Engine
	tools   []Tool
}

// New returns the tools that read these stores.
func New(traces *trace.Store, lines *logs.Store, metrics *metric.Engine) *Tools {
	t := &Tools{traces: traces, logs: lines, metrics: metrics}
	t.Add(Transactions, t.transactions)
	t.Add(Statements, t.statements)
	t.Add(Calls, t.calls)
	t.Add(LogPatterns, t.logPatterns)
	t.Add(Metric, t.metric)
	return t
}

//go:embed tool
var descriptions embed.FS

// Add adds a tool that is described in this package and that another one runs.
func (t *Tools) Add(name string, run Run) {
	text, err := descriptions.ReadFile("tool/" + name + ".json")
	if err != nil {
		panic(err) // the file is part of the binary
	}
	tool := Tool{Name: name, run: run}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &tool); err != nil {
		panic(fmt.Sprintf("tool %s: %v", name, err))
	}
	if err := json.Unmarshal(tool.Schema, &schema); err != nil {
		panic(fmt.Sprintf("tool %s: %v", name, err))
	}
	if tool.check, err = schema.Resolve(nil); err != nil {
		panic(fmt.Sprintf("tool %s: %v", name, err))
	}
	t.tools = append(t.tools, tool)
}

// List returns the tools in the order in which they were added.
func (t *Tools) List() []Tool { return slices.Clone(t.tools) }

// Call answers a question with at most rows facts, at most MaxRows, marked with the question; a
// note among them says what was left out. fault.Invalid is of the model's making
// and says what to do; any other error is of a store.
func (t *Tools) Call(ctx context.Context, of Scope, name, arguments string, rows int) ([]ground.Fact, error) {
	at := slices.IndexFunc(t.tools, func(tool Tool) bool { return tool.Name == name })
	if at < 0 {
		names := make([]string, len(t.tools))
		for i := range t.tools {
			names[i] = t.tools[i].Name
		}
		return nil, fault.New(fault.Invalid, "there is no tool %.40q: there are %s", name, strings.Join(names, ", "))
	}
	if arguments = strings.TrimSpace(arguments); arguments == "" {
		arguments = "{}"
	}
	var value any
	if len(arguments) > maxArguments {
		return nil, fault.New(fault.Invalid, "the arguments are over %d bytes", maxArguments)
	} else if err := json.Unmarshal([]byte(arguments), &value); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments are not valid JSON: %v", err)
	} else if err := t.tools[at].check.Validate(value); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments do not fit the schema: %v", err)
	}
	facts, err := t.tools[at].run(ctx, of, json.RawMessage(arguments))
	if err != nil {
		return nil, err
	}
	if rows = min(rows, MaxRows); len(facts) > rows {
		left := len(facts) - rows + 1
		facts = append(facts[:max(rows-1, 0)], ground.Fact{Kind: ground.Note, Text: fmt.Sprintf("%d more were left out.", left)})
	}
	if len(facts) == 0 {
		facts = []ground.Fact{{Kind: ground.Note, Text: "Nothing was found."}}
	}
	asked := Question(name, arguments)
	for i := range facts {
		facts[i].Asked = asked
	}
	return facts, nil
}

// Question writes a question in one safe line, as it is kept with its answer:
// what a model wrote is as untrusted as what a program did.
func Question(name, arguments string) string {
	return clip(ground.Line(name+" "+arguments), maxQuestion)
}
