package logs

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Store reads log records. It is safe for concurrent use.
type Store struct {
	db             *clickhouse.DB
	resourceReader *otel.ResourceReader
}

// NewStore returns a Store over the tables of Migrations.
func NewStore(db *clickhouse.DB) *Store {
	return &Store{db: db, resourceReader: otel.NewResourceReader(db)}
}

// ParseID reads the id of a record; fault.NotFound when it is none.
func ParseID(text string) (clickhouse.RowID, error) {
	id, ok := clickhouse.ParseRowID(text)
	if !ok {
		return id, errNoRecord
	}
	return id, nil
}

var errNoRecord = fault.New(fault.NotFound, "there is no such log record, or it has expired")

// LogRecord is one log record.
type LogRecord struct {
	ID               string            `json:"id" doc:"the record's name in paths"`
	Time             time.Time         `json:"time"`
	Service          string            `json:"service"`
	Environment      string            `json:"environment,omitempty"`
	Instance         string            `json:"instance,omitempty"`
	Version          string            `json:"version,omitempty"`
	Logger           string            `json:"logger,omitempty"`
	Level            string            `json:"level" enum:"unknown,trace,debug,info,warn,error,fatal"`
	Severity         Severity          `json:"severity" doc:"OTLP severity number, 0 unknown"`
	SeverityText     string            `json:"severity_text,omitempty" doc:"as sent"`
	Event            string            `json:"event,omitempty"`
	TraceID          string            `json:"trace_id,omitempty" doc:"32 hex digits"`
	SpanID           string            `json:"span_id,omitempty" doc:"16 hex digits"`
	Body             string            `json:"body"`
	Pattern          string            `json:"pattern" doc:"16 hex digits: what records of the same template share"`
	ExceptionType    string            `json:"exception_type,omitempty"`
	ExceptionMessage string            `json:"exception_message,omitempty"`
	Attributes       map[string]string `json:"attributes"`
	Dropped          int               `json:"dropped,omitempty" doc:"attributes cut by the sender or by limits"`
}

const columns = `time, id, service, environment, instance, version, scope, severity, severity_text, event, trace_id, span_id,
	body, pattern, exception_type, exception_message, attr_keys, attr_values, dropped`

type row struct {
	Time             time.Time `ch:"time"`
	ID               uint64    `ch:"id"`
	Service          string    `ch:"service"`
	Environment      string    `ch:"environment"`
	Instance         string    `ch:"instance"`
	Version          string    `ch:"version"`
	Scope            string    `ch:"scope"`
	Severity         uint8     `ch:"severity"`
	SeverityText     string    `ch:"severity_text"`
	Event            string    `ch:"event"`
	TraceID          string    `ch:"trace_id"`
	SpanID           uint64    `ch:"span_id"`
	Body             string    `ch:"body"`
	Pattern          uint64    `ch:"pattern"`
	ExceptionType    string    `ch:"exception_type"`
	ExceptionMessage string    `ch:"exception_message"`
	AttrKeys         []string  `ch:"attr_keys"`
	AttrValues       []string  `ch:"attr_values"`
	Dropped          uint16    `ch:"dropped"`
}

func (r *row) record() LogRecord {
	out := LogRecord{
		ID: clickhouse.RowID{Time: r.Time, Number: r.ID}.String(), Time: r.Time.UTC(), Service: r.Service, Environment: r.Environment, Instance: r.Instance,
		Version: r.Version, Logger: r.Scope, Level: Severity(r.Severity).Level(), Severity: Severity(r.Severity),
		SeverityText: r.SeverityText, Event: r.Event, Body: r.Body, Pattern: fmt.Sprintf("%016x", r.Pattern),
		ExceptionType: r.ExceptionType, ExceptionMessage: r.ExceptionMessage, Attributes: otel.Map(r.AttrKeys, r.AttrValues),
		Dropped: int(r.Dropped),
	}
	if id := strings.TrimRight(r.TraceID, "\x00"); id != "" {
		out.TraceID = hex.EncodeToString([]byte(r.TraceID))
	}
	if r.SpanID != 0 {
		out.SpanID = fmt.Sprintf("%016x", r.SpanID)
	}
	return out
}

// MaxPage is how many records one answer holds at most.
const MaxPage = 1000

// LogPage is one page of records.
type LogPage struct {
	Items      []LogRecord `json:"items"`
	NextCursor string      `json:"next_cursor" doc:"empty on the last page"`
}

// where is what every read of logs begins with.
const where = ` FROM logs WHERE project_id = {project:UInt32} AND time >= {from:DateTime64(9)} AND time < {to:DateTime64(9)} AND `

func (q Query) params(c *condition) []clickhouse.Param {
	return append(c.params[:len(c.params):len(c.params)], clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()))
}

