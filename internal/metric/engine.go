package metric

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// What one query may cost beside what it reads.
const (
	maxPoints = 10_000_000 // samples in memory at once, as Prometheus counts them: 16 bytes each
	maxSteps  = 11_000     // points of a series of a range query, as in Prometheus
	queryTime = 25 * time.Second
)

// Engine answers PromQL over a Store: it is Prometheus' own engine, with the
// defaults of Prometheus. It is safe for concurrent use.
type Engine struct {
	store  *Store
	engine *promql.Engine
	parser parser.Parser
}

// NewEngine returns an Engine over store.
func NewEngine(store *Store, log *slog.Logger) *Engine {
	p := parser.NewParser(parser.Options{})
	return &Engine{store: store, parser: p, engine: promql.NewEngine(promql.EngineOpts{
		Logger: log, MaxSamples: maxPoints, Timeout: queryTime, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() }, // Prometheus' evaluation interval
		Parser:                   p,
	})}
}

// Answer is what a query yields. Release gives its memory back; the Value must
// not be used after that.
type Answer struct {
	Value parser.Value // promql.Vector, Matrix, Scalar or String
	// Warnings and Infos are remarks on the query, with the place in its text.
	Warnings, Infos []string
	Release         func()
}

// Truncate leaves the first limit series of the answer, 0 all, and reports
// whether it took any away.
func (a *Answer) Truncate(limit int) bool {
	switch v := a.Value.(type) {
	case promql.Vector:
		if limit > 0 && len(v) > limit {
			a.Value = v[:limit]
			return true
		}
	case promql.Matrix:
		if limit > 0 && len(v) > limit {
			a.Value = v[:limit]
			return true
		}
	}
	return false
}

// Queryable is Store.Queryable.
func (e *Engine) Queryable(p project.ID) storage.Queryable { return e.store.Queryable(p) }

// Metadata is Store.MetadataOf.
func (e *Engine) Metadata(ctx context.Context, p project.ID, metric string) ([]Metadata, error) {
	return e.store.MetadataOf(ctx, p, metric)
}

// Instant evaluates a query at one time. lookback is how old a sample may be, 0
// for Prometheus' 5 minutes. An error of the caller's making is fault.Invalid:
// of a query that cannot be parsed it says "line:column: parse error: …".
func (e *Engine) Instant(ctx context.Context, p project.ID, query string, at time.Time, lookback time.Duration) (*Answer, error) {
	q, err := e.engine.NewInstantQuery(ctx, e.store.withoutStarts(p), promql.NewPrometheusQueryOpts(false, lookback, nil), query, at)
	if err != nil {
		return nil, unparsed(err)
	}
	return run(ctx, query, q)
}

// Range evaluates a query at every step from from to to, as Instant does.
func (e *Engine) Range(ctx context.Context, p project.ID, query string, from, to time.Time, step, lookback time.Duration) (*Answer, error) {
	switch {
	case to.Before(from):
		return nil, fault.New(fault.Invalid, "end timestamp must not be before start time").WithField("end")
	case step <= 0:
		return nil, fault.New(fault.Invalid, "zero or negative query resolution step widths are not accepted. Try a positive integer").WithField("step")
	case to.Sub(from)/step > maxSteps:
		return nil, fault.New(fault.Invalid, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)").WithField("step")
	}
	q, err := e.engine.NewRangeQuery(ctx, e.store.withoutStarts(p), promql.NewPrometheusQueryOpts(false, lookback, nil), query, from, to, step)
	if err != nil {
		return nil, unparsed(err)
	}
	return run(ctx, query, q)
}

// Format returns a query the way Prometheus lays it out.
func (e *Engine) Format(query string) (string, error) {
	expr, err := e.parser.ParseExpr(query)
	if err != nil {
		return "", unparsed(err)
	}
	return expr.Pretty(0), nil
}

// Selector parses a series selector, like up{job="api"}.
func (e *Engine) Selector(selector string) ([]*labels.Matcher, error) {
	matchers, err := e.parser.ParseMetricSelector(selector)
	if err != nil {
		return nil, unparsed(err)
	}
	return matchers, nil
}

func unparsed(err error) error {
	return fault.New(fault.Invalid, "%s", err).WithField("query")
}

func run(ctx context.Context, query string, q promql.Query) (*Answer, error) {
	result := q.Exec(ctx)
	if result.Err != nil {
		q.Close()
		return nil, failed(ctx, result.Err)
	}
	answer := &Answer{Value: result.Value, Release: q.Close}
	answer.Warnings, answer.Infos = remarks(result.Warnings, query)
	return answer, nil
}

// maxRemarks is how many warnings, and how many infos, go with an answer.
const maxRemarks = 10

func remarks(a annotations.Annotations, query string) (warnings, infos []string) {
	return a.AsStrings(query, maxRemarks, maxRemarks)
}

// failed gives an error of the engine its kind.
func failed(ctx context.Context, err error) error {
	var (
		stored   promql.ErrStorage
		many     promql.ErrTooManySamples
		late     promql.ErrQueryTimeout
		canceled promql.ErrQueryCanceled
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &stored):
		return stored.Err
	case fault.As(err) != nil:
		return err
	case errors.As(err, &many):
		return fault.New(fault.Invalid, "the query needs more than %d samples in memory: narrow the time range, take a larger step, or select fewer series", maxPoints)
	case errors.As(err, &late):
		return fault.New(fault.Invalid, "the query took longer than %s: narrow the time range, take a larger step, or select fewer series", queryTime)
	case errors.As(err, &canceled):
		return context.Canceled
	}
	return fault.New(fault.Invalid, "%s", err) // as "many-to-many matching not allowed"
}

// Parses returns nil when a query is PromQL, otherwise a fault.Invalid that says
// "line:column: parse error: …".
func Parses(query string) error {
	if _, err := parser.NewParser(parser.Options{}).ParseExpr(query); err != nil {
		return unparsed(err)
	}
	return nil
}
