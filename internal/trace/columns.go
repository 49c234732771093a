package trace

import (
	"math"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/project"
)

// Columns is an open block of spans: rows of many requests in the form in which
// the engine takes them. It implements clickhouse.Columns and is not safe for
// concurrent use.
//
// One request is Begin, then for each of its resources SetResource and Append
// per span, then Commit, or Rollback to leave no trace of it.
type Columns struct {
	catalog *Catalog

	projectID  proto.ColUInt32
	retention  proto.ColUInt16
	traceID    proto.ColFixedStr16
	spanID     proto.ColUInt64
	parentID   proto.ColUInt64
	resourceID proto.ColUInt64
	kind       proto.ColUInt8
	entry      proto.ColBool
	status     proto.ColUInt8
	start      proto.ColDateTime64
	duration   proto.ColUInt64
	httpStatus proto.ColUInt16
	dbHash     proto.ColUInt64
	dbRows     proto.ColUInt64
	dropped    proto.ColUInt16

	service, environment, instance, version *lowCardColumn
	scope, name, operation                  *lowCardColumn
	httpMethod, httpRoute                   *lowCardColumn
	rpc, messaging, peer                    *lowCardColumn
	dbSystem, dbName, dbOperation           *lowCardColumn
	exceptionType                           *lowCardColumn
	lowCards                                []*lowCardColumn // all of the above

	statusMessage, url, dbStatement, exceptionMessage textColumn
	events, links                                     textColumn
	texts                                             []*textColumn // all of the above

	attrKeys   *arrayColumn[*lowCardColumn]
	attrValues *arrayColumn[*textColumn]

	input proto.Input

	// The request being appended.
	request struct {
		project       project.ID
		pending       Pending
		resource      uint64
		dropped       uint64 // attributes of the resource that limits cut
		service       uint32 // indexes into the dictionaries, found once per resource
		environment   uint32
		instance      uint32
		version       uint32
		rows          int // where it began
		attrs         int
		textEnds      []int
		attrValueEnd  int
		attrValueRows int
	}
}

// NewColumns returns an empty block. Blocks of one process share a catalog.
func NewColumns(catalog *Catalog) *Columns {
	c := &Columns{catalog: catalog}
	c.start = *new(proto.ColDateTime64).WithPrecision(proto.PrecisionNano)
	for _, p := range []**lowCardColumn{
		&c.service, &c.environment, &c.instance, &c.version, &c.scope, &c.name, &c.operation, &c.httpMethod, &c.httpRoute,
		&c.rpc, &c.messaging, &c.peer, &c.dbSystem, &c.dbName, &c.dbOperation, &c.exceptionType,
	} {
		*p = newLowCardColumn()
		c.lowCards = append(c.lowCards, *p)
	}
	c.texts = []*textColumn{&c.statusMessage, &c.url, &c.dbStatement, &c.exceptionMessage, &c.events, &c.links}
	c.request.textEnds = make([]int, len(c.texts))
	c.attrKeys = &arrayColumn[*lowCardColumn]{data: newLowCardColumn()}
	c.attrValues = &arrayColumn[*textColumn]{data: &textColumn{}}
	c.input = proto.Input{
		{Name: "project_id", Data: &c.projectID}, {Name: "retention_days", Data: &c.retention},
		{Name: "trace_id", Data: &c.traceID}, {Name: "span_id", Data: &c.spanID}, {Name: "parent_id", Data: &c.parentID},
		{Name: "service", Data: c.service}, {Name: "environment", Data: c.environment}, {Name: "instance", Data: c.instance},
		{Name: "version", Data: c.version}, {Name: "resource_id", Data: &c.resourceID}, {Name: "scope", Data: c.scope},
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
		{Name: "dropped", Data: &c.dropped},
	}
	return c
}

// Begin opens a request of a project, whose spans are kept for retentionDays.
func (c *Columns) Begin(p project.ID, retentionDays uint16, now time.Time) {
	r := &c.request
	r.project, r.resource, r.dropped = p, 0, 0
	r.service, r.environment, r.instance, r.version = 0, 0, 0, 0
	r.pending = Pending{day: now.Unix() / (24 * 60 * 60), retentionDays: retentionDays}
	r.rows, r.attrs = c.Rows(), c.attrKeys.data.Rows()
	for i, t := range c.texts {
		r.textEnds[i] = len(t.wire)
	}
	r.attrValueEnd, r.attrValueRows = len(c.attrValues.data.wire), c.attrValues.data.rows
}

// SetResource makes the resource read by b the one of the spans that follow.
// The id is the caller's hash of it.
func (c *Columns) SetResource(b *ResourceBuilder, id uint64) {
	r, res := &c.request, b.Resource(id)
	r.resource = res.ID
	r.service, r.environment = c.service.indexOf(res.Service), c.environment.indexOf(res.Environment)
	r.instance, r.version = c.instance.indexOf(res.Instance), c.version.indexOf(res.Version)
	r.dropped = b.Dropped
	if e := c.catalog.resource(r.project, id, b.attrs); e.stored.Load() != r.pending.stamp() {
		r.pending.add(e)
	}
}

