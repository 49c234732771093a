package trace

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"` // "" on the last page
}

// Order is the order of a list of transactions.
type Order string

// The orders; both descending.
const (
	Newest  Order = "newest"  // by the time they ended
	Slowest Order = "slowest" // by elapsed time
)

// Limits of a page of transactions.
const (
	defaultPage = 50
	maxPage     = 500
)

// TransactionQuery selects transactions; a zero field selects all.
type TransactionQuery struct {
	Service, Environment, Endpoint, Instance string
	From, To                                 time.Time // by the time they ended; To is exclusive
	MinElapsed, MaxElapsed                   time.Duration
	ErrorsOnly                               bool
	Search                                   string // in the language of package search, with searchFields
	Order                                    Order  // default Newest
	Cursor                                   string // of the page before, with all else unchanged
	Limit                                    int    // default 50, at most 500
}

// transactionCursor is the last row of a page.
type transactionCursor struct {
	Order   Order  `json:"o"`
	Elapsed uint64 `json:"d"`
	Ended   int64  `json:"e"` // unix ns
	Trace   string `json:"t"`
	Span    uint64 `json:"s"`
}

func (c transactionCursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and integers
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(text string, order Order) (c transactionCursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err == nil {
		_, err = ParseTraceID(c.Trace)
	}
	if err != nil || c.Order != order {
		return c, fault.New(fault.Invalid, "the cursor does not belong to this list: start again without one").WithField("cursor")
	}
	return c, nil
}

// The time range of a query without one: what DateTime64(9) holds.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (q *TransactionQuery) check() error {
	switch {
	case q.Order == "":
		q.Order = Newest
	case q.Order != Newest && q.Order != Slowest:
		return fault.New(fault.Invalid, "order %q is neither newest nor slowest", q.Order).WithField("order")
	}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	if q.Limit < 0 || q.Limit > maxPage {
		return fault.New(fault.Invalid, "limit %d is not between 1 and %d", q.Limit, maxPage).WithField("limit")
	}
	if q.To.IsZero() {
		q.To = latest
	}
	if q.From.Before(earliest) {
		q.From = earliest
	}
	if !q.From.Before(q.To) {
		return fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	return nil
}

// filter returns what a WHERE on transactions needs so that it admits what q,
// checked, selects.
func (s *Store) filter(ctx context.Context, p project.ID, q *TransactionQuery) (string, []clickhouse.Param, error) {
	found, err := newSearchFilter(q.Search)
	if err != nil || found.sql == "" {
		return transactionFilter, q.params(), err
	}
	var longest []struct {
		Elapsed uint64 `ch:"longest"`
	}
	// Of all that the project has: to look only among those selected would read them twice.
	err = s.db.Select(ctx, p, &longest, `SELECT max(duration_max) AS longest FROM service_hour
		WHERE project_id = {project:UInt32} AND hour < {to:DateTime64(9)}`, clickhouse.P("to", q.To.UTC()))
	if err != nil {
		return "", nil, fmt.Errorf("find the longest transaction: %w", err)
	}
	low := q.From.Add(-time.Duration(min(longest[0].Elapsed, math.MaxInt64)))
	if low.Before(earliest) {
		low = earliest
	}
	return transactionFilter + "\n\tAND " + found.sql, slices.Concat(q.params(), lowParams(low), found.params), nil
}

const transactionFilter = `project_id = {project:UInt32} AND ended >= {from:DateTime64(9)} AND ended < {to:DateTime64(9)}
	AND ({service:String} = '' OR service = {service:String})
	AND ({environment:String} = '' OR environment = {environment:String})
	AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
	AND ({instance:String} = '' OR instance = {instance:String})
	AND elapsed >= {min_elapsed:UInt64} AND ({max_elapsed:UInt64} = 0 OR elapsed <= {max_elapsed:UInt64})
	AND (NOT {errors:Bool} OR error)`

func (q *TransactionQuery) params() []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()), clickhouse.P("service", q.Service),
		clickhouse.P("environment", q.Environment), clickhouse.P("endpoint", q.Endpoint), clickhouse.P("instance", q.Instance),
		clickhouse.P("min_elapsed", uint64(max(q.MinElapsed, 0))), clickhouse.P("max_elapsed", uint64(max(q.MaxElapsed, 0))),
		clickhouse.P("errors", q.ErrorsOnly),
	}
}

type transactionRow struct {
	Ended         time.Time `ch:"ended"`
	Elapsed       uint64    `ch:"elapsed"`
	Error         bool      `ch:"error"`
	Service       string    `ch:"service"`
	Environment   string    `ch:"environment"`
	Endpoint      string    `ch:"endpoint"`
	Instance      string    `ch:"instance"`
	Version       string    `ch:"version"`
	TraceID       string    `ch:"trace_id"`
	SpanID        uint64    `ch:"span_id"`
	HTTPStatus    uint16    `ch:"http_status"`
	ExceptionType string    `ch:"exception_type"`
}

