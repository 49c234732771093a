package trace

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

// Columns is an open block of spans: rows of many requests in the form in which
// the engine takes them. It implements clickhouse.Columns and is not safe for
// concurrent use.
//
// One request is Begin, then for each of its resources SetResource and Append
// per span, then Commit, or Rollback to leave no trace of it.
type Columns struct {
	otel.Origin
	catalog *Catalog

	traceID    proto.ColFixedStr16
	spanID     proto.ColUInt64
	parentID   proto.ColUInt64
	kind       proto.ColUInt8
	entry      proto.ColBool
	status     proto.ColUInt8
	start      proto.ColDateTime64
	duration   proto.ColUInt64
	httpStatus proto.ColUInt16
	dbHash     proto.ColUInt64
	dbRows     proto.ColUInt64

	scope, name, operation          *column.LowCard
	httpMethod, httpRoute           *column.LowCard
	rpc, messaging, peer            *column.LowCard
	dbSystem, dbName, dbOperation   *column.LowCard
	exceptionType                   *column.LowCard
	statusMessage, url, dbStatement column.Text
	exceptionMessage, events, links column.Text
	attrKeys                        *column.Array[*column.LowCard]
	attrValues                      *column.Array[*column.Text]
	texts                           []column.Markable // all of the above

	input proto.Input

	statements PendingStatements // of the request being appended
}

// NewColumns returns an empty block. Blocks of one process share a catalog.
func NewColumns(catalog *Catalog) *Columns {
	c := &Columns{Origin: otel.NewOrigin(catalog.resources), catalog: catalog}
	c.start = *new(proto.ColDateTime64).WithPrecision(proto.PrecisionNano)
	c.attrKeys, c.attrValues = column.NewLowCards(), column.NewTexts()
	c.texts = []column.Markable{
		&c.statusMessage, &c.url, &c.dbStatement, &c.exceptionMessage, &c.events, &c.links, c.attrKeys, c.attrValues,
	}
	for _, p := range []**column.LowCard{
		&c.scope, &c.name, &c.operation, &c.httpMethod, &c.httpRoute,
		&c.rpc, &c.messaging, &c.peer, &c.dbSystem, &c.dbName, &c.dbOperation, &c.exceptionType,
	} {
		*p = column.NewLowCard()
		c.texts = append(c.texts, *p)
	}
	c.input = append(c.Origin.Input(), proto.Input{
		{Name: "trace_id", Data: &c.traceID}, {Name: "span_id", Data: &c.spanID}, {Name: "parent_id", Data: &c.parentID},
		{Name: "scope", Data: c.scope},
		{Name: "name", Data: c.name}, {Name: "operation", Data: c.operation},
		{Name: "kind", Data: &c.kind}, {Name: "entry", Data: &c.entry}, {Name: "status", Data: &c.status},
		{Name: "status_message", Data: &c.statusMessage}, {Name: "start", Data: &c.start}, {Name: "duration", Data: &c.duration},
		{Name: "http_method", Data: c.httpMethod}, {Name: "http_route", Data: c.httpRoute}, {Name: "http_status", Data: &c.httpStatus},
		{Name: "url", Data: &c.url}, {Name: "rpc", Data: c.rpc}, {Name: "messaging", Data: c.messaging},
		{Name: "db_system", Data: c.dbSystem}, {Name: "db_name", Data: c.dbName}, {Name: "db_operation", Data: c.dbOperation},
		{Name: "db_statement", Data: &c.dbStatement}, {Name: "db_hash", Data: &c.dbHash}, {Name: "db_rows", Data: &c.dbRows},
		{Name: "peer", Data: c.peer}, {Name: "exception_type", Data: c.exceptionType},
		{Name: "exception_message", Data: &c.exceptionMessage}, {Name: "attr_keys", Data: c.attrKeys},
		{Name: "attr_values", Data: c.attrValues}, {Name: "events", Data: &c.events}, {Name: "links", Data: &c.links},
	}...)
	return c
}

// Begin opens a request of a project, whose spans are kept for retentionDays.
func (c *Columns) Begin(p project.ID, retentionDays uint16, now time.Time) {
	c.Origin.Begin(p, retentionDays, now)
	c.statements = catalog.NewPending[statementKey, sqltext.Statement](now, retentionDays)
	for _, t := range c.texts {
		t.Mark()
	}
}