// Search lists records, newest first or oldest first. Pages are stable: what
// arrives meanwhile repeats no record.
func (s *Store) Search(ctx context.Context, p project.ID, q Query, oldestFirst bool, cursor string, limit int) (LogPage, error) {
	page := LogPage{Items: []LogRecord{}}
	c, err := q.compile()
	if err != nil {
		return page, err
	}
	limit = min(max(limit, 1), MaxPage)
	params := append(q.params(c), clickhouse.P("limit", limit+1))
	after, order, compare := "", "time DESC, id DESC", "<"
	if oldestFirst {
		order, compare = "time, id", ">"
	}
	if cursor != "" {
		last, err := ParseID(cursor)
		if err != nil {
			return page, fault.New(fault.Invalid, "the cursor does not belong to this list: start again without one").WithField("cursor")
		}
		after = " AND (time, id) " + compare + " ({c_time:DateTime64(9)}, {c_id:UInt64})"
		params = append(params, clickhouse.P("c_time", last.Time), clickhouse.P("c_id", last.Number))
	}
	var rows []row
	sql := "SELECT " + columns + where + c.sql.String() + after + " ORDER BY " + order + " LIMIT {limit:UInt32}"
	if err := s.db.Select(ctx, p, &rows, sql, params...); err != nil {
		return page, fmt.Errorf("search logs: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		page.NextCursor = clickhouse.RowID{Time: rows[limit-1].Time, Number: rows[limit-1].ID}.String()
	}
	for i := range rows {
		page.Items = append(page.Items, rows[i].record())
	}
	return page, nil
}

// LogDetails is a record with the attributes of its sender.
type LogDetails struct {
	LogRecord
	Resource map[string]string `json:"resource" doc:"attributes of the sender"`
}

// Record returns one record by its id; fault.NotFound when there is none.
func (s *Store) Record(ctx context.Context, p project.ID, id clickhouse.RowID) (*LogDetails, error) {
	var rows []struct {
		row
		ResourceID uint64 `ch:"resource_id"`
	}
	err := s.db.Select(ctx, p, &rows, "SELECT resource_id, "+columns+`
		FROM logs WHERE project_id = {project:UInt32} AND time = {time:DateTime64(9)} AND id = {id:UInt64} LIMIT 1`,
		clickhouse.P("time", id.Time), clickhouse.P("id", id.Number))
	if err != nil {
		return nil, fmt.Errorf("read log record: %w", err)
	}
	if len(rows) == 0 {
		return nil, errNoRecord
	}
	resources, err := s.resourceReader.Read(ctx, p, []uint64{rows[0].ResourceID})
	if err != nil {
		return nil, fmt.Errorf("read resource: %w", err)
	}
	return &LogDetails{LogRecord: rows[0].record(), Resource: otel.ResourceOf(resources, rows[0].ResourceID)}, nil
}

// contextWithin is how far around a record its context is looked for.
const contextWithin = 6 * time.Hour

// Context returns the records that the same process wrote just before and just
// after a record, which is among them, oldest first.
func (s *Store) Context(ctx context.Context, p project.ID, id clickhouse.RowID, before, after int) ([]LogRecord, error) {
	var self []struct {
		ResourceID uint64 `ch:"resource_id"`
	}
	err := s.db.Select(ctx, p, &self, `SELECT resource_id FROM logs
		WHERE project_id = {project:UInt32} AND time = {time:DateTime64(9)} AND id = {id:UInt64} LIMIT 1`,
		clickhouse.P("time", id.Time), clickhouse.P("id", id.Number))
	if err != nil {
		return nil, fmt.Errorf("read log record: %w", err)
	}
	if len(self) == 0 {
		return nil, errNoRecord
	}
	side := func(compare, order string, from, to time.Time, limit int) ([]row, error) {
		var rows []row
		err := s.db.Select(ctx, p, &rows, "SELECT "+columns+` FROM logs
			WHERE project_id = {project:UInt32} AND time >= {from:DateTime64(9)} AND time <= {to:DateTime64(9)}
				AND resource_id = {resource:UInt64} AND (time, id) `+compare+` ({time:DateTime64(9)}, {id:UInt64})
			ORDER BY `+order+` LIMIT {limit:UInt32}`,
			clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("resource", self[0].ResourceID),
			clickhouse.P("time", id.Time), clickhouse.P("id", id.Number), clickhouse.P("limit", min(max(limit, 0), MaxPage)))
		return rows, err
	}
	older, err := side("<=", "time DESC, id DESC", id.Time.Add(-contextWithin), id.Time, before+1)
	if err != nil {
		return nil, fmt.Errorf("read log context: %w", err)
	}
	newer, err := side(">", "time, id", id.Time, id.Time.Add(contextWithin), after)
	if err != nil {
		return nil, fmt.Errorf("read log context: %w", err)
	}
	slices.Reverse(older)
	out := make([]LogRecord, 0, len(older)+len(newer))
	for _, rows := range [][]row{older, newer} {
		for i := range rows {
			out = append(out, rows[i].record())
		}
	}
	return out, nil
}
