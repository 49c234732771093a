package trace

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Bounds of lists of names and of a search.
const (
	maxNames  = 10_000
	maxFound  = 1_500
	maxTags   = 20
	firstLook = 10 * time.Minute
)

// ServiceNames lists the services that sent spans since the hour of the given
// time, by name.
func (s *Store) ServiceNames(ctx context.Context, p project.ID, since time.Time) ([]string, error) {
	var rows []struct {
		Service string `ch:"service"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT DISTINCT service FROM red_hour WHERE project_id = {project:UInt32} AND hour >= toStartOfHour({since:DateTime})
		ORDER BY service LIMIT {limit:UInt32}`, clickhouse.P("since", since.UTC().Truncate(time.Second)), clickhouse.P("limit", maxNames))
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Service
	}
	return names, err
}

// Operation is an operation of a service, and the kind of its spans.
type Operation struct {
	Name string
	Kind Kind
}

// Operations lists the operations that a service ran since the hour of the
// given time, by name. kind 0 selects all.
func (s *Store) Operations(ctx context.Context, p project.ID, service string, kind Kind, since time.Time) ([]Operation, error) {
	var rows []struct {
		Operation string `ch:"operation"`
		Kind      uint8  `ch:"kind"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT DISTINCT operation, kind FROM red_hour
		WHERE project_id = {project:UInt32} AND hour >= toStartOfHour({since:DateTime}) AND service = {service:String} AND ({kind:UInt8} = 0 OR kind = {kind:UInt8})
		ORDER BY operation, kind LIMIT {limit:UInt32}`,
		clickhouse.P("since", since.UTC().Truncate(time.Second)), clickhouse.P("service", service), clickhouse.P("kind", uint8(kind)), clickhouse.P("limit", maxNames))
	operations := make([]Operation, len(rows))
	for i, r := range rows {
		operations[i] = Operation{r.Operation, Kind(r.Kind)}
	}
	return operations, err
}

// FindQuery selects traces by one span that has all of it.
type FindQuery struct {
	Service   string // required
	Operation string // or the span's name; "" selects all
	From, To  time.Time
	// MinDuration and MaxDuration are of the span; 0 is no limit.
	MinDuration, MaxDuration time.Duration
	// Tags are attributes of the span or its resource, by the names of old or
	// new semantic conventions, and error, span.kind and otel.status_code.
	Tags  map[string]string
	Limit int // 1 to 1,500
}

func (q *FindQuery) check() error {
	switch {
	case q.Service == "":
		return fault.New(fault.Invalid, "parameter 'service' is required").WithField("service")
	case !q.From.Before(q.To):
		return fault.New(fault.Invalid, "the time range ends before it begins").WithField("end")
	case q.MaxDuration != 0 && q.MaxDuration < q.MinDuration:
		return fault.New(fault.Invalid, "'maxDuration' should be greater than 'minDuration'").WithField("maxDuration")
	case q.Limit < 1 || q.Limit > maxFound:
		return fault.New(fault.Invalid, "limit %d is not between 1 and %d", q.Limit, maxFound).WithField("limit")
	case len(q.Tags) > maxTags:
		return fault.New(fault.Invalid, "%d tags are more than %d: search by fewer", len(q.Tags), maxTags).WithField("tags")
	}
	if q.From.Before(earliest) {
		q.From = earliest
	}
	return nil
}

// Find returns the ids of traces, those whose matching span began last first.
// It looks at the newest spans first and goes back as far as it must.
func (s *Store) Find(ctx context.Context, p project.ID, q FindQuery) ([]TraceID, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	where, params := q.filter()
	found, seen := []TraceID{}, map[TraceID]bool{}
	to := q.To
	for look := firstLook; to.After(q.From) && len(found) < q.Limit; look *= 4 {
		from := to.Add(-look)
		if from.Before(q.From) {
			from = q.From
		}
		var rows []struct {
			TraceID string `ch:"trace_id"`
		}
		err := s.db.Select(ctx, p, &rows, `
			SELECT trace_id FROM spans
			WHERE `+spansBetween+` AND `+where+`
			GROUP BY trace_id ORDER BY max(start) DESC, trace_id LIMIT {limit:UInt32}`,
			append(params[:len(params):len(params)], clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("limit", q.Limit))...)
		if err != nil {
			return nil, fmt.Errorf("find traces: %w", err)
		}
		for _, r := range rows {
			var id TraceID
			if copy(id[:], r.TraceID); !seen[id] && len(found) < q.Limit {
				seen[id] = true
				found = append(found, id)
			}
		}
		to = from
	}
	return found, nil
}

func (q *FindQuery) filter() (where string, params []clickhouse.Param) {
	where = `service = {service:String} AND ({operation:String} = '' OR operation = {operation:String} OR name = {operation:String})
		AND duration >= {min:UInt64} AND ({max:UInt64} = 0 OR duration <= {max:UInt64})`
	params = []clickhouse.Param{
		clickhouse.P("service", q.Service), clickhouse.P("operation", q.Operation),
		clickhouse.P("min", uint64(max(q.MinDuration, 0))), clickhouse.P("max", uint64(max(q.MaxDuration, 0))),
	}
	n := 0
	for key, value := range q.Tags {
		k, v := "{k"+strconv.Itoa(n)+":String}", "{v"+strconv.Itoa(n)+":String}"
		where += " AND " + tagFilter(key, value, k, v)
		params = append(params, clickhouse.P("k"+strconv.Itoa(n), key), clickhouse.P("v"+strconv.Itoa(n), value))
		n++
	}
	return where, params
}

// tagFilter is the condition that a span has a tag; k and v stand for its key
// and value in the statement.
func tagFilter(key, value, k, v string) string {
	switch key {
	case "error":
		if value == "true" {
			return "status = 2"
		}
		return "status != 2"
	case "span.kind":
		return "kind = " + strconv.Itoa(max(1, slices.Index(kindNames[:], value)))
	case "otel.status_code":
		return "status = " + strconv.Itoa(map[string]int{"OK": int(StatusOK), "ERROR": int(StatusError)}[value])
	}
	filter := `has(attr_keys, ` + k + `) AND attr_values[indexOf(attr_keys, ` + k + `)] = ` + v + `
		OR resource_id IN (SELECT resource_id FROM resources WHERE project_id = {project:UInt32} AND has(keys, ` + k + `) AND values[indexOf(keys, ` + k + `)] = ` + v + `)`
	if column := columnFilter(key, v); column != "" {
		filter = column + " OR " + filter
	}
	return "(" + filter + ")"
}

// columnFilter is the condition on the column that an attribute is stored in,
// "" when it has none.
func columnFilter(key, v string) string {
	c, ok := spanFields[key]
	switch {
	case !ok || columnValues[c.field] == "":
		return ""
	case c.field == fieldPath: // http.target is the path and the query
		return "(" + columnValues[c.field] + " = " + v + " OR url = " + v + ")"
	}
	return columnValues[c.field] + " = " + v
}