// Append adds a span to the request.
func (c *Columns) Append(row *Row) {
	row.settle()
	c.Origin.Append(row.Dropped)
	c.traceID = append(c.traceID, row.TraceID)
	c.spanID = append(c.spanID, uint64(row.SpanID))
	c.parentID = append(c.parentID, uint64(row.ParentID))
	c.kind = append(c.kind, row.Kind)
	c.entry = append(c.entry, row.Entry())
	c.status = append(c.status, row.Status)
	c.start.Data = append(c.start.Data, proto.DateTime64(row.Start))
	c.duration = append(c.duration, row.Duration)
	c.statusMessage.Append(row.clean(row.StatusMessage, otel.MaxValueLength))
	c.scope.Append(row.clean(row.Scope, otel.MaxNameLength))

	name, rpc := row.clean(row.Name, otel.MaxNameLength), row.rpc()
	method, route := row.text(fieldHTTPMethod, otel.MaxNameLength), row.text(fieldHTTPRoute, otel.MaxNameLength)
	c.name.Append(name)
	c.operation.Append(row.operation(name, method, route, rpc))
	c.httpMethod.Append(method)
	c.httpRoute.Append(route)
	c.httpStatus = append(c.httpStatus, uint16(row.integer(fieldHTTPStatus)))
	c.url.Append(row.url())
	c.rpc.Append(rpc)
	c.messaging.Append(row.text(fieldDestination, otel.MaxNameLength))
	c.peer.Append(row.peer())
	c.appendDB(row)

	c.exceptionType.Append(row.clean(row.exceptionType, otel.MaxNameLength))
	c.exceptionMessage.Append(row.clean(row.exceptionMessage, otel.MaxValueLength))
	for i := range row.attrs {
		c.attrKeys.Data.Append(row.attrs[i].Key)
		c.attrValues.Data.Append(row.attrs[i].Value)
	}
	c.attrKeys.Close()
	c.attrValues.Close()
	c.events.Append(row.events.buf)
	c.links.Append(row.links.buf)
}

func (c *Columns) appendDB(row *Row) {
	system, statement := row.text(fieldDBSystem, otel.MaxNameLength), row.statement()
	c.dbSystem.Append(system)
	c.dbName.Append(row.text(fieldDBName, otel.MaxNameLength))
	c.dbRows = append(c.dbRows, row.integer(fieldDBRows))
	c.dbStatement.Append(statement)
	operation := row.text(fieldDBOperation, otel.MaxNameLength)
	var hash uint64
	if len(statement) > 0 {
		s := c.catalog.statement(c.Project(), system, statement)
		if e := s.entry; e != nil {
			hash = e.Key.hash
			c.statements.Need(e)
		}
		if len(operation) == 0 {
			operation = []byte(s.operation)
		}
	}
	c.dbOperation.Append(operation)
	c.dbHash = append(c.dbHash, hash)
}

// Commit ends the request and returns the rows its spans point at that still
// have to be stored, nil when there are none.
func (c *Columns) Commit() *Pending {
	p := Pending{Resources: c.Origin.Commit(), Statements: c.statements}
	c.statements = PendingStatements{}
	if len(p.Resources.Entries()) == 0 && len(p.Statements.Entries()) == 0 {
		return nil
	}
	return &p
}

// Rollback ends the request and leaves none of its rows.
func (c *Columns) Rollback() {
	n := c.Begun()
	c.traceID, c.spanID, c.parentID = c.traceID[:n], c.spanID[:n], c.parentID[:n]
	c.kind, c.entry, c.status = c.kind[:n], c.entry[:n], c.status[:n]
	c.start.Data, c.duration, c.httpStatus = c.start.Data[:n], c.duration[:n], c.httpStatus[:n]
	c.dbHash, c.dbRows = c.dbHash[:n], c.dbRows[:n]
	for _, t := range c.texts {
		t.Rollback()
	}
	c.statements = PendingStatements{}
	c.Origin.Rollback()
}

// maxEndpointHops is how far up a span's parents its entry span is looked for.
const maxEndpointHops = 256

// Endpoints returns for each of the spans, which the request being appended
// holds, the operation of the entry span above it; "" where that is not part of
// the request. Call it before Commit.
func (c *Columns) Endpoints(spans []SpanID) []string {
	rows := make(map[SpanID]int, c.Rows()-c.Begun())
	for row := c.Begun(); row < c.Rows(); row++ {
		rows[SpanID(c.spanID[row])] = row
	}
	names := map[int]string{} // by row: many errors have one entry span
	out := make([]string, len(spans))
	for i, span := range spans {
		row, ok := rows[span]
		for hops := 0; ok && !c.entry[row] && hops < maxEndpointHops; hops++ {
			row, ok = rows[SpanID(c.parentID[row])]
		}
		if !ok || !c.entry[row] {
			continue
		}
		name, known := names[row]
		if !known {
			name = string(c.operation.Value(row))
			names[row] = name
		}
		out[i] = name
	}
	return out
}

// fixedBytes is what the columns of numbers and ids hold of one row.
const fixedBytes = 69

// Bytes implements clickhouse.Columns.
func (c *Columns) Bytes() int {
	n := c.Origin.Bytes() + fixedBytes*c.Rows()
	for _, t := range c.texts {
		n += t.Bytes()
	}
	return n
}

// Reset implements clickhouse.Columns.
func (c *Columns) Reset() {
	c.Origin.Reset()
	for _, col := range []proto.Resettable{
		&c.traceID, &c.spanID, &c.parentID, &c.kind, &c.entry, &c.status,
		&c.start, &c.duration, &c.httpStatus, &c.dbHash, &c.dbRows,
	} {
		col.Reset()
	}
	for _, t := range c.texts {
		t.Reset()
	}
}

// Table implements clickhouse.Columns.
func (c *Columns) Table() string { return "spans" }

// Input implements clickhouse.Columns.
func (c *Columns) Input() proto.Input { return c.input }
