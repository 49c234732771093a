package metric

import (
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Within returns a query that reads only series whose label has one of the values
// (all series without any values), and no further back than longest: every
// selector gets the condition beside its own, and what moves a selector in time
// is refused. The error is fault.Invalid and says what to leave out.
func (e *Engine) Within(query, label string, values []string, longest time.Duration) (string, error) {
	expr, err := e.parser.ParseExpr(query)
	if err != nil {
		return "", unparsed(err)
	}
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = regexp.QuoteMeta(v)
	}
	only, err := labels.NewMatcher(labels.MatchRegexp, label, strings.Join(escaped, "|"))
	if err != nil {
		return "", unparsed(err)
	}
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField("query")
	}
	var back time.Duration // of ranges within ranges, at most
	err = inspect(expr, func(node parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if n.OriginalOffset != 0 || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 {
				return refuse("offset and @ are not for this query: its time is given")
			}
			if len(values) > 0 {
				n.LabelMatchers = append(n.LabelMatchers, only)
			}
		case *parser.MatrixSelector:
			back += n.Range
			if n.RangeExpr != nil {
				return refuse("write the range as a plain duration")
			}
		case *parser.SubqueryExpr:
			back += n.Range
			if n.OriginalOffset != 0 || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 || n.RangeExpr != nil || n.StepExpr != nil {
				return refuse("offset and @ are not for this query: its time is given")
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case back > longest:
		return "", refuse("the ranges of the query are over %s together", longest)
	}
	return expr.String(), nil
}

// inspect visits all parts of a query until visit fails.
func inspect(expr parser.Expr, visit func(parser.Node) error) (err error) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if err == nil && node != nil {
			err = visit(node)
		}
		return err
	})
	return err
}
