package rule

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// spare is how much longer than its window a match is kept, for spans that
// arrive late and belong to a window of the past.
const spare = time.Hour

const (
	insertRows = 20     // matches per INSERT: SQLite looks each $n up by name, so the cost of long lists is their square
	maxSliding = 20_000 // matches looked at to find a window that is met
)

// placeholders collects arguments and hands out their $n.
type placeholders struct{ args []any }

func (p *placeholders) add(v any) string {
	p.args = append(p.args, v)
	return "$" + strconv.Itoa(len(p.args))
}

func addAll[T any](p *placeholders, values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = p.add(v)
	}
	return strings.Join(texts, ", ")
}

func matchOf(c *trace.SlowCall) Match {
	return Match{
		TraceID: c.TraceID, SpanID: c.SpanID, Service: c.Service, Environment: c.Environment, Instance: c.Instance,
		Start: c.Start, DurationNs: c.DurationNs, Statement: trace.HashString(c.Hash),
	}
}

// ended returns when the call ended, in µs: the time by which it is counted.
func (m *Match) ended() int64 { return metadb.Micros(m.Start.Add(time.Duration(m.DurationNs))) }

// recordMatches stores the calls and returns those that were not stored yet.
func recordMatches(ctx context.Context, tx *metadb.Tx, r *due, calls []trace.SlowCall) ([]Match, error) {
	type key struct{ trace, span string }
	var fresh []Match
	for chunk := range slices.Chunk(calls, insertRows) {
		byKey := make(map[key]Match, len(chunk))
		var list placeholders
		rows := make([]string, len(chunk))
		for i := range chunk {
			c := &chunk[i]
			m := matchOf(c)
			k := key{m.TraceID.String(), m.SpanID.String()}
			byKey[k] = m
			keep := max(m.ended(), metadb.Micros(c.Arrived)) + (r.Window() + spare).Microseconds()
			rows[i] = "(" + addAll(&list, []any{
				r.ID, k.trace, k.span, m.Service, m.Environment, m.Instance, m.Start.UnixNano(), m.DurationNs, m.ended(), m.Statement, keep,
			}) + ")"
		}
		stored, err := tx.Query(ctx, `INSERT INTO rule_match (rule_id, trace_id, span_id, service, environment, instance, started_ns,
			duration_ns, ended_at, statement, expires_at) VALUES `+strings.Join(rows, ", ")+`
			ON CONFLICT (rule_id, trace_id, span_id) DO NOTHING RETURNING trace_id, span_id`, list.args...)
		keys, err := metadb.Collect(stored, err, func(rows *metadb.Rows) (k key, err error) { return k, rows.Scan(&k.trace, &k.span) })
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			fresh = append(fresh, byKey[k])
		}
	}
	return fresh, nil
}

// grouped splits matches by application and phase, in a fixed order.
func grouped(matches []Match) [][]Match {
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.ended(), b.ended()),
			cmp.Compare(a.TraceID.String(), b.TraceID.String()), cmp.Compare(a.SpanID, b.SpanID))
	})
	var groups [][]Match
	for i, m := range matches {
		if i == 0 || m.Service != matches[i-1].Service || m.Environment != matches[i-1].Environment {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], m)
	}
	return groups
}

// judge says whether the threshold is met in a window that holds at least one
// of the new matches, which are of one application and phase and by their end.
// Of the windows that are met it takes the one that ends last; when none is,
// the one that ends with the newest of the new matches.
func judge(ctx context.Context, tx *metadb.Tx, r *Rule, fresh []Match) (Firing, error) {
	f := Firing{
		Rule: *r, Service: fresh[0].Service, Phase: fresh[0].Environment,
		New: len(fresh), NewInstances: countInstances(fresh), Matches: slowest(fresh),
	}
	w := window{tx: tx, rule: r.ID, service: f.Service, environment: f.Phase, length: r.Window().Microseconds()}
	newest := fresh[len(fresh)-1].ended()
	end, err := w.endOf(ctx, r.Count, fresh[0].ended(), newest, fresh)
	if err != nil {
		return f, err
	}
	f.Met = end != 0
	end = cmp.Or(end, newest)
	f.From, f.To = metadb.FromMicros(end-w.length), metadb.FromMicros(end)
	if f.Instances, err = w.instances(ctx, end); err != nil {
		return f, err
	}
	for _, i := range f.Instances {
		f.Count += i.Count
	}
	f.Window, err = w.slowest(ctx, end)
	return f, err
}

