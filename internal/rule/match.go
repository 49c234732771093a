package rule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// key names the match among those of its rule: the call, or the minute of a subject.
func (m *Match) key() string {
	if m.as != "" {
		return m.as
	}
	if m.TraceID != (trace.TraceID{}) {
		return m.TraceID.String() + m.SpanID.String()
	}
	sum := sha256.Sum256([]byte(m.Service + "\x00" + m.Environment + "\x00" + m.Subject))
	return hex.EncodeToString(sum[:16]) + "@" + strconv.FormatInt(m.ended(), 10)
}

// ended returns when what matched was over, in µs: the time by which it is counted.
func (m *Match) ended() int64 { return metadb.Micros(m.End()) }

// recordMatches stores the hits and returns those that were not stored yet, or
// only as ones that do not count.
func recordMatches(ctx context.Context, tx *metadb.Tx, r *due, hits []hit) ([]Match, error) {
	var fresh []Match
	for chunk := range slices.Chunk(hits, insertRows) {
		byKey := make(map[string]Match, len(chunk))
		var list placeholders
		rows := make([]string, len(chunk))
		for i := range chunk {
			m := chunk[i].Match
			key := m.key()
			byKey[key] = m
			id, span := "", ""
			if m.TraceID != (trace.TraceID{}) {
				id, span = m.TraceID.String(), m.SpanID.String()
			}
			keep := max(m.ended(), metadb.Micros(chunk[i].arrived)) + (r.Window() + spare).Microseconds()
			rows[i] = "(" + addAll(&list, []any{
				r.ID, key, id, span, m.Service, m.Environment, m.Subject, m.Instance, m.Start.UnixNano(), m.DurationNs, m.ended(),
				m.Statement, m.Value, m.Usual, m.Counts, keep,
			}) + ")"
		}
		stored, err := tx.Query(ctx, `INSERT INTO rule_match (rule_id, key, trace_id, span_id, service, environment, subject, instance,
			started_ns, duration_ns, ended_at, statement, value, usual, counts, expires_at) VALUES `+strings.Join(rows, ", ")+`
			ON CONFLICT (rule_id, key) DO UPDATE SET counts = TRUE, value = EXCLUDED.value, usual = EXCLUDED.usual
			WHERE EXCLUDED.counts AND NOT rule_match.counts RETURNING key`, list.args...)
		keys, err := metadb.Collect(stored, err, func(rows *metadb.Rows) (k string, err error) { return k, rows.Scan(&k) })
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			fresh = append(fresh, byKey[k])
		}
	}
	return fresh, nil
}

// grouped splits matches by application, phase and subject, in a fixed order.
func grouped(matches []Match) [][]Match {
	group := func(a, b *Match) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Subject, b.Subject))
	}
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(group(&a, &b), cmp.Compare(a.ended(), b.ended()),
			cmp.Compare(a.TraceID.String(), b.TraceID.String()), cmp.Compare(a.SpanID, b.SpanID))
	})
	var groups [][]Match
	for i, m := range matches {
		if i == 0 || group(&m, &matches[i-1]) != 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], m)
	}
	return groups
}

// judge says whether the threshold is met in a window that holds at least one
// of the new matches, which are of one application, phase and subject and by
// their end. Of the windows that are met it takes the one that ends last; when
// none is, the one that ends with the newest of the new matches.
func judge(ctx context.Context, tx *metadb.Tx, r *Rule, fresh []Match, now time.Time) (Firing, error) {
	f := Firing{
		Rule: *r, Service: fresh[0].Service, Phase: fresh[0].Environment, Subject: fresh[0].Subject,
		New: len(fresh), NewInstances: countInstances(fresh), Matches: r.worst(fresh),
	}
	w := window{tx: tx, rule: r, service: f.Service, environment: f.Phase, subject: f.Subject, length: r.Window().Microseconds()}
	newest := fresh[len(fresh)-1].ended()
	end, err := w.endOf(ctx, r.Count, fresh[0].ended(), newest, fresh)
	if err != nil {
		return f, err
	}
	f.Met = end != 0 && !r.muted(now)
	end = cmp.Or(end, newest)
	f.From, f.To = metadb.FromMicros(end-w.length), metadb.FromMicros(end)
	if f.Instances, err = w.instances(ctx, end); err != nil {
		return f, err
	}
	for _, i := range f.Instances {
		f.Count += i.Count
	}
	f.Window, err = w.worst(ctx, end)
	return f, err
}

