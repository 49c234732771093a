package otel

import (
	"math"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Origin is the columns that say whose row it is, of a block whose rows come
// from OTLP: project, retention, and what their resource tells. The blocks of
// each signal embed it, and their rows begin with its Append.
//
// One request is Begin, then for each of its resources SetResource and Append
// per row, then Commit, or Rollback to leave no trace of it.
type Origin struct {
	resources *Catalog

	projectID  proto.ColUInt32
	retention  proto.ColUInt16
	resourceID proto.ColUInt64
	dropped    proto.ColUInt16

	service, environment, instance, version *column.LowCard

	// The request being appended.
	request struct {
		project                                 project.ID
		retention                               uint16
		pending                                 Pending
		resource                                uint64
		dropped                                 uint64 // attributes of the resource that limits cut
		service, environment, instance, version uint32 // indexes into the dictionaries, found once per resource
		rows                                    int    // where it began
	}
}

// NewOrigin returns empty columns. Blocks of one process share a catalog.
func NewOrigin(resources *Catalog) Origin {
	return Origin{
		resources: resources, service: column.NewLowCard(), environment: column.NewLowCard(), instance: column.NewLowCard(), version: column.NewLowCard(),
	}
}

// Begin opens a request of a project, whose rows are kept for retentionDays.
func (o *Origin) Begin(p project.ID, retentionDays uint16, now time.Time) {
	r := &o.request
	r.project, r.retention, r.rows = p, retentionDays, o.Rows()
	r.resource, r.dropped, r.service, r.environment, r.instance, r.version = 0, 0, 0, 0, 0, 0
	r.pending = catalog.NewPending[Key, []Attribute](now, retentionDays)
	for _, c := range o.lowCards() {
		c.Mark()
	}
}

// SetResource makes the resource read by b the one of the rows that follow. The
// id is the caller's hash of it.
func (o *Origin) SetResource(b *ResourceBuilder, id uint64) {
	r, res := &o.request, b.Resource(id)
	r.resource, r.dropped = res.ID, b.Dropped
	r.service, r.environment = o.service.IndexOf(res.Service), o.environment.IndexOf(res.Environment)
	r.instance, r.version = o.instance.IndexOf(res.Instance), o.version.IndexOf(res.Version)
	o.resources.Need(&r.pending, r.project, id, b)
}

// Append begins a row. dropped is what was cut from the row itself.
func (o *Origin) Append(dropped uint64) {
	r := &o.request
	o.projectID = append(o.projectID, uint32(r.project))
	o.retention = append(o.retention, r.retention)
	o.resourceID = append(o.resourceID, r.resource)
	o.dropped = append(o.dropped, uint16(min(dropped+r.dropped, math.MaxUint16)))
	o.service.AppendIndex(r.service)
	o.environment.AppendIndex(r.environment)
	o.instance.AppendIndex(r.instance)
	o.version.AppendIndex(r.version)
}

// Project is whose request it is.
func (o *Origin) Project() project.ID { return o.request.project }

// Begun is the number of rows that were there before the request.
func (o *Origin) Begun() int { return o.request.rows }

// Commit ends the request and returns the resources its rows point at that still
// have to be stored.
func (o *Origin) Commit() Pending {
	p := o.request.pending
	o.request.pending = Pending{}
	return p
}

// Rollback ends the request and leaves none of its rows.
func (o *Origin) Rollback() {
	n := o.request.rows
	o.projectID, o.retention, o.resourceID, o.dropped = o.projectID[:n], o.retention[:n], o.resourceID[:n], o.dropped[:n]
	for _, c := range o.lowCards() {
		c.Rollback()
	}
	o.request.pending = Pending{}
}

func (o *Origin) lowCards() [4]*column.LowCard {
	return [...]*column.LowCard{o.service, o.environment, o.instance, o.version}
}

// Rows is the number of rows begun.
func (o *Origin) Rows() int { return len(o.projectID) }

// originBytes is what the columns of numbers hold of one row.
const originBytes = 16

// Bytes is what the columns hold.
func (o *Origin) Bytes() int {
	n := originBytes * o.Rows()
	for _, c := range o.lowCards() {
		n += c.Bytes()
	}
	return n
}

// Reset empties the columns and keeps their memory.
func (o *Origin) Reset() {
	for _, c := range []proto.Resettable{&o.projectID, &o.retention, &o.resourceID, &o.dropped} {
		c.Reset()
	}
	for _, c := range o.lowCards() {
		c.Reset()
	}
}

// Input are the columns to insert.
func (o *Origin) Input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &o.projectID}, {Name: "retention_days", Data: &o.retention}, {Name: "resource_id", Data: &o.resourceID},
		{Name: "service", Data: o.service}, {Name: "environment", Data: o.environment}, {Name: "instance", Data: o.instance},
		{Name: "version", Data: o.version}, {Name: "dropped", Data: &o.dropped},
	}
}
