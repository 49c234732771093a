package flame

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Store reads profiles. It is safe for concurrent use.
type Store struct{ db *clickhouse.DB }

// NewStore returns a Store over the tables of Migrations and those of trace.
func NewStore(db *clickhouse.DB) *Store { return &Store{db: db} }

// SlowSpans is the kind of the stacks that slow spans carry; a stack's value is
// how long its span took, in nanoseconds.
const SlowSpans = "slow_spans"

// Query selects stacks.
type Query struct {
	Service, Environment string
	Instance, Version    string // of profiles; "" is any
	Endpoint             string // "" is any
	Kind                 string // one of Kinds
	From, To             time.Time
}

func (q Query) check() error {
	switch {
	case q.Service == "":
		return fault.New(fault.Invalid, "name the service whose stacks are asked for").WithField("service")
	case !q.From.Before(q.To):
		return fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	return nil
}

func (q Query) params() []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("service", q.Service), clickhouse.P("environment", q.Environment), clickhouse.P("instance", q.Instance),
		clickhouse.P("version", q.Version), clickhouse.P("endpoint", q.Endpoint), clickhouse.P("kind", q.Kind),
		clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()),
	}
}

// Graph is a flame graph: calls, each with what was counted in it and below it.
type Graph struct {
	Kind    string `json:"kind"`
	Unit    string `json:"unit" doc:"nanoseconds, bytes or count"`
	Root    *Node  `json:"root"`
	Samples uint64 `json:"samples" doc:"stacks added up"`
	Cut     int64  `json:"cut" doc:"of the root's value: in calls too small to be shown, which are in their callers"`
}

// Node is a function as called from its parent.
type Node struct {
	Name     string  `json:"name"`
	Total    int64   `json:"total" doc:"counted here and below"`
	Self     int64   `json:"self" doc:"counted here"`
	Children []*Node `json:"children" doc:"largest first"`

	byName map[string]*Node // of the children
}

// What a flame graph shows: a call below this share of the whole is too narrow to see.
const (
	minShare  = 0.0005
	maxNodes  = 20_000
	maxStacks = 50_000 // distinct ones added up, the largest first
)

type stackRow struct {
	Stack []string `ch:"stack"`
	Value int64    `ch:"value"`
	N     uint64   `ch:"n"`
	Unit  string   `ch:"unit"`
}

// Of an endpoint are the samples that name it, and those of its traces.
const ofEndpoint = `({endpoint:String} = '' OR endpoint = {endpoint:String} OR endpoint = '' AND trace_id IN (
	SELECT trace_id FROM transactions WHERE project_id = {project:UInt32} AND service = {service:String} AND endpoint = {endpoint:String}
		AND ended >= subtractHours({from:DateTime64(9)}, 1) AND ended < addHours({to:DateTime64(9)}, 1)))`

const profileFilter = `project_id = {project:UInt32} AND service = {service:String} AND time >= {from:DateTime64(9)} AND time < {to:DateTime64(9)}
	AND ({environment:String} = '' OR environment = {environment:String})
	AND ({instance:String} = '' OR instance = {instance:String}) AND ({version:String} = '' OR version = {version:String})
	AND ` + ofEndpoint

const spanFilter = `project_id = {project:UInt32} AND service = {service:String} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)}
	AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({from:DateTime64(9)}) AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)}
	AND ({environment:String} = '' OR environment = {environment:String})
	AND ({instance:String} = '' OR instance = {instance:String}) AND ({version:String} = '' OR version = {version:String})
	AND has(attr_keys, 'code.stacktrace') AND ({endpoint:String} = '' OR trace_id IN (
		SELECT trace_id FROM transactions WHERE project_id = {project:UInt32} AND service = {service:String} AND endpoint = {endpoint:String}
			AND ended >= {from:DateTime64(9)} AND ended < addHours({to:DateTime64(9)}, 1)))`

