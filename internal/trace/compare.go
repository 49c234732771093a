package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Comparison sets one transaction against what such transactions are usually
// like: those of the same service, environment and endpoint in the 24 hours
// before it began.
type Comparison struct {
	SpanID      SpanID         `json:"span_id"` // the entry of the transaction
	Service     string         `json:"service"`
	Environment string         `json:"environment"`
	Endpoint    string         `json:"endpoint"`
	ElapsedNs   int64          `json:"elapsed_ns"`
	From        time.Time      `json:"from"`
	To          time.Time      `json:"to"`
	Count       int            `json:"count"`  // usual transactions; 0: nothing is known, and all below is 0
	Sample      int            `json:"sample"` // of them, those whose steps were looked at
	P50Ns       int64          `json:"p50_ns"` // elapsed
	P95Ns       int64          `json:"p95_ns"` // elapsed
	Steps       []ComparedStep `json:"steps"`  // the most time lost first, at most 50
}

// ComparedStep is what a transaction spent on one statement or call in all,
// against what usual ones spend on it on average. Times are added up: two at
// once count twice.
type ComparedStep struct {
	Kind       StepKind `json:"kind"`    // method: the program's own time, what no statement and no call accounts for
	Name       string   `json:"name"`    // "" for the program's own time
	Hash       string   `json:"hash"`    // of a SQL statement, 16 hex
	SpanID     SpanID   `json:"span_id"` // the longest of them; "" when this transaction has none
	Count      int      `json:"count"`
	TotalNs    int64    `json:"total_ns"`
	UsualCount float64  `json:"usual_count"`
	UsualNs    int64    `json:"usual_ns"`
	ExcessNs   int64    `json:"excess_ns"` // total_ns over usual_ns; negative when it took less
}

const (
	compareWith     = 24 * time.Hour
	compareSample   = 100 // traces
	maxCompareSteps = 50
)

// comparedKey is what makes two steps the same: the statement, else how a call
// is named and where it goes.
type comparedKey struct {
	hash               uint64
	name, method, peer string
}

// Compare reads a trace and sets the transaction that span belongs to (0 picks
// the trace's longest) against what is usual. NotFound as Profile.
func (s *Store) Compare(ctx context.Context, p project.ID, id TraceID, span SpanID) (*Comparison, error) {
	t := &Trace{TraceID: id}
	_, hashes, err := s.outlined(ctx, p, t)
	if err != nil {
		return nil, fmt.Errorf("read spans: %w", err)
	}
	if len(t.Spans) == 0 {
		return nil, notStored(id)
	}
	if err := s.texts(ctx, p, t, hashes); err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	tree := newTree(t.Spans)
	at := tree.find(span)
	if at < 0 {
		return nil, fault.New(fault.NotFound, "trace %s has no span %s", id, span)
	}
	entry := &tree.spans[tree.top[at]]
	c := &Comparison{
		SpanID: entry.SpanID, Service: entry.Service, Environment: entry.Environment, Endpoint: cmp.Or(entry.Operation, entry.Name),
		ElapsedNs: entry.DurationNs, From: entry.Start.Add(-compareWith), To: entry.Start, Steps: []ComparedStep{},
	}
	usual, own, err := s.usually(ctx, p, c)
	if err != nil || c.Count == 0 {
		return c, err
	}
	now := tree.outgoing(tree.top[at])
	accounted := int64(0)
	for key, step := range now {
		u := usual[key]
		step.UsualCount, step.UsualNs = u.UsualCount, u.UsualNs
		accounted += step.TotalNs
		c.Steps = append(c.Steps, *step)
	}
	for key, u := range usual {
		if now[key] == nil {
			c.Steps = append(c.Steps, u)
		}
	}
	c.Steps = append(c.Steps, ComparedStep{
		Kind: StepMethod, SpanID: c.SpanID, Count: 1, UsualCount: 1, TotalNs: max(0, c.ElapsedNs-accounted), UsualNs: own,
	})
	for i := range c.Steps {
		c.Steps[i].ExcessNs = c.Steps[i].TotalNs - c.Steps[i].UsualNs
	}
	slices.SortFunc(c.Steps, func(a, b ComparedStep) int {
		return cmp.Or(cmp.Compare(b.ExcessNs, a.ExcessNs), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Hash, b.Hash))
	})
	c.Steps = c.Steps[:min(len(c.Steps), maxCompareSteps)]
	return c, nil
}

// outgoing adds up the statements and calls of the transaction that begins with
// a span.
func (t *tree) outgoing(entry int) map[comparedKey]*ComparedStep {
	steps := map[comparedKey]*ComparedStep{}
	longest := map[comparedKey]int64{}
	for i := range t.spans {
		s := &t.spans[i]
		key := comparedKey{name: s.Name, peer: s.Peer}
		if s.HTTP != nil {
			key.method = s.HTTP.Method
		}
		if s.DB != nil && s.DB.Hash != "" {
			hash, _ := strconv.ParseUint(s.DB.Hash, 16, 64) // HashString wrote it
			key = comparedKey{hash: hash}
		}
		if i == entry || t.top[i] != entry || key.hash == 0 && s.Kind != KindClient && s.Kind != KindProducer || t.wraps(i) {
			continue
		}
		step := steps[key]
		if step == nil {
			step = &ComparedStep{Kind: stepKind(key.hash, s.Kind), Name: s.title()}
			if key.hash != 0 {
				step.Hash = HashString(key.hash)
			}
			steps[key] = step
		}
		step.Count++
		step.TotalNs += s.DurationNs
		if s.DurationNs >= longest[key] {
			longest[key], step.SpanID = s.DurationNs, s.SpanID
		}
	}
	return steps
}

