package rule

import (
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Kind is a kind of alarm: what its rules ask for, and how what they count is
// found. Each is one file of this package.
type Kind struct {
	Name  string `json:"name"`
	Group string `json:"group" enum:"database,calls,transactions,logs,resources,expressions,external" doc:"where forms list it"`
	// Minutes says that a rule counts minutes in which a measure is beyond a
	// limit; the other kinds count single calls.
	Minutes bool    `json:"minutes"`
	Scoped  bool    `json:"scoped" doc:"rules of it may name a service and an environment"`
	Params  []Param `json:"params"`
	// What a new rule of the kind begins with.
	Count         int    `json:"count"`
	WindowMinutes int    `json:"window_minutes"`
	QuietMinutes  int    `json:"quiet_minutes"`
	Severity      string `json:"severity" enum:"info,warning,critical"`

	// check reports what Params cannot say, with the field as "params.name".
	check func(p Params) error
	// condition is what a rule counts.
	condition func(r *Rule) Condition
	// valueUnit is the unit of what is measured where that is not the condition's.
	valueUnit string
	// low reports whether a lower value is the worse one; nil is never.
	low func(r *Rule) bool
	// find returns what rules of the kind count of what arrived in a time.
	find func(ctx context.Context, src *Sources, ask search) (results, error)
}

// The types of parameters.
const (
	Number  = "number"
	Text    = "text"
	Choice  = "choice"
	Pattern = "pattern" // a regular expression (RE2)
	PromQL  = "promql"
	View    = "view" // the id of a saved query
)

// Param is one value that rules of a kind give.
type Param struct {
	Name     string   `json:"name"`
	Type     string   `json:"type" enum:"number,text,choice,pattern,promql,view"`
	Unit     string   `json:"unit,omitempty" doc:"of a number: ms, %, per_minute, …"`
	Default  any      `json:"default,omitempty" doc:"of a new rule; absent: the rule says nothing"`
	Optional bool     `json:"optional,omitempty"`
	Min      float64  `json:"min,omitempty"`
	Max      float64  `json:"max,omitempty" doc:"0: no limit"`
	Whole    bool     `json:"whole,omitempty" doc:"a number without a fraction"`
	Choices  []string `json:"choices,omitempty"`
}

// Params are the values of a rule by the names its kind gives them: numbers and texts.
type Params map[string]any

// number returns a number, 0 when the rule does not say it.
func (p Params) number(name string) float64 {
	n, _ := p[name].(float64)
	return n
}

// millis returns a number of milliseconds.
func (p Params) millis(name string) time.Duration {
	return time.Duration(p.number(name) * float64(time.Millisecond))
}

func (p Params) has(name string) bool { _, ok := p[name]; return ok }

func (p Params) text(name string) string {
	s, _ := p[name].(string)
	return s
}

// maxParam is how long a text of a rule may be, in bytes.
const maxParam = 4096

// complete brings the params to the form they are kept in and reports the first
// that is wrong: numbers as float64, texts trimmed, nothing that the kind does
// not know, nothing that says nothing.
func (k *Kind) complete(given Params) (Params, error) {
	kept := Params{}
	for name := range given {
		if !slices.ContainsFunc(k.Params, func(p Param) bool { return p.Name == name }) {
			return nil, badParam(name, "rules of kind %s have no parameter %q", k.Name, name)
		}
	}
	for _, p := range k.Params {
		value, err := p.read(given[p.Name])
		if err != nil {
			return nil, err
		}
		if value != nil {
			kept[p.Name] = value
		} else if !p.Optional {
			return nil, badParam(p.Name, "%s is missing", p.Name)
		}
	}
	if k.check != nil {
		return kept, k.check(kept)
	}
	return kept, nil
}

// read returns the value as it is kept, nil for none.
func (p *Param) read(value any) (any, error) {
	switch p.Type {
	case Number, View:
		var n float64
		switch v := value.(type) {
		case nil:
			return nil, nil
		case float64:
			n = v
		case int:
			n = float64(v)
		default:
			return nil, badParam(p.Name, "%s must be a number", p.Name)
		}
		switch {
		case math.IsNaN(n) || math.IsInf(n, 0) || p.Whole && n != math.Trunc(n):
			return nil, badParam(p.Name, "%s must be a whole number", p.Name)
		case n < p.Min:
			return nil, badParam(p.Name, "%s must be at least %s, not %s", p.Name, plain(p.Min), plain(n))
		case p.Max != 0 && n > p.Max:
			return nil, badParam(p.Name, "%s must be at most %s, not %s", p.Name, plain(p.Max), plain(n))
		}
		return n, nil
	}
	text, ok := value.(string)
	if value != nil && !ok {
		return nil, badParam(p.Name, "%s must be a text", p.Name)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, nil
	case len(text) > maxParam:
		return nil, badParam(p.Name, "%s has more than %d bytes", p.Name, maxParam)
	case p.Type == Choice && !slices.Contains(p.Choices, text):
		return nil, badParam(p.Name, "%s must be one of %s, not %q", p.Name, strings.Join(p.Choices, ", "), text)
	case p.Type == Pattern:
		if _, err := regexp.Compile(text); err != nil {
			return nil, badParam(p.Name, "%s: %v", p.Name, err)
		}
	}
	return text, nil
}

func badParam(name, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithField("params." + name)
}

// plain writes a number without an exponent and without digits it has not.
func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// Kinds returns all kinds in the order forms show them.
func Kinds() []*Kind { return slices.Clone(kinds) }

// kindOf returns the kind of that name, nil when there is none.
func kindOf(name string) *Kind {
	if i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i]
	}
	return nil
}

