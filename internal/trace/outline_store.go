package trace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

// ofTrace selects the spans of {trace}. Where they lie in time is found in the
// same round trip, before the index of spans is looked at, which knows five
// minutes only by the expression it is made of. PREWHERE names what the engine
// reads first, a granule of ids: by itself it reads the other columns of the
// condition with them.
const (
	isTrace        = `trace_id = toFixedString(unhex({trace:String}), 16)`
	whereTraceLies = `WITH (
			SELECT (min(start_min), max(end_max), sum(spans)) FROM transaction_calls
			PREWHERE ` + isTrace + ` WHERE project_id = {project:UInt32}
		) AS lies `
	ofTrace = ` FROM spans
		PREWHERE ` + isTrace + ` WHERE project_id = {project:UInt32}
			AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes(lies.1) AND toStartOfFiveMinutes(start) <= toStartOfFiveMinutes(lies.2)`
)

func notStored(id TraceID) error {
	return fault.New(fault.NotFound, "trace %s is not stored: the id is wrong, its spans have not arrived, or they are older than the retention", id)
}

// Outline reads what is drawn of a trace of at most 50,000 spans. NotFound when
// nothing of it is stored.
func (s *Store) Outline(ctx context.Context, p project.ID, id TraceID) (*Outline, error) {
	t := &Trace{TraceID: id}
	stored, hashes, err := s.outlined(ctx, p, t)
	if err != nil {
		return nil, fmt.Errorf("read outline: %w", err)
	}
	if len(t.Spans) == 0 {
		return nil, notStored(id)
	}
	if err := s.texts(ctx, p, t, hashes); err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	o := newOutline(t)
	o.Stored = max(stored, o.Stored)
	return o, nil
}

// outlined reads the spans of t without what an Outline does not show. It
// returns how many are stored, and the statements among them.
func (s *Store) outlined(ctx context.Context, p project.ID, t *Trace) (stored int, hashes []uint64, err error) {
	rows, err := s.db.Query(ctx, p, whereTraceLies+`
		SELECT lies.3, span_id, parent_id, service, environment, instance, name, if(entry, operation, ''), kind, entry, status, status_message, start, duration,
			http_method, http_status, db_system, db_name, db_operation, db_hash, db_rows, peer, exception_type, exception_message, links != ''`+ofTrace+`
		ORDER BY start, span_id LIMIT {limit:UInt32}`,
		clickhouse.P("trace", t.TraceID.String()), clickhouse.P("limit", maxTraceSpans+1))
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }() // Err below carries what matters
	var all uint64
	seen := map[uint64]bool{}
	for rows.Next() {
		if len(t.Spans) == maxTraceSpans {
			t.Truncated = true
			break
		}
		var r spanRow
		var linked bool
		if err := rows.Scan(&all, &r.SpanID, &r.ParentID, &r.Service, &r.Environment, &r.Instance, &r.Name, &r.Operation, &r.Kind, &r.Entry, &r.Status, &r.StatusMessage,
			&r.Start, &r.Duration, &r.HTTPMethod, &r.HTTPStatus, &r.DBSystem, &r.DBName, &r.DBOperation, &r.DBHash, &r.DBRows, &r.Peer,
			&r.ExceptionType, &r.ExceptionMessage, &linked); err != nil {
			return 0, nil, err
		}
		if len(t.Spans) == 0 {
			t.Start = r.Start.UTC()
		}
		t.Spans = append(t.Spans, r.outlined(t.Start, linked))
		if !slices.Contains(t.Services, r.Service) {
			t.Services = append(t.Services, r.Service)
		}
		if r.DBHash != 0 && !seen[r.DBHash] {
			seen[r.DBHash] = true
			hashes = append(hashes, r.DBHash)
		}
	}
	return int(all), hashes, rows.Err()
}

func (r *spanRow) outlined(traceStart time.Time, linked bool) Span {
	s := Span{
		SpanID: SpanID(r.SpanID), ParentID: SpanID(r.ParentID), Service: r.Service, Environment: r.Environment, Instance: r.Instance, Name: r.Name, Operation: r.Operation,
		Kind: Kind(r.Kind), Status: Status(r.Status), StatusMessage: r.StatusMessage, Start: r.Start.UTC(),
		StartOffsetNs: r.Start.Sub(traceStart).Nanoseconds(), DurationNs: int64(r.Duration), Entry: r.Entry, Peer: r.Peer, linked: linked,
	}
	if r.DBSystem != "" || r.DBHash != 0 {
		s.DB = &DBCall{System: r.DBSystem, Name: r.DBName, Operation: r.DBOperation, Rows: r.DBRows}
		if r.DBHash != 0 {
			s.DB.Hash = HashString(r.DBHash)
		}
	}
	if r.HTTPMethod != "" || r.HTTPStatus != 0 {
		s.HTTP = &HTTP{Method: r.HTTPMethod, Status: int(r.HTTPStatus)}
	}
	if r.ExceptionType != "" || r.ExceptionMessage != "" {
		s.Exception = &Exception{Type: r.ExceptionType, Message: r.ExceptionMessage}
	}
	return s
}