// wraps reports whether a span is a mapper's own record of the statement that
// the span right below it, the driver's, ran.
func (t *tree) wraps(i int) bool {
	db := t.spans[i].DB
	return db != nil && db.Hash != "" && slices.ContainsFunc(t.children[i], func(below int) bool {
		return t.spans[below].DB != nil && t.spans[below].DB.Hash == db.Hash
	})
}

func stepKind(hash uint64, kind Kind) StepKind {
	switch {
	case hash != 0:
		return StepSQL
	case kind == KindProducer:
		return StepMessage
	}
	return StepCall
}

// usually fills in what c compares with. It returns the usual steps, and how
// much of a usual transaction they leave to the program itself, in ns.
func (s *Store) usually(ctx context.Context, p project.ID, c *Comparison) (map[comparedKey]ComparedStep, int64, error) {
	params := []clickhouse.Param{
		clickhouse.P("service", c.Service), clickhouse.P("environment", c.Environment), clickhouse.P("endpoint", c.Endpoint),
		clickhouse.P("from", c.From.UTC()), clickhouse.P("to", c.To.UTC()), clickhouse.P("sample", compareSample), clickhouse.P("limit", 1000),
	}
	var times []struct {
		Count   uint64  `ch:"n"`
		P50     float64 `ch:"p50"`
		P95     float64 `ch:"p95"`
		Longest uint64  `ch:"longest"`
		Sample  uint64  `ch:"sampled"`
		Elapsed float64 `ch:"elapsed_sampled"`
	}
	err := s.db.Select(ctx, p, &times, usualSampled+`
		SELECT count() AS n, toFloat64(quantile(0.5)(elapsed)) AS p50, toFloat64(quantile(0.95)(elapsed)) AS p95, max(elapsed) AS longest,
			countIf(trace_id IN (SELECT trace_id FROM sample)) AS sampled, toFloat64(sumIf(elapsed, trace_id IN (SELECT trace_id FROM sample))) AS elapsed_sampled
		FROM transactions WHERE `+usualFilter, params...)
	if err != nil {
		return nil, 0, fmt.Errorf("read usual times: %w", err)
	}
	if c.Count, c.Sample = int(times[0].Count), int(times[0].Sample); c.Count == 0 {
		return nil, 0, nil
	}
	c.P50Ns, c.P95Ns = int64(times[0].P50), int64(times[0].P95)
	params = append(params, usualBegin(c.From, times[0].Longest))
	var rows []struct {
		Hash      uint64   `ch:"hash"`
		Name      string   `ch:"step"`
		Method    string   `ch:"method"`
		Peer      string   `ch:"address"`
		Kind      uint8    `ch:"span_kind"`
		Operation string   `ch:"verb"`
		Tables    []string `ch:"tables"`
		Runs      uint64   `ch:"runs"`
		Time      uint64   `ch:"time"`
	}
	err = s.db.Select(ctx, p, &rows, usualSampled+`
		SELECT hash, step, method, address, any(kind) AS span_kind, count() AS runs, sum(took) AS time, any(texts.operation) AS verb, any(texts.tables) AS tables
		FROM (
			SELECT any(q.db_hash) AS hash, if(hash = 0, toString(any(q.name)), '') AS step, if(hash = 0, toString(any(q.http_method)), '') AS method,
				if(hash = 0, toString(any(q.peer)), '') AS address, any(q.kind) AS kind, any(q.duration) AS took,
				`+innermostEntry+` AS own
			FROM (SELECT trace_id, instance, span_id, db_hash, name, http_method, peer, kind, start, duration FROM spans
				WHERE `+usualSpans+` AND NOT entry AND (db_hash != 0 OR kind IN (3, 4)) AND `+notWrapping+`) AS q
			JOIN (SELECT trace_id, instance, operation, start, duration FROM spans WHERE `+usualSpans+` AND entry) AS e
				ON q.trace_id = e.trace_id AND q.instance = e.instance
			WHERE e.start <= q.start
			GROUP BY q.trace_id, q.span_id) AS steps
		LEFT JOIN (SELECT db_hash, any(operation) AS operation, any(tables) AS tables FROM sql_statements WHERE project_id = {project:UInt32} GROUP BY db_hash) AS texts
			ON steps.hash = texts.db_hash
		WHERE own = {endpoint:String}
		GROUP BY hash, step, method, address
		ORDER BY time DESC LIMIT {limit:UInt32}`, params...)
	if err != nil {
		return nil, 0, fmt.Errorf("read usual steps: %w", err)
	}
	usual := make(map[comparedKey]ComparedStep, len(rows))
	n := max(1, float64(c.Sample))
	own := times[0].Elapsed / n
	for _, r := range rows {
		like := Span{Name: r.Name, Kind: Kind(r.Kind), Peer: r.Peer, HTTP: &HTTP{Method: r.Method}}
		step := ComparedStep{UsualCount: float64(r.Runs) / n, UsualNs: int64(float64(r.Time) / n), Kind: stepKind(r.Hash, like.Kind)}
		if r.Hash != 0 {
			step.Hash, like.DB = HashString(r.Hash), &DBCall{Operation: r.Operation, Tables: r.Tables}
		}
		step.Name = like.title()
		usual[comparedKey{r.Hash, r.Name, r.Method, r.Peer}] = step
		own -= float64(r.Time) / n
	}
	return usual, int64(max(0, own)), nil
}