func (r *transactionRow) transaction() Transaction {
	t := Transaction{
		SpanID: SpanID(r.SpanID), Service: r.Service, Environment: r.Environment, Endpoint: r.Endpoint, Instance: r.Instance,
		Version: r.Version, Start: r.Ended.Add(-time.Duration(r.Elapsed)).UTC(), ElapsedNs: int64(r.Elapsed), Error: r.Error,
		HTTPStatus: int(r.HTTPStatus), Exception: r.ExceptionType,
	}
	copy(t.TraceID[:], r.TraceID)
	return t
}

// Transactions lists transactions page by page. Pages are stable: what arrives
// meanwhile neither repeats nor hides a row of a later page.
func (s *Store) Transactions(ctx context.Context, p project.ID, q TransactionQuery) (Page[Transaction], error) {
	page := Page[Transaction]{Items: []Transaction{}}
	if err := q.check(); err != nil {
		return page, err
	}
	where, params, err := s.filter(ctx, p, &q)
	if err != nil {
		return page, err
	}
	if q.Cursor != "" {
		c, err := decodeCursor(q.Cursor, q.Order)
		if err != nil {
			return page, err
		}
		where += " AND " + q.Order.behind()
		if q.Order == Newest {
			q.To = time.Unix(0, c.Ended+1)
		}
		params = append(params, clickhouse.P("c_ended", time.Unix(0, c.Ended).UTC()), clickhouse.P("c_trace", c.Trace),
			clickhouse.P("c_span", c.Span), clickhouse.P("c_elapsed", c.Elapsed))
	}
	var rows []transactionRow
	switch {
	case q.Order == Slowest:
		rows, err = s.slowest(ctx, p, where, params, q.Limit+1)
	case q.Search == "":
		rows, err = s.newestBackwards(ctx, p, &q, where, params, q.Limit+1)
	default: // looks among spans first, which takes long and is not done for one stretch of time after the other
		rows, err = s.newest(ctx, p, where, params, q.Limit+1)
	}
	if err != nil {
		return page, fmt.Errorf("list transactions: %w", err)
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		last := rows[len(rows)-1]
		page.NextCursor = transactionCursor{
			Order: q.Order, Elapsed: last.Elapsed, Ended: last.Ended.UnixNano(), Trace: hex.EncodeToString([]byte(last.TraceID)), Span: last.SpanID,
		}.encode()
	}
	for i := range rows {
		page.Items = append(page.Items, rows[i].transaction())
	}
	if err := s.addSums(ctx, p, page.Items); err != nil {
		return page, fmt.Errorf("sum transactions: %w", err)
	}
	return page, nil
}

// behind is the condition on the rows behind a cursor.
func (o Order) behind() string {
	if o == Slowest {
		return `(elapsed, ended, trace_id, span_id) < ({c_elapsed:UInt64}, {c_ended:DateTime64(9)}, toFixedString(unhex({c_trace:String}), 16), {c_span:UInt64})`
	}
	return `ended <= {c_ended:DateTime64(9)} AND (ended, trace_id, span_id) < ({c_ended:DateTime64(9)}, toFixedString(unhex({c_trace:String}), 16), {c_span:UInt64})`
}

const transactionColumns = `ended, elapsed, error, service, environment, endpoint, instance, version, trace_id, span_id, http_status, exception_type`

// slowest reads the n slowest transactions, or fewer when there are no more.
func (s *Store) slowest(ctx context.Context, p project.ID, where string, params []clickhouse.Param, n int) (rows []transactionRow, err error) {
	err = s.db.Select(ctx, p, &rows, `SELECT `+transactionColumns+` FROM transactions WHERE `+where+`
		ORDER BY elapsed DESC, ended DESC, trace_id DESC, span_id DESC LIMIT 1 BY trace_id, span_id LIMIT {limit:UInt32}`,
		append(params[:len(params):len(params)], clickhouse.P("limit", n))...)
	return rows, err
}

// countExactly is up to how many transactions one that was delivered twice is
// counted once: to tell them apart costs more than the rest of the list.
const countExactly = 100_000

// CountTransactions returns how many transactions q selects; its order, cursor
// and limit do not matter. Above 100,000 what was delivered twice may count twice.
func (s *Store) CountTransactions(ctx context.Context, p project.ID, q TransactionQuery) (uint64, error) {
	if err := q.check(); err != nil {
		return 0, err
	}
	where, params, err := s.filter(ctx, p, &q)
	if err != nil {
		return 0, err
	}
	var total []struct {
		All      uint64 `ch:"n"`
		Distinct uint64 `ch:"d"`
	}
	err = s.db.Select(ctx, p, &total, `SELECT count() AS n, uniqExactIf(ended, span_id, within) AS d FROM (
		SELECT ended, span_id, rowNumberInAllBlocks() < {exactly:UInt64} AS within FROM transactions WHERE `+where+`)`,
		append(params[:len(params):len(params)], clickhouse.P("exactly", uint64(countExactly)))...)
	if err != nil {
		return 0, fmt.Errorf("count transactions: %w", err)
	}
	if total[0].All > countExactly {
		return total[0].All, nil
	}
	return total[0].Distinct, nil
}
