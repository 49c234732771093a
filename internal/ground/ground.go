// Package ground holds what is known for certain about a case, as numbered
// facts, and checks a text against it: whatever number, table or address a text
// names must stand in the facts.
//
// It owns the facts' form, how a model reads them, and the check. It does not
// collect facts (package evidence) and does not write about them (package
// report). It talks to nobody.
package ground

import (
	"strconv"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// The kinds of facts.
const (
	Alarm       = "alarm"       // what fired: rule, threshold, count, window, instances
	Transaction = "transaction" // one whole request: endpoint, instance, elapsed, SQL time
	Step        = "step"        // one step of a transaction's profile that is neither of the below
	Statement   = "statement"   // a SQL statement a step ran: operation, tables, elapsed
	Call        = "call"        // a call to another service or an external API
	Wait        = "wait"        // time in which nothing recorded ran: a gap, a connection wait
	Exception   = "exception"   // an exception thrown in a step
	Cause       = "cause"       // a service that may be why, and how it deviates from what is usual
	Comparison  = "comparison"  // the same transaction's usual profile beside this one
	Difference  = "difference"  // an attribute that transactions of the alarm have more often than others
	Log         = "log"         // a log pattern that is new or surged
	Change      = "change"      // a version that began
	Past        = "past"        // an earlier incident of the same shape, and how it ended
	Finding     = "finding"     // what a question of the investigator brought to light that is none of the above
	Note        = "note"        // what was cut or could not be read
)

// Deviates is the name of the value of a Finding, or of any other fact that was
// asked for, which says that what it tells of is unlike the time before: how many
// times as much, as a ratio, or "new".
const Deviates = "deviates"

// Value is one named value of a fact, for code rather than for the model.
// Numbers are written in decimal with a point, without separators.
type Value struct {
	Name  string     `json:"name"`
	Value string     `json:"value"`
	Unit  string     `json:"unit,omitempty"`  // ms, s, min, percent, ratio, rows, bytes, count; "" for text
	Class mask.Class `json:"class,omitempty"` // "" when it may leave the house
}

// Fact is one numbered statement about the case. Text is one English line, the
// form in which a model reads it; everything in it that came from the monitored
// programs (SQL, messages, names) is untrusted.
type Fact struct {
	ID      string  `json:"id"` // "E1", "E2", … dense in the bundle's order
	Kind    string  `json:"kind"`
	Text    string  `json:"text"`
	TraceID string  `json:"trace_id,omitempty"` // 32 hex
	SpanID  string  `json:"span_id,omitempty"`  // 16 hex
	Step    int     `json:"step,omitempty"`     // number of the step in the profile, from 1
	Partial bool    `json:"partial,omitempty"`  // of a transaction: the span with which it began has not arrived
	Values  []Value `json:"values,omitempty"`
	// Link is where the UI shows the data of the fact, with its filter and its time
	// range: a path below the UI's root, "" when there is nothing to show. No model
	// reads it.
	Link string `json:"link,omitempty"`
	// Asked is the question of a model that the fact answers, the name of a tool and
	// its arguments; "" for a fact that code looked for by itself. It is untrusted,
	// and no part of Prompt.
	Asked string `json:"asked,omitempty" doc:"question of the investigator that it answers, empty for what code found by itself"`
}

// Bundle is the evidence of one case.
type Bundle struct {
	Title string `json:"title"` // one line: the alarm's condition and the application
	Facts []Fact `json:"facts"`
}

// Get returns the first value of that name, "" when the fact has none.
func (f Fact) Get(name string) string {
	for _, v := range f.Values {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// All returns every value of that name in order.
func (f Fact) All(name string) []string {
	var all []string
	for _, v := range f.Values {
		if v.Name == name {
			all = append(all, v.Value)
		}
	}
	return all
}

// Fact returns the fact with that id.
func (b *Bundle) Fact(id string) (Fact, bool) {
	for _, f := range b.Facts {
		if f.ID == id {
			return f, true
		}
	}
	return Fact{}, false
}

// Append adds facts, numbered on from those that are there.
func (b *Bundle) Append(facts ...Fact) {
	for _, f := range facts {
		f.ID = "E" + strconv.Itoa(len(b.Facts)+1)
		b.Facts = append(b.Facts, f)
	}
}

// Unasked returns the bundle without the facts that a model asked for: which of
// them there are was its choice.
func (b *Bundle) Unasked() *Bundle {
	out := &Bundle{Title: b.Title}
	for _, f := range b.Facts {
		if f.Asked == "" {
			out.Facts = append(out.Facts, f)
		}
	}
	return out
}