// window reads the recorded matches of one rule, application, phase and subject.
// A window of length µs that ends at a time holds the matches in (end-length, end].
type window struct {
	tx                            *metadb.Tx
	rule                          *Rule
	service, environment, subject string
	length                        int64
}

// inWindow selects the matches that count between two ends, $5 and $6.
const inWindow = ` FROM rule_match WHERE rule_id = $1 AND service = $2 AND environment = $3 AND subject = $4
	AND ended_at > $5 AND ended_at <= $6 AND counts`

func (w *window) args(after, until int64, more ...any) []any {
	return append([]any{w.rule.ID, w.service, w.environment, w.subject, after, until}, more...)
}

// endOf returns the end of the last window that holds at least count matches,
// one of them fresh; 0 when there is none. Fresh matches lie in [oldest, newest].
func (w *window) endOf(ctx context.Context, count int, oldest, newest int64, fresh []Match) (int64, error) {
	isFresh := make(map[int64]bool, len(fresh))
	for i := range fresh {
		if fresh[i].Counts {
			isFresh[fresh[i].ended()] = true
		}
	}
	if len(isFresh) == 0 {
		return 0, nil
	}
	rows, err := w.tx.Query(ctx, `SELECT ended_at`+inWindow+` ORDER BY ended_at DESC LIMIT $7`, w.args(oldest-w.length, newest+w.length-1, maxSliding)...)
	ends, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (at int64, err error) { return at, rows.Scan(&at) })
	if err != nil {
		return 0, err
	}
	return lastMet(ends, w.length, count, isFresh), nil
}

// lastMet returns the end of the last window of a length that holds at least
// count of the ends, one of them fresh; 0 when there is none. The ends run from
// late to early.
func lastMet(ends []int64, length int64, count int, isFresh map[int64]bool) int64 {
	// [i, j) are the matches of the window that ends at ends[i].
	inside := 0
	for i, j := 0, 0; i < len(ends); i++ {
		for ; j < len(ends) && ends[j] > ends[i]-length; j++ {
			if isFresh[ends[j]] {
				inside++
			}
		}
		if j-i >= count && inside > 0 {
			return ends[i]
		}
		if isFresh[ends[i]] {
			inside--
		}
	}
	return 0
}

func (w *window) instances(ctx context.Context, end int64) ([]InstanceCount, error) {
	rows, err := w.tx.Query(ctx, `SELECT instance, COUNT(*)`+inWindow+` GROUP BY instance ORDER BY COUNT(*) DESC, instance`,
		w.args(end-w.length, end)...)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (c InstanceCount, err error) {
		var n int64
		err = rows.Scan(&c.Name, &n)
		c.Count = int(n)
		return c, err
	})
}

func (w *window) worst(ctx context.Context, end int64) ([]Match, error) {
	order := "value DESC"
	if w.rule.lowIsWorse() {
		order = "value"
	}
	rows, err := w.tx.Query(ctx, `SELECT trace_id, span_id, instance, started_ns, duration_ns, statement, value, usual`+inWindow+`
		ORDER BY `+order+`, duration_ns DESC, trace_id, span_id, ended_at DESC LIMIT $7`, w.args(end-w.length, end, maxMatches)...)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Match, error) {
		m := Match{Service: w.service, Environment: w.environment, Subject: w.subject, Counts: true}
		var id, span string
		var started int64
		if err := rows.Scan(&id, &span, &m.Instance, &started, &m.DurationNs, &m.Statement, &m.Value, &m.Usual); err != nil {
			return m, err
		}
		m.Start = time.Unix(0, started).UTC()
		if id == "" {
			return m, nil
		}
		if err := m.TraceID.UnmarshalText([]byte(id)); err != nil {
			return m, err
		}
		return m, m.SpanID.UnmarshalText([]byte(span))
	})
}

// worst returns the first hundred matches by how bad they are.
func (r *Rule) worst(matches []Match) []Match {
	matches = slices.SortedFunc(slices.Values(matches), func(a, b Match) int {
		value := cmp.Compare(b.Value, a.Value)
		if r.lowIsWorse() {
			value = -value
		}
		return cmp.Or(value, cmp.Compare(b.DurationNs, a.DurationNs), cmp.Compare(a.TraceID.String(), b.TraceID.String()),
			cmp.Compare(a.SpanID, b.SpanID), cmp.Compare(b.ended(), a.ended()))
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
