package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

// Store reads spans, transactions and slow calls. It is safe for concurrent use.
type Store struct {
	db              *clickhouse.DB
	resourceReader  *otel.ResourceReader
	statementReader *catalog.Reader[statementText]
}

// NewStore returns a Store over the tables of Migrations.
func NewStore(db *clickhouse.DB) *Store {
	return &Store{db: db, resourceReader: otel.NewResourceReader(db), statementReader: newStatementReader(db)}
}

// What one trace may cost to read. Beyond either it is Truncated.
const (
	maxTraceSpans = 50_000
	maxTraceBytes = 64 << 20 // of attributes, statements and events
)

// Trace reads a whole trace of at most 50,000 spans and 64 MiB, the earliest
// first. NotFound when nothing of it is stored.
func (s *Store) Trace(ctx context.Context, p project.ID, id TraceID) (*Trace, error) {
	t := &Trace{TraceID: id}
	resources, err := s.spans(ctx, p, t)
	if err != nil {
		return nil, fmt.Errorf("read trace: %w", err)
	}
	if len(t.Spans) == 0 {
		return nil, notStored(id)
	}
	if err := s.resources(ctx, p, t, resources); err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	return t, nil
}

// Profile reads the trace and builds the profile of the transaction that span
// belongs to; 0 picks the trace's longest.
func (s *Store) Profile(ctx context.Context, p project.ID, id TraceID, span SpanID) (*Profile, error) {
	t, err := s.Trace(ctx, p, id)
	if err != nil {
		return nil, err
	}
	return BuildProfile(t, span)
}

// spanRow is a row of spans as the engine returns it.
type spanRow struct {
	SpanID           uint64    `ch:"span_id"`
	ParentID         uint64    `ch:"parent_id"`
	Service          string    `ch:"service"`
	Environment      string    `ch:"environment"`
	Instance         string    `ch:"instance"`
	Version          string    `ch:"version"`
	ResourceID       uint64    `ch:"resource_id"`
	Scope            string    `ch:"scope"`
	Name             string    `ch:"name"`
	Operation        string    `ch:"operation"`
	Kind             uint8     `ch:"kind"`
	Entry            bool      `ch:"entry"`
	Status           uint8     `ch:"status"`
	StatusMessage    string    `ch:"status_message"`
	Start            time.Time `ch:"start"`
	Duration         uint64    `ch:"duration"`
	HTTPMethod       string    `ch:"http_method"`
	HTTPRoute        string    `ch:"http_route"`
	HTTPStatus       uint16    `ch:"http_status"`
	URL              string    `ch:"url"`
	RPC              string    `ch:"rpc"`
	Messaging        string    `ch:"messaging"`
	DBSystem         string    `ch:"db_system"`
	DBName           string    `ch:"db_name"`
	DBOperation      string    `ch:"db_operation"`
	DBStatement      string    `ch:"db_statement"`
	DBHash           uint64    `ch:"db_hash"`
	DBRows           uint64    `ch:"db_rows"`
	Peer             string    `ch:"peer"`
	ExceptionType    string    `ch:"exception_type"`
	ExceptionMessage string    `ch:"exception_message"`
	AttrKeys         []string  `ch:"attr_keys"`
	AttrValues       []string  `ch:"attr_values"`
	Events           string    `ch:"events"`
	Links            string    `ch:"links"`
	Dropped          uint16    `ch:"dropped"`
	TraceStart       time.Time `ch:"trace_start"` // only of a span read alone
}

const spanColumns = `span_id, parent_id, service, environment, instance, version, resource_id, scope, name, operation, kind, entry,
	status, status_message, start, duration, http_method, http_route, http_status, url, rpc, messaging, db_system, db_name,
	db_operation, db_statement, db_hash, db_rows, peer, exception_type, exception_message, attr_keys, attr_values, events, links, dropped`

// size estimates what the row holds, in bytes.
func (r *spanRow) size() int {
	n := len(r.StatusMessage) + len(r.URL) + len(r.DBStatement) + len(r.ExceptionMessage) + len(r.Events) + len(r.Links) + 512
	for _, v := range r.AttrValues {
		n += len(v) + 32
	}
	return n
}