// Graph adds the stacks of a query up.
func (s *Store) Graph(ctx context.Context, p project.ID, q Query) (*Graph, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	g := &Graph{Kind: q.Kind, Root: &Node{Name: q.Service, Children: []*Node{}}}
	params := append(q.params(), clickhouse.P("limit", maxStacks))
	var rows []stackRow
	if q.Kind == SlowSpans {
		var raw []struct {
			Trace string `ch:"stacktrace"`
			Name  string `ch:"name"`
			Value int64  `ch:"value"`
			N     uint64 `ch:"n"`
		}
		err := s.db.Select(ctx, p, &raw, `SELECT attr_values[indexOf(attr_keys, 'code.stacktrace')] AS stacktrace, name::String AS name,
				toInt64(sum(duration)) AS value, count() AS n
			FROM spans WHERE `+spanFilter+` GROUP BY stacktrace, name ORDER BY value DESC LIMIT {limit:UInt32}`, params...)
		if err != nil {
			return nil, fmt.Errorf("read stacks of spans: %w", err)
		}
		for _, r := range raw {
			rows = append(rows, stackRow{Stack: append(framesOf(r.Trace), r.Name), Value: r.Value, N: r.N, Unit: "nanoseconds"})
		}
	} else {
		err := s.db.Select(ctx, p, &rows, `SELECT stack, sum(value) AS value, count() AS n, any(unit)::String AS unit FROM flame_samples
			WHERE `+profileFilter+` AND kind = {kind:String} GROUP BY stack ORDER BY value DESC LIMIT {limit:UInt32}`, params...)
		if err != nil {
			return nil, fmt.Errorf("read profiles: %w", err)
		}
	}
	for _, r := range rows {
		g.Unit = r.Unit
		g.Samples += r.N
		g.Root.add(r.Stack, r.Value)
	}
	g.Cut = g.Root.prune(max(int64(float64(g.Root.Total)*minShare), 1))
	return g, nil
}

// add counts a stack, the outermost function first.
func (n *Node) add(stack []string, value int64) {
	n.Total += value
	for _, name := range stack {
		child := n.byName[name]
		if child == nil {
			child = &Node{Name: name, Children: []*Node{}}
			if n.byName == nil {
				n.byName = map[string]*Node{}
			}
			n.byName[name] = child
			n.Children = append(n.Children, child)
		}
		n = child
		n.Total += value
	}
	n.Self += value
}

// prune takes away what is smaller than least, breadth first and within maxNodes,
// and returns what that was.
func (n *Node) prune(least int64) (cut int64) {
	left := maxNodes
	for level := []*Node{n}; len(level) > 0; {
		var next []*Node
		for _, n := range level {
			slices.SortFunc(n.Children, func(a, b *Node) int { return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name)) })
			kept := n.Children[:0]
			for _, c := range n.Children {
				if c.Total < least || left == 0 {
					cut += c.Total
					continue
				}
				left--
				kept = append(kept, c)
			}
			n.Children = kept
			next = append(next, kept...)
		}
		level = next
	}
	return cut
}

// framesOf returns the functions of a stack trace as text, the outermost first:
// "\tat a.B.c(B.java:1)" of the JVM, "    at f (file.js:1:2)" of node. Lines of
// another form are left out.
func framesOf(trace string) []string {
	var frames []string
	for line := range strings.Lines(trace) {
		frame, ok := strings.CutPrefix(strings.TrimSpace(line), "at ")
		if !ok || len(frames) == maxFrames {
			continue
		}
		if i := strings.LastIndexByte(frame, '('); i > 0 { // the place in the source: one function is one frame
			frame = strings.TrimSpace(frame[:i])
		}
		frames = append(frames, clip(frame))
	}
	slices.Reverse(frames)
	return frames
}

// Available is a kind of stacks that a service has.
type Available struct {
	Kind      string   `json:"kind" doc:"slow_spans: stacks that slow spans carry; else a value of a profile, such as cpu"`
	Unit      string   `json:"unit"`
	Samples   uint64   `json:"samples"`
	Endpoints []string `json:"endpoints" doc:"that can be asked for alone; at most 200"`
}

// Kinds lists what a service has in a time range.
func (s *Store) Kinds(ctx context.Context, p project.ID, q Query) ([]Available, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	var rows []struct {
		Kind      string   `ch:"kind"`
		Unit      string   `ch:"unit"`
		N         uint64   `ch:"n"`
		Endpoints []string `ch:"endpoints"`
	}
	q.Endpoint = ""
	err := s.db.Select(ctx, p, &rows, `SELECT kind::String AS kind, any(unit)::String AS unit, count() AS n, groupUniqArrayIf(200)(endpoint::String, endpoint != '') AS endpoints
			FROM flame_samples WHERE `+profileFilter+` GROUP BY kind
		UNION ALL
		SELECT '`+SlowSpans+`', 'nanoseconds', count() AS n, (SELECT groupUniqArray(200)(endpoint::String) FROM transactions
			WHERE project_id = {project:UInt32} AND service = {service:String} AND ended >= {from:DateTime64(9)} AND ended < {to:DateTime64(9)} AND trace_id IN (SELECT trace_id FROM spans WHERE `+spanFilter+`))
			FROM spans WHERE `+spanFilter+` HAVING n > 0`, q.params()...)
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	out := make([]Available, 0, len(rows))
	for _, r := range rows {
		slices.Sort(r.Endpoints)
		out = append(out, Available{Kind: r.Kind, Unit: r.Unit, Samples: r.N, Endpoints: r.Endpoints})
	}
	slices.SortFunc(out, func(a, b Available) int {
		return cmp.Or(cmp.Compare(b.Samples, a.Samples), strings.Compare(a.Kind, b.Kind))
	})
	return out, nil
}