// search is what a pass asks a kind: what rules of it count of what arrived in
// (After, Until].
type search struct {
	Rules        []*Rule // at least one
	After, Until time.Time
	// Newest says that of more than Limit the newest are wanted: they are looked at
	// again.
	Newest bool
	Limit  int
	// past says that a trial asks about days gone by: all of them, and none again.
	past bool
}

// projects returns the projects of the rules, each once.
func (s *search) projects() []project.ID {
	ids := map[project.ID]bool{}
	for _, r := range s.Rules {
		ids[r.Project] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// hit is a match and when it arrived.
type hit struct {
	Match
	arrived time.Time
}

// results are what a search found.
type results struct {
	hits   map[int64][]hit // by rule
	failed map[int64]error // rules that cannot be evaluated for a reason of their own
	// reached is how far the search came when Limit stopped it, zero for the end.
	reached time.Time
	// idle says that there was nothing to evaluate yet, for rules that go well and
	// for those that fail.
	idle bool
}

func (r *results) add(rule int64, h hit) {
	if r.hits == nil {
		r.hits = map[int64][]hit{}
	}
	r.hits[rule] = append(r.hits[rule], h)
}

// unknownKind is the fault of a rule whose kind there is not.
func unknownKind(name string) error {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return fault.New(fault.Invalid, "kind %q is unknown: it must be one of %s", name, strings.Join(names, ", ")).WithField("kind")
}

// Condition is what a rule counts, in the words of its alarm: "SQL Response time >= 8000 ms".
type Condition struct {
	Measure   string  `json:"measure"` // what is measured or happens
	Op        string  `json:"op"`      // >=, <=, "" for what has no limit
	Threshold float64 `json:"threshold"`
	Unit      string  `json:"unit"` // ms, %, "" for a plain number
}

// String implements fmt.Stringer.
func (c Condition) String() string {
	if c.Op == "" {
		return c.Measure
	}
	return c.Measure + " " + c.Op + " " + c.Value(c.Threshold)
}

// Value writes a value with the unit, with at most two digits behind the point.
func (c Condition) Value(v float64) string {
	text := plain(math.Round(v*100) / 100)
	switch c.Unit {
	case "":
		return text
	case "%":
		return text + "%"
	default:
		return text + " " + c.Unit
	}
}