// Append adds a span to the request.
func (c *Columns) Append(row *Row) {
	row.settle()
	r := &c.request
	c.projectID = append(c.projectID, uint32(r.project))
	c.retention = append(c.retention, r.pending.retentionDays)
	c.resourceID = append(c.resourceID, r.resource)
	c.service.keys = append(c.service.keys, r.service)
	c.environment.keys = append(c.environment.keys, r.environment)
	c.instance.keys = append(c.instance.keys, r.instance)
	c.version.keys = append(c.version.keys, r.version)

	c.traceID = append(c.traceID, row.TraceID)
	c.spanID = append(c.spanID, uint64(row.SpanID))
	c.parentID = append(c.parentID, uint64(row.ParentID))
	c.kind = append(c.kind, row.Kind)
	c.entry = append(c.entry, row.Entry())
	c.status = append(c.status, row.Status)
	c.start.Data = append(c.start.Data, proto.DateTime64(row.Start))
	c.duration = append(c.duration, row.Duration)
	c.statusMessage.append(row.clean(row.StatusMessage, MaxValueLength))
	c.scope.append(row.clean(row.Scope, MaxNameLength))

	name, rpc := row.clean(row.Name, MaxNameLength), row.rpc()
	method, route := row.text(fieldHTTPMethod, MaxNameLength), row.text(fieldHTTPRoute, MaxNameLength)
	c.name.append(name)
	c.operation.append(row.operation(name, method, route, rpc))
	c.httpMethod.append(method)
	c.httpRoute.append(route)
	c.httpStatus = append(c.httpStatus, uint16(row.integer(fieldHTTPStatus)))
	c.url.append(row.url())
	c.rpc.append(rpc)
	c.messaging.append(row.text(fieldDestination, MaxNameLength))
	c.peer.append(row.peer())
	c.appendDB(row)

	c.exceptionType.append(row.clean(row.exceptionType, MaxNameLength))
	c.exceptionMessage.append(row.clean(row.exceptionMessage, MaxValueLength))
	for i := range row.attrs {
		c.attrKeys.data.append(row.attrs[i].key)
		c.attrValues.data.append(row.attrs[i].value)
	}
	c.attrKeys.close()
	c.attrValues.close()
	c.events.append(row.events.buf)
	c.links.append(row.links.buf)
	c.dropped = append(c.dropped, uint16(min(row.Dropped+r.dropped, math.MaxUint16)))
}

func (c *Columns) appendDB(row *Row) {
	system, statement := row.text(fieldDBSystem, MaxNameLength), row.statement()
	c.dbSystem.append(system)
	c.dbName.append(row.text(fieldDBName, MaxNameLength))
	c.dbRows = append(c.dbRows, row.integer(fieldDBRows))
	c.dbStatement.append(statement)
	operation := row.text(fieldDBOperation, MaxNameLength)
	var hash uint64
	if len(statement) > 0 {
		s := c.catalog.statement(c.request.project, system, statement)
		if e := s.entry; e != nil {
			hash = e.key.id
			if e.stored.Load() != c.request.pending.stamp() {
				c.request.pending.add(e)
			}
		}
		if len(operation) == 0 {
			operation = []byte(s.operation)
		}
	}
	c.dbOperation.append(operation)
	c.dbHash = append(c.dbHash, hash)
}

// Commit ends the request and returns the rows its spans point at that still
// have to be stored, nil when there are none.
func (c *Columns) Commit() *Pending {
	if len(c.request.pending.entries) == 0 {
		return nil
	}
	p := c.request.pending
	c.request.pending = Pending{}
	return &p
}

// Rollback ends the request and leaves none of its rows.
func (c *Columns) Rollback() {
	r := &c.request
	n := r.rows
	c.projectID, c.retention, c.traceID = c.projectID[:n], c.retention[:n], c.traceID[:n]
	c.spanID, c.parentID, c.resourceID = c.spanID[:n], c.parentID[:n], c.resourceID[:n]
	c.kind, c.entry, c.status = c.kind[:n], c.entry[:n], c.status[:n]
	c.start.Data, c.duration, c.httpStatus = c.start.Data[:n], c.duration[:n], c.httpStatus[:n]
	c.dbHash, c.dbRows, c.dropped = c.dbHash[:n], c.dbRows[:n], c.dropped[:n]
	for _, l := range c.lowCards {
		l.keys = l.keys[:n]
	}
	for i, t := range c.texts {
		t.wire, t.rows = t.wire[:r.textEnds[i]], n
	}
	c.attrKeys.ends, c.attrKeys.data.keys = c.attrKeys.ends[:n], c.attrKeys.data.keys[:r.attrs]
	c.attrValues.ends = c.attrValues.ends[:n]
	c.attrValues.data.wire, c.attrValues.data.rows = c.attrValues.data.wire[:r.attrValueEnd], r.attrValueRows
	r.pending = Pending{}
}

// Rows implements clickhouse.Columns.
func (c *Columns) Rows() int { return len(c.projectID) }

// fixedBytes is what the columns of numbers and ids hold of one row.
const fixedBytes = 85

// Bytes implements clickhouse.Columns.
func (c *Columns) Bytes() int {
	n := fixedBytes*c.Rows() + c.attrKeys.bytes() + c.attrValues.bytes()
	for _, l := range c.lowCards {
		n += l.bytes()
	}
	for _, t := range c.texts {
		n += t.bytes()
	}
	return n
}

// Reset implements clickhouse.Columns.
func (c *Columns) Reset() {
	for _, col := range []proto.Resettable{
		&c.projectID, &c.retention, &c.traceID, &c.spanID, &c.parentID, &c.resourceID, &c.kind, &c.entry, &c.status,
		&c.start, &c.duration, &c.httpStatus, &c.dbHash, &c.dbRows, &c.dropped,
	} {
		col.Reset()
	}
	for _, l := range c.lowCards {
		l.reset()
	}
	for _, t := range c.texts {
		t.reset()
	}
	c.attrKeys.reset()
	c.attrValues.reset()
}

// Table implements clickhouse.Columns.
func (c *Columns) Table() string { return "spans" }

// Input implements clickhouse.Columns.
func (c *Columns) Input() proto.Input { return c.input }