// window reads the recorded matches of one rule, application and phase. A
// window of length µs that ends at a time holds the matches in (end-length, end].
type window struct {
	tx                   *metadb.Tx
	rule                 int64
	service, environment string
	length               int64
}

// endOf returns the end of the last window that holds at least count matches,
// one of them fresh; 0 when there is none. Fresh matches lie in [oldest, newest].
func (w *window) endOf(ctx context.Context, count int, oldest, newest int64, fresh []Match) (int64, error) {
	if count <= 1 {
		return newest, nil
	}
	rows, err := w.tx.Query(ctx, `SELECT ended_at FROM rule_match WHERE rule_id = $1 AND service = $2 AND environment = $3
		AND ended_at > $4 AND ended_at < $5 ORDER BY ended_at DESC LIMIT $6`,
		w.rule, w.service, w.environment, oldest-w.length, newest+w.length, maxSliding)
	ends, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (at int64, err error) { return at, rows.Scan(&at) })
	if err != nil {
		return 0, err
	}
	isFresh := make(map[int64]bool, len(fresh))
	for i := range fresh {
		isFresh[fresh[i].ended()] = true
	}
	// ends runs from late to early; [i, j) are the matches of the window that ends at ends[i].
	inside := 0
	for i, j := 0, 0; i < len(ends); i++ {
		for ; j < len(ends) && ends[j] > ends[i]-w.length; j++ {
			if isFresh[ends[j]] {
				inside++
			}
		}
		if j-i >= count && inside > 0 {
			return ends[i], nil
		}
		if isFresh[ends[i]] {
			inside--
		}
	}
	return 0, nil
}

func (w *window) instances(ctx context.Context, end int64) ([]InstanceCount, error) {
	rows, err := w.tx.Query(ctx, `SELECT instance, COUNT(*) FROM rule_match WHERE rule_id = $1 AND service = $2 AND environment = $3
		AND ended_at > $4 AND ended_at <= $5 GROUP BY instance ORDER BY COUNT(*) DESC, instance`,
		w.rule, w.service, w.environment, end-w.length, end)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (c InstanceCount, err error) {
		var n int64
		err = rows.Scan(&c.Name, &n)
		c.Count = int(n)
		return c, err
	})
}

func (w *window) slowest(ctx context.Context, end int64) ([]Match, error) {
	rows, err := w.tx.Query(ctx, `SELECT trace_id, span_id, instance, started_ns, duration_ns, statement FROM rule_match
		WHERE rule_id = $1 AND service = $2 AND environment = $3 AND ended_at > $4 AND ended_at <= $5
		ORDER BY duration_ns DESC, trace_id, span_id LIMIT $6`, w.rule, w.service, w.environment, end-w.length, end, maxMatches)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Match, error) {
		m := Match{Service: w.service, Environment: w.environment}
		var id, span string
		var started int64
		if err := rows.Scan(&id, &span, &m.Instance, &started, &m.DurationNs, &m.Statement); err != nil {
			return m, err
		}
		m.Start = time.Unix(0, started).UTC()
		if err := m.TraceID.UnmarshalText([]byte(id)); err != nil {
			return m, err
		}
		return m, m.SpanID.UnmarshalText([]byte(span))
	})
}

func slowest(matches []Match) []Match {
	matches = slices.SortedFunc(slices.Values(matches), func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.DurationNs, a.DurationNs), cmp.Compare(a.TraceID.String(), b.TraceID.String()), cmp.Compare(a.SpanID, b.SpanID))
	})
	return matches[:min(len(matches), maxMatches)]
}

func countInstances(matches []Match) []InstanceCount {
	counts := map[string]int{}
	for _, m := range matches {
		counts[m.Instance]++
	}
	list := make([]InstanceCount, 0, len(counts))
	for name, n := range counts {
		list = append(list, InstanceCount{name, n})
	}
	slices.SortFunc(list, func(a, b InstanceCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return list
}
