package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/pattern"
	"github.com/matrix-aiops/matrix/internal/project"
)

// LogHistogram is how many records there are over time, by level.
type LogHistogram struct {
	StepSeconds int       `json:"step_seconds"`
	From        time.Time `json:"from" doc:"where the first bar starts"`
	Bars        int       `json:"bars" doc:"how many steps the range has"`
	Levels      []LogBars `json:"levels" doc:"least grave first, without those that have none"`
	Total       uint64    `json:"total"`
}

// LogBars are the counts of one level, one per step.
type LogBars struct {
	Level  string   `json:"level" enum:"unknown,trace,debug,info,warn,error,fatal"`
	Counts []uint64 `json:"counts"`
	Total  uint64   `json:"total"`
}

// steps are the widths a bar may have, in seconds.
var steps = []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400}

// maxBars is how many bars a histogram has at most.
const maxBars = 120

// stepOf is the narrowest bar that covers the range with maxBars.
func stepOf(d time.Duration) int {
	for _, s := range steps {
		if d <= time.Duration(s)*time.Second*maxBars {
			return s
		}
	}
	return int(d/time.Second)/maxBars/86400*86400 + 86400
}

// Histogram counts the records of a query. Where only services, environments and
// levels are asked about and bars are whole minutes, the minute rollup answers,
// but for the parts of minutes at the ends of the range.
func (s *Store) Histogram(ctx context.Context, p project.ID, q Query) (*LogHistogram, error) {
	c, err := q.compile()
	if err != nil {
		return nil, err
	}
	step := stepOf(q.To.Sub(q.From))
	from := q.From.UTC().Truncate(time.Duration(step) * time.Second)
	source := `SELECT toUnixTimestamp(time) AS at, severity, 1 AS n` + where + c.sql.String()
	params := append(q.params(c), clickhouse.P("origin", from.Unix()), clickhouse.P("step", step))
	if c.coarse && step >= 60 {
		first, behind := q.From.UTC().Add(time.Minute-1).Truncate(time.Minute), q.To.UTC().Truncate(time.Minute)
		source = `SELECT toUnixTimestamp(minute) AS at, severity, count AS n FROM log_minute
			WHERE project_id = {project:UInt32} AND minute >= {first:DateTime64(9)} AND minute < {behind:DateTime64(9)} AND ` + c.sql.String() + `
			UNION ALL ` + source + ` AND (time < {first:DateTime64(9)} OR time >= {behind:DateTime64(9)})`
		params = append(params, clickhouse.P("first", first), clickhouse.P("behind", behind))
	}
	var rows []struct {
		Bar   uint32 `ch:"bar"`
		Level uint8  `ch:"level"`
		N     uint64 `ch:"n"`
	}
	sql := `SELECT toUInt32(intDiv(at - {origin:Int64}, {step:UInt32})) AS bar,
		toUInt8(if(severity = 0, 0, 1 + intDiv(severity - 1, 4))) AS level, sum(n) AS n FROM (` + source + `)
		GROUP BY bar, level`
	if err := s.db.Select(ctx, p, &rows, sql, params...); err != nil {
		return nil, fmt.Errorf("count logs: %w", err)
	}
	bars := int((q.To.Sub(from)-1)/(time.Duration(step)*time.Second)) + 1
	h := &LogHistogram{StepSeconds: step, From: from, Bars: bars, Levels: []LogBars{}}
	byLevel := make([]LogBars, len(Levels))
	for _, r := range rows {
		if int(r.Level) >= len(byLevel) || int(r.Bar) >= bars {
			continue
		}
		b := &byLevel[r.Level]
		if b.Counts == nil {
			*b = LogBars{Level: Levels[r.Level], Counts: make([]uint64, bars)}
		}
		b.Counts[r.Bar] += r.N
		b.Total += r.N
		h.Total += r.N
	}
	for _, b := range byLevel {
		if b.Total > 0 {
			h.Levels = append(h.Levels, b)
		}
	}
	return h, nil
}