// texts fills in what the statements of t's spans say.
func (s *Store) texts(ctx context.Context, p project.ID, t *Trace, hashes []uint64) error {
	known, err := s.statementReader.Read(ctx, p, hashes)
	if err != nil {
		return err
	}
	byHash := make(map[string]statementText, len(known))
	for hash, st := range known {
		byHash[HashString(hash)] = st
	}
	for i := range t.Spans {
		db := t.Spans[i].DB
		if db == nil || db.Hash == "" {
			continue
		}
		db.Tables = []string{} // [] in JSON
		if st, ok := byHash[db.Hash]; ok {
			db.Text, db.Tables = st.text, append(db.Tables, st.tables...)
			if st.operation != "" {
				db.Operation = st.operation
			}
		}
	}
	return nil
}

// statementText is a row of sql_statements.
type statementText struct {
	operation string
	tables    []string
	text      string
}

// maxKnownStatements is how many statements are remembered: some ten megabytes
// of text as applications write it.
const maxKnownStatements = 10_000

func newStatementReader(db *clickhouse.DB) *catalog.Reader[statementText] {
	return catalog.NewReader(maxKnownStatements, func(ctx context.Context, p project.ID, hashes []uint64) (map[uint64]statementText, error) {
		var rows []struct {
			Hash      uint64   `ch:"db_hash"`
			Operation string   `ch:"operation"`
			Tables    []string `ch:"tables"`
			Text      string   `ch:"text"`
		}
		err := db.Select(ctx, p, &rows, `
			SELECT db_hash, operation, tables, text FROM sql_statements
			WHERE project_id = {project:UInt32} AND db_hash IN {hashes:Array(UInt64)}
			LIMIT 1 BY db_hash`, clickhouse.P("hashes", hashes))
		known := make(map[uint64]statementText, len(rows))
		for _, r := range rows {
			known[r.Hash] = statementText{r.Operation, r.Tables, r.Text}
		}
		return known, err
	})
}

// Span reads one span of a trace with its resource and links; those attributes
// that have a column are among its attributes, too. Of a client's and
// a server's span with the same id, as Zipkin makes them, kind says which; 0 is
// either. NotFound when it is not stored.
func (s *Store) Span(ctx context.Context, p project.ID, id TraceID, span SpanID, kind Kind) (*Span, error) {
	var rows []spanRow
	err := s.db.Select(ctx, p, &rows, whereTraceLies+`
		SELECT `+spanColumns+`, lies.1 AS trace_start`+ofTrace+` AND span_id = {span:UInt64} AND ({kind:UInt8} IN (0, kind) OR kind = 0 AND {kind:UInt8} = 1)
		ORDER BY start, duration DESC LIMIT 1`,
		clickhouse.P("trace", id.String()), clickhouse.P("span", uint64(span)), clickhouse.P("kind", uint8(kind)))
	if err != nil {
		return nil, fmt.Errorf("read span: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "trace %s has no span %s: the id is wrong, it has not arrived, or it is older than the retention", id, span)
	}
	t := &Trace{TraceID: id, Spans: []Span{rows[0].span(rows[0].TraceStart, map[string]sqltext.Statement{})}}
	if err := s.resources(ctx, p, t, []uint64{rows[0].ResourceID}); err != nil {
		return nil, fmt.Errorf("read resource: %w", err)
	}
	found := &t.Spans[0]
	maps.Copy(found.Attributes, found.conventions())
	return found, nil
}

// Search returns the spans of a trace, by start, that hold a text in whatever
// they say of themselves, in either case; "key=value" is found in attributes.
func (s *Store) Search(ctx context.Context, p project.ID, id TraceID, text string) ([]SpanID, error) {
	var rows []struct {
		ID uint64 `ch:"span_id"`
	}
	err := s.db.Select(ctx, p, &rows, whereTraceLies+`
		SELECT span_id`+ofTrace+`
			AND (arrayExists(v -> positionCaseInsensitiveUTF8(v, {text:String}) > 0, [toString(service), toString(instance), toString(version),
					toString(name), toString(operation), status_message, toString(http_method), toString(http_route), toString(http_status), url, toString(rpc),
					toString(messaging), toString(db_system), toString(db_name), db_statement, toString(peer), toString(exception_type), exception_message,
					events, lower(leftPad(hex(span_id), 16, '0'))])
				OR arrayExists((k, v) -> positionCaseInsensitiveUTF8(concat(k, '=', v), {text:String}) > 0, attr_keys, attr_values))
		ORDER BY start, span_id LIMIT {limit:UInt32}`,
		clickhouse.P("trace", id.String()), clickhouse.P("text", text), clickhouse.P("limit", maxTraceSpans))
	if err != nil {
		return nil, fmt.Errorf("search trace: %w", err)
	}
	found := make([]SpanID, len(rows))
	for i, r := range rows {
		found[i] = SpanID(r.ID)
	}
	return found, nil
}
