package rule

import (
	"context"
	"regexp"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// notable finds the notable spans that rules count, by what counts asks of each.
// first may do something with all of them before that.
func notable(what trace.NotableWhat, counts func(r *Rule) func(n *trace.Notable) (Match, bool)) func(context.Context, *Sources, search) (results, error) {
	return func(ctx context.Context, src *Sources, ask search) (results, error) {
		spans, reached, err := readNotable(ctx, src, ask, what)
		if err != nil {
			return results{}, err
		}
		found := results{reached: reached}
		countNotable(ask.Rules, spans, counts, &found)
		return found, nil
	}
}

// readNotable reads notable spans, and how far it came when the limit stopped it.
func readNotable(ctx context.Context, src *Sources, ask search, what trace.NotableWhat) (spans []trace.Notable, reached time.Time, err error) {
	spans, err = src.Traces.Notable(ctx, ask.arrivals(), what)
	if err == nil && len(spans) >= ask.Limit && !ask.Newest {
		reached = spans[len(spans)-1].Arrived
	}
	return spans, reached, err
}

func countNotable(rules []*Rule, spans []trace.Notable, counts func(r *Rule) func(n *trace.Notable) (Match, bool), found *results) {
	for _, r := range rules {
		count := counts(r)
		for i := range spans {
			n := &spans[i]
			if n.Project != r.Project || !r.covers(n.Service, n.Environment) {
				continue
			}
			if m, ok := count(n); ok {
				found.add(r.ID, hit{m, n.Arrived})
			}
		}
	}
}

// arrivals is the search as a read of package trace.
func (s *search) arrivals() trace.Arrivals {
	return trace.Arrivals{Projects: s.projects(), After: s.After, Until: s.Until, Newest: s.Newest, Limit: s.Limit}
}

// matchOfSpan is a notable span as a match of a subject.
func matchOfSpan(n *trace.Notable, subject string) Match {
	return Match{
		TraceID: n.TraceID, SpanID: n.SpanID, Service: n.Service, Environment: n.Environment, Subject: subject, Instance: n.Instance,
		Start: n.Start, DurationNs: n.DurationNs, Value: float64(n.DurationNs) / 1e6, Counts: true,
	}
}

// compiled returns a pattern of a rule, nil for none. It was checked when the rule was kept.
func compiled(r *Rule, param string) *regexp.Regexp {
	if !r.Params.has(param) {
		return nil
	}
	re, err := regexp.Compile(r.Params.text(param))
	if err != nil {
		return regexp.MustCompile(`a\A`) // matches nothing
	}
	return re
}
