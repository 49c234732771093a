package rule

import (
	"github.com/matrix-aiops/matrix/internal/trace"
)

// exception counts exceptions of a type, or whose message says something. Each
// type is a subject of its own.
var exception = &Kind{
	Name: "exception", Group: "calls", Scoped: true,
	Params: []Param{
		{Name: "type", Type: Pattern, Optional: true},
		{Name: "message", Type: Pattern, Optional: true},
	},
	Count: 5, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		c := Condition{Measure: "Exception"}
		if r.Params.has("type") {
			c.Measure += " " + r.Params.text("type")
		}
		if r.Params.has("message") {
			c.Measure += " with the message " + r.Params.text("message")
		}
		return c
	},
	find: notable(trace.WithExceptions, func(r *Rule) func(*trace.Notable) (Match, bool) {
		kind, message := compiled(r, "type"), compiled(r, "message")
		return func(n *trace.Notable) (Match, bool) {
			m := matchOfSpan(n, n.ExceptionType)
			return m, (kind == nil || kind.MatchString(n.ExceptionType)) && (message == nil || message.MatchString(n.ExceptionMessage))
		}
	}),
}