// spans fills in everything of t but the resources, whose ids it returns, one per span.
func (s *Store) spans(ctx context.Context, p project.ID, t *Trace) ([]uint64, error) {
	rows, err := s.db.Query(ctx, p, whereTraceLies+`SELECT `+spanColumns+ofTrace+` ORDER BY start, span_id LIMIT {limit:UInt32}`,
		clickhouse.P("trace", t.TraceID.String()), clickhouse.P("limit", maxTraceSpans+1))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below carries what matters
	known := map[string]sqltext.Statement{}
	resources := map[spanKey]uint64{}
	bytes := 0
	for rows.Next() {
		var row spanRow
		if err := rows.ScanStruct(&row); err != nil {
			return nil, err
		}
		if bytes += row.size(); len(t.Spans) == maxTraceSpans || bytes > maxTraceBytes {
			t.Truncated = true
			break
		}
		if len(t.Spans) == 0 {
			t.Start = row.Start.UTC()
		}
		span := row.span(t.Start, known)
		resources[spanKey{span.SpanID, span.Service, span.Kind}] = row.ResourceID
		t.Spans = append(t.Spans, span)
		if !slices.Contains(t.Services, span.Service) {
			t.Services = append(t.Services, span.Service)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	t.Spans = distinct(t.Spans)
	ids := make([]uint64, len(t.Spans))
	for i := range t.Spans {
		span := &t.Spans[i]
		ids[i] = resources[spanKey{span.SpanID, span.Service, span.Kind}]
		t.DurationNs = max(t.DurationNs, span.StartOffsetNs+span.DurationNs)
	}
	return ids, nil
}

// span turns a row into what is shown. known holds statements already read.
func (r *spanRow) span(traceStart time.Time, known map[string]sqltext.Statement) Span {
	s := Span{
		SpanID: SpanID(r.SpanID), ParentID: SpanID(r.ParentID), Service: r.Service, Instance: r.Instance, Environment: r.Environment,
		Version: r.Version, Name: r.Name, Operation: r.Operation, Kind: Kind(r.Kind), Status: Status(r.Status),
		StatusMessage: r.StatusMessage, Start: r.Start.UTC(), StartOffsetNs: r.Start.Sub(traceStart).Nanoseconds(),
		DurationNs: int64(r.Duration), Entry: r.Entry, RPC: r.RPC, Messaging: r.Messaging, Peer: r.Peer,
		Attributes: otel.Map(r.AttrKeys, r.AttrValues), Dropped: int(r.Dropped),
	}
	if r.Scope != "" {
		s.Attributes["otel.scope.name"] = r.Scope
	}
	if r.DBSystem != "" || r.DBStatement != "" {
		s.DB = r.db(known)
	}
	if r.HTTPMethod != "" || r.HTTPStatus != 0 || r.URL != "" {
		s.HTTP = &HTTP{Method: r.HTTPMethod, Route: r.HTTPRoute, Status: int(r.HTTPStatus), URL: r.URL}
	}
	s.Events, s.Links = readEvents(r.Events, traceStart), readLinks(r.Links)
	if r.ExceptionType != "" || r.ExceptionMessage != "" {
		s.Exception = &Exception{Type: r.ExceptionType, Message: r.ExceptionMessage}
		for i := range s.Events {
			if e, ok := s.Events[i].exception(); ok {
				s.Exception.Stacktrace = e.Stacktrace
				break
			}
		}
	}
	return s
}

func (r *spanRow) db(known map[string]sqltext.Statement) *DBCall {
	key := r.DBSystem + "\x00" + r.DBStatement
	st, ok := known[key]
	if !ok {
		st = sqltext.Normalize(r.DBSystem, r.DBStatement)
		known[key] = st
	}
	db := &DBCall{
		System: r.DBSystem, Name: r.DBName, Operation: r.DBOperation, Statement: r.DBStatement, Text: st.Text,
		Title: st.Name, Kinds: st.Kinds, Tables: st.Tables, Joins: st.Joins, Rows: r.DBRows,
	}
	if db.Operation == "" {
		db.Operation = st.Operation
	}
	if db.Kinds == nil {
		db.Kinds = []string{} // [] in JSON
	}
	if r.DBHash != 0 {
		db.Hash = HashString(r.DBHash)
	}
	return db
}

// readEvents reads the JSON in which the events of a span are stored.
func readEvents(text string, traceStart time.Time) []Event {
	if text == "" {
		return []Event{}
	}
	var stored []struct {
		Time       int64          `json:"time"` // unix ns
		Name       string         `json:"name"`
		Attributes map[string]any `json:"attributes"`
	}
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return []Event{{Name: "unreadable events", Attributes: map[string]any{"error": err.Error()}}}
	}
	events := make([]Event, len(stored))
	for i, e := range stored {
		if e.Attributes == nil {
			e.Attributes = map[string]any{}
		}
		events[i] = Event{OffsetNs: e.Time - traceStart.UnixNano(), Name: e.Name, Attributes: e.Attributes}
	}
	return events
}

// ResourceAttributes returns what the senders heard of since a time say of themselves.
func (s *Store) ResourceAttributes(ctx context.Context, p project.ID, since time.Time) ([]otel.ResourceAttribute, error) {
	return otel.ReadAttributes(ctx, s.db, p, since)
}

// readLinks reads the JSON in which the links of a span are stored.
func readLinks(text string) []Link {
	links := []Link{}
	if text != "" && json.Unmarshal([]byte(text), &links) != nil {
		return []Link{}
	}
	for i := range links {
		if links[i].Attributes == nil {
			links[i].Attributes = map[string]any{}
		}
	}
	return links
}

// resources fills in the resource of each span, ids[i] being that of Spans[i].
func (s *Store) resources(ctx context.Context, p project.ID, t *Trace, ids []uint64) error {
	byID, err := s.resourceReader.Read(ctx, p, ids)
	if err != nil {
		return err
	}
	for i := range t.Spans {
		t.Spans[i].Resource = otel.ResourceOf(byID, ids[i])
	}
	return nil
}