// LogPattern is what many records have in common.
type LogPattern struct {
	Pattern  string    `json:"pattern" doc:"16 hex digits; search for it as pattern:…"`
	Template string    `json:"template" doc:"the first line, <*> for what varies"`
	Sample   string    `json:"sample" doc:"the body of one record"`
	Count    uint64    `json:"count"`
	Share    float64   `json:"share" doc:"of all records of the query, 0 to 1"`
	Level    string    `json:"level" doc:"the gravest" enum:"unknown,trace,debug,info,warn,error,fatal"`
	Services []string  `json:"services" doc:"at most 5"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Bars     []uint64  `json:"bars" doc:"records over time, in equal steps of the range"`
}

// patternBars is how many steps the range has in a pattern's Bars.
const patternBars = 24

// maxPatterns is how many patterns one answer holds.
const maxPatterns = 100

// Patterns groups the records of a query by their pattern, the most frequent first.
func (s *Store) Patterns(ctx context.Context, p project.ID, q Query) ([]LogPattern, error) {
	c, err := q.compile()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Pattern  uint64    `ch:"pattern"`
		Sample   string    `ch:"sample"`
		N        uint64    `ch:"n"`
		Severity uint8     `ch:"worst"`
		Services []string  `ch:"services"`
		First    time.Time `ch:"first"`
		Last     time.Time `ch:"last"`
		All      uint64    `ch:"everything"`
		Steps    []uint64  `ch:"steps"`  // those that have records,
		Counts   []uint64  `ch:"counts"` // and how many
	}
	step := (q.To.Sub(q.From) + patternBars - 1) / patternBars
	// The sample is read in a second step, for the few patterns that are shown:
	// the bodies are most of what there is to read.
	sql := `WITH stepped AS (
			SELECT pattern, toUInt64(intDiv(toUnixTimestamp64Nano(time) - {origin:Int64}, {step:Int64})) AS bar, count() AS had, max(severity) AS gravest,
				groupUniqArray(5)(service) AS names, min(time) AS since, max(time) AS until, max((time, id)) AS latest` + where + c.sql.String() + `
			GROUP BY pattern, bar),
		top AS (
			SELECT pattern, sum(had) AS n, max(gravest) AS worst, groupUniqArrayArray(5)(names) AS services, min(since) AS first, max(until) AS last,
				max(latest) AS newest, sum(sum(had)) OVER () AS everything, groupArray(bar) AS steps, groupArray(had) AS counts
			FROM stepped GROUP BY pattern ORDER BY n DESC, pattern LIMIT {limit:UInt32})
		SELECT pattern, n, worst, services, first, last, everything, steps, counts, body AS sample FROM top INNER JOIN (
			SELECT time, id, body FROM logs WHERE project_id = {project:UInt32} AND (time, id) IN (SELECT newest FROM top)
				AND time >= {from:DateTime64(9)} AND time < {to:DateTime64(9)}
		) AS samples ON top.newest = (samples.time, samples.id)
		ORDER BY n DESC, pattern`
	if err := s.db.Select(ctx, p, &rows, sql, append(q.params(c), clickhouse.P("limit", maxPatterns),
		clickhouse.P("origin", q.From.UnixNano()), clickhouse.P("step", int64(step)))...); err != nil {
		return nil, fmt.Errorf("group logs: %w", err)
	}
	out := make([]LogPattern, 0, len(rows))
	for _, r := range rows {
		slices.Sort(r.Services)
		bars := make([]uint64, patternBars)
		for i, at := range r.Steps {
			bars[at] = r.Counts[i]
		}
		out = append(out, LogPattern{
			Pattern: fmt.Sprintf("%016x", r.Pattern), Template: string(pattern.Append(nil, []byte(r.Sample))), Sample: r.Sample,
			Count: r.N, Share: float64(r.N) / float64(max(r.All, 1)), Level: Severity(r.Severity).Level(),
			Services: r.Services, First: r.First.UTC(), Last: r.Last.UTC(), Bars: bars,
		})
	}
	return out, nil
}

// LogFacet is a field with its most frequent values.
type LogFacet struct {
	Field  string          `json:"field" doc:"as it is written in a query"`
	Values []LogFacetValue `json:"values"`
}

// LogFacetValue is a value and how many of the records looked at have it.
type LogFacetValue struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// LogFacets are the fields of a query's records.
type LogFacets struct {
	Fields  []LogFacet `json:"fields"`
	Records uint64     `json:"records" doc:"the newest ones, which were looked at"`
}

const (
	facetRecords = 10_000 // newest ones looked at
	facetValues  = 10     // of each field
	facetLength  = 256    // bytes of a value that somebody may choose; a stack trace is none
	facetKeys    = 30     // attributes
)

// Facets tells what fields the newest records of a query have, and with what values.
func (s *Store) Facets(ctx context.Context, p project.ID, q Query) (*LogFacets, error) {
	c, err := q.compile()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Field string `ch:"field"`
		Value string `ch:"value"`
		N     uint64 `ch:"n"`
		Of    uint64 `ch:"of"`
	}
	sql := `WITH newest AS (SELECT service, environment, instance, version, scope, exception_type, severity, attr_keys, attr_values` + where + c.sql.String() + `
			ORDER BY time DESC LIMIT {records:UInt32})
		SELECT field, value, n, sum(n) OVER (PARTITION BY field) AS of FROM (
			SELECT pair.1 AS field, pair.2 AS value, count() AS n FROM newest
			ARRAY JOIN arrayConcat(
				[('', ''), ('service', service::String), ('environment', environment::String), ('instance', instance::String), ('version', version::String),
				('logger', scope::String), ('exception', exception_type::String), ('level', toString(if(severity = 0, 0, 1 + intDiv(severity - 1, 4))))],
				arrayZip(arrayMap(k -> concat('attr.', k), attr_keys), attr_values)) AS pair
			WHERE length(pair.2) BETWEEN 1 AND {long:UInt32} OR pair.1 = '' GROUP BY field, value)
		ORDER BY of DESC, field, n DESC, value LIMIT {values:UInt32} BY field LIMIT {rows:UInt32}`
	err = s.db.Select(ctx, p, &rows, sql, append(q.params(c), clickhouse.P("records", facetRecords),
		clickhouse.P("long", facetLength), clickhouse.P("values", facetValues), clickhouse.P("rows", facetValues*(facetKeys+8)))...)
	if err != nil {
		return nil, fmt.Errorf("read fields of logs: %w", err)
	}
	out := &LogFacets{Fields: []LogFacet{}}
	for _, r := range rows {
		if r.Field == "" {
			out.Records = r.N
			continue
		}
		if r.Field == "level" && len(r.Value) == 1 && int(r.Value[0]-'0') < len(Levels) {
			r.Value = Levels[r.Value[0]-'0']
		}
		if n := len(out.Fields); n == 0 || out.Fields[n-1].Field != r.Field {
			out.Fields = append(out.Fields, LogFacet{Field: r.Field})
		}
		f := &out.Fields[len(out.Fields)-1]
		f.Values = append(f.Values, LogFacetValue{Value: r.Value, Count: r.N})
	}
	slices.SortStableFunc(out.Fields, func(a, b LogFacet) int { return rank(a.Field) - rank(b.Field) })
	return out, nil
}

// rank puts the fields that all records have first.
func rank(field string) int {
	if i := slices.Index([]string{"level", "service", "environment", "instance", "version", "logger", "exception"}, field); i >= 0 {
		return i
	}
	return 100
}
