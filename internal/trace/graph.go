package trace

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// NodeKind says what a node of the graph is.
type NodeKind string

// The kinds of nodes. Only services send spans; the others are known by what
// services say of them.
const (
	NodeUser     NodeKind = "user" // whoever calls from outside: no span of the caller is stored
	NodeService  NodeKind = "service"
	NodeDatabase NodeKind = "database"
	NodeCache    NodeKind = "cache"
	NodeQueue    NodeKind = "queue"    // a topic or queue, by its name
	NodeExternal NodeKind = "external" // a host that sends no spans
)

// Node is one node of the graph. The RED of a service is that of the requests
// and messages it took in, as it measured them; of a user that of the calls it
// made; of every other node that of the calls to it, as their callers did.
type Node struct {
	ID      string   `json:"id"` // stable: the kind and what the node is told apart by
	Kind    NodeKind `json:"kind"`
	Name    string   `json:"name"`    // of a database its own, else the host's
	System  string   `json:"system"`  // of a database or cache, such as mysql
	Address string   `json:"address"` // of a database or cache, "host" or "host:port"
	RED
}

// Edge is all calls from one node to another. It is measured by the caller,
// or by the callee where the caller wrote no span of the call.
type Edge struct {
	From string `json:"from"` // Node.ID
	To   string `json:"to"`   // Node.ID
	RED
	// Unanswered are the calls among Count for which the called service stored
	// no span: refused, timed out on the way, not sampled there, or not here yet.
	Unanswered uint64 `json:"unanswered"`
}

// Graph is who called whom over a time range.
type Graph struct {
	From         time.Time `json:"from"` // whole minutes that cover what was asked for
	To           time.Time `json:"to"`
	Nodes        []Node    `json:"nodes"`        // the busiest first
	Edges        []Edge    `json:"edges"`        // the busiest first
	Environments []string  `json:"environments"` // in which spans were sent, whatever the filter
	TotalNodes   int       `json:"total_nodes"`  // of which Nodes are at most Limit
	Truncated    bool      `json:"truncated"`    // more nodes or edges exist than are here
	// SampledBy is 1 when every call was counted. At n > 1 the newest minutes
	// have so many spans that they were counted on every n-th trace, times n.
	SampledBy int `json:"sampled_by"`
	// MissingUntil is set when spans before it, at most to From, have not been joined yet:
	// their calls are not in Edges.
	MissingUntil *time.Time `json:"missing_until,omitempty"`
}

// Node returns the node of an id.
func (g *Graph) Node(id string) (Node, bool) {
	at := slices.IndexFunc(g.Nodes, func(n Node) bool { return n.ID == id })
	if at < 0 {
		return Node{}, false
	}
	return g.Nodes[at], true
}

// Callees returns the edges that leave a node, the busiest first.
func (g *Graph) Callees(id string) []Edge {
	return g.touching(func(e *Edge) bool { return e.From == id })
}

// Callers returns the edges that lead to a node, the busiest first.
func (g *Graph) Callers(id string) []Edge {
	return g.touching(func(e *Edge) bool { return e.To == id })
}

func (g *Graph) touching(wanted func(*Edge) bool) (edges []Edge) {
	for i := range g.Edges {
		if wanted(&g.Edges[i]) {
			edges = append(edges, g.Edges[i])
		}
	}
	return edges
}

// ServiceID is the ID of a service's node.
func ServiceID(service string) string { return string(NodeService) + ":" + service }

// Bounds of a graph.
const (
	maxNodes = 500
	maxEdges = 5_000
	maxDepth = 10
	// What of the newest minutes is joined while somebody waits: tailSpans are
	// joined exactly, of more only every n-th trace. Beyond tailMost the older minutes
	// are left to JoinEdges.
	tailSpans = 500_000
	tailMost  = 10_000_000
)

// GraphQuery selects a graph.
type GraphQuery struct {
	From, To    time.Time // To is exclusive; both are widened to whole minutes
	Environment string    // of the span that measured a call; "" selects all
	// Focus is the Node.ID to look from, "" for the whole: what calls it, directly
	// or not, and what it calls, as far as Depth steps.
	Focus string
	Depth int // of Focus, default 1, at most 10
	Limit int // of nodes, default and at most 500; the busiest stay, and Focus
}

func (q *GraphQuery) check() error {
	q.Depth, q.Limit = cmp.Or(q.Depth, 1), cmp.Or(q.Limit, maxNodes)
	switch {
	case !q.From.Before(q.To):
		return fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	case q.Depth < 1 || q.Depth > maxDepth:
		return fault.New(fault.Invalid, "depth %d is not between 1 and %d", q.Depth, maxDepth).WithField("depth")
	case q.Limit < 1 || q.Limit > maxNodes:
		return fault.New(fault.Invalid, "limit %d is not between 1 and %d", q.Limit, maxNodes).WithField("limit")
	}
	if q.From.Before(earliest) {
		q.From = earliest
	}
	q.From = q.From.UTC().Truncate(time.Minute)
	if to := q.To.UTC().Truncate(time.Minute); to.Before(q.To) {
		q.To = to.Add(time.Minute)
	}
	q.To = q.To.UTC()
	return nil
}

// Graph reads who called whom. Minutes that JoinEdges has not reached, as the
// newest, are joined here, so that the graph is exact to the last span stored.
func (s *Store) Graph(ctx context.Context, p project.ID, q GraphQuery) (*Graph, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	g := &Graph{From: q.From, To: q.To, Nodes: []Node{}, Edges: []Edge{}, Environments: []string{}}
	unjoined, err := s.unjoined(ctx, p, g)
	if err != nil {
		return nil, fmt.Errorf("find minutes without edges: %w", err)
	}
	rows, err := s.edges(ctx, p, &q, g, unjoined)
	if err != nil {
		return nil, fmt.Errorf("read edges: %w", err)
	}
	b := graphBuilder{nodes: map[string]*Node{}, seconds: g.To.Sub(g.From).Seconds()}
	b.add(rows)
	if err := b.fill(g, &q); err != nil {
		return nil, err
	}
	return g, nil
}

// minuteSpans is a minute and how many spans began in it.
type minuteSpans struct {
	Minute time.Time `ch:"minute"`
	Spans  uint64    `ch:"spans"`
}

// unjoined returns the minutes of the range that have spans and no edges yet,
// the newest first. It fills in the environments.
func (s *Store) unjoined(ctx context.Context, p project.ID, g *Graph) ([]minuteSpans, error) {
	var rows []struct {
		minuteSpans
		Environments []string `ch:"environments"`
		Joined       bool     `ch:"joined"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT minute, sum(count) AS spans, groupUniqArray(environment) AS environments, minute IN (
			SELECT minute FROM edge_minute
			WHERE project_id = {project:UInt32} AND minute >= {from:DateTime} AND minute < {to:DateTime} AND from_kind = '') AS joined
		FROM red_minute
		WHERE project_id = {project:UInt32} AND minute >= {from:DateTime} AND minute < {to:DateTime}
		GROUP BY minute ORDER BY minute DESC`, clickhouse.P("from", g.From), clickhouse.P("to", g.To))
	if err != nil {
		return nil, err
	}
	var missing []minuteSpans
	environments := map[string]bool{}
	for _, r := range rows {
		for _, e := range r.Environments {
			environments[e] = true
		}
		if !r.Joined {
			missing = append(missing, r.minuteSpans)
		}
	}
	delete(environments, "")
	g.Environments = append(g.Environments, slices.Sorted(maps.Keys(environments))...)
	return missing, nil
}

// fromEntry is the from_kind of what a service took in by its own measure.
const fromEntry = "entry"

// edgeRow is the sum of some calls; of a row without from_kind those of all callers.
type edgeRow struct {
	FromKind   string    `ch:"from_kind"`
	FromName   string    `ch:"from_name"`
	ToKind     string    `ch:"to_kind"`
	ToSystem   string    `ch:"to_system"`
	ToName     string    `ch:"to_name"`
	ToAddress  string    `ch:"to_address"`
	Count      uint64    `ch:"count"`
	Errors     uint64    `ch:"errors"`
	Sum        uint64    `ch:"sum"`
	Max        uint64    `ch:"max"`
	Unanswered uint64    `ch:"unanswered"`
	Quantiles  []float64 `ch:"quantiles"`
}

// red is what the row says about a time of that many seconds.
func (r *edgeRow) red(seconds float64) RED {
	sums := redRow{Count: r.Count, Errors: r.Errors, Total: r.Sum, Max: r.Max, Quantiles: r.Quantiles}
	return sums.red(seconds)
}

// tail picks, of the minutes without edges, what is joined now: from when on,
// and of how many traces one.
func tail(unjoined []minuteSpans, g *Graph) (from time.Time, keep uint64) {
	var spans uint64
	from = g.To
	for _, m := range unjoined {
		if spans += m.Spans; spans > tailMost && from.Before(g.To) {
			until := m.Minute.Add(time.Minute)
			g.MissingUntil = &until
			return from, (spans-m.Spans)/tailSpans + 1
		}
		from = m.Minute
	}
	return from, spans/tailSpans + 1
}

// edges reads the calls of the range: the joined minutes, and by a join of the
// others what tail allows.
func (s *Store) edges(ctx context.Context, p project.ID, q *GraphQuery, g *Graph, unjoined []minuteSpans) ([]edgeRow, error) {
	from, keep := tail(unjoined, g)
	g.SampledBy = int(keep)
	minutes := []time.Time{}
	for _, m := range unjoined {
		if !m.Minute.Before(from) {
			minutes = append(minutes, m.Minute)
		}
	}
	hours, err := s.summedHours(ctx, p, g)
	if err != nil {
		return nil, err
	}
	source := `
		SELECT ` + edgeColumns + ` FROM edge_hour
		WHERE project_id = {project:UInt32} AND from_kind != '' AND hour IN {hours:Array(DateTime)}
			AND (hour, run) IN (
				SELECT hour, max(run) FROM edge_hour
				WHERE project_id = {project:UInt32} AND hour >= {since:DateTime} AND hour < {until:DateTime} AND from_kind = '' GROUP BY hour)
		UNION ALL
		SELECT ` + edgeColumns + ` FROM edge_minute
		WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind != ''
			AND toStartOfHour(minute) NOT IN {hours:Array(DateTime)} AND minute NOT IN {minutes:Array(DateTime)} AND (minute, run) IN (
				SELECT minute, max(run) FROM edge_minute
				WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind = '' GROUP BY minute)`
	if len(minutes) > 0 {
		source += ` UNION ALL SELECT ` + edgeColumns + ` FROM (` + edgeJoin + ` UNION ALL ` + entries + `) WHERE minute IN {minutes:Array(DateTime)}`
	}
	var rows []edgeRow
	err = s.db.Select(ctx, p, &rows, `
		SELECT from_kind, from_name, kind AS to_kind, to_system, name AS to_name, address AS to_address,
			sum(n) AS count, sum(failed) AS errors, sum(total) AS sum, max(longest) AS max, sumIf(n, lost) AS unanswered,
			arrayMap(x -> toFloat64(x), quantilesDDMerge(0.02, 0.5, 0.9, 0.95, 0.99)(state)) AS quantiles
		FROM (
			SELECT from_kind, from_name, to_system, n, failed, total, longest, state,
				minIf(to_name, to_kind = 'service') OVER same AS first, maxIf(to_name, to_kind = 'service') OVER same AS last,
				to_kind = 'external' AND to_address != '' AND first != '' AND first = last AS lost,
				if(lost, 'service', to_kind) AS kind, if(lost, first, to_name) AS name, if(kind IN ('database', 'cache'), to_address, '') AS address
			FROM (
				SELECT from_kind, from_name, to_kind, to_system, to_name, to_address, sum(count) AS n, sum(errors) AS failed,
					sum(duration_sum) AS total, max(duration_max) AS longest,
					quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(duration_state) AS state
				FROM (`+source+`)
				WHERE {environment:String} = '' OR environment = {environment:String}
				GROUP BY from_kind, from_name, to_kind, to_system, to_name, to_address
			)
			WINDOW same AS (PARTITION BY to_address)
		)
		GROUP BY GROUPING SETS ((from_kind, from_name, kind, to_system, name, address), (kind, to_system, name, address))
		ORDER BY count DESC LIMIT {limit:UInt32}`,
		append(joinParams(from, g.To, keep), clickhouse.P("since", g.From), clickhouse.P("until", g.To), clickhouse.P("hours", hours), clickhouse.P("minutes", minutes),
			clickhouse.P("environment", q.Environment), clickhouse.P("limit", 2*maxEdges+1))...)
	if len(rows) > 2*maxEdges {
		rows, g.Truncated = rows[:2*maxEdges], true
	}
	return rows, err
}

// summedHours returns the hours that lie in the range and whose sum is good.
func (s *Store) summedHours(ctx context.Context, p project.ID, g *Graph) ([]time.Time, error) {
	first, end := g.From.Add(time.Hour-1).Truncate(time.Hour), g.To.Truncate(time.Hour)
	var rows []struct {
		Hour time.Time `ch:"hour"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT m.hour AS hour FROM (`+hourRuns+`) AS m JOIN (`+hourSums+`) AS h ON m.project_id = h.project_id AND m.hour = h.hour
		WHERE m.runs = h.runs AND m.project_id = {project:UInt32}`,
		clickhouse.P("since", first), clickhouse.P("until", end))
	hours := make([]time.Time, len(rows))
	for i, r := range rows {
		hours[i] = r.Hour
	}
	return hours, err
}

// graphBuilder puts rows together into nodes and edges.
type graphBuilder struct {
	seconds float64 // of the range
	nodes   map[string]*Node
	edges   []Edge
}

// to is the called side of a row.
func (r *edgeRow) to() Node {
	n := Node{Kind: NodeKind(r.ToKind), Name: r.ToName, System: r.ToSystem, Address: r.ToAddress}
	n.ID = string(n.Kind) + ":" + n.Name
	if n.Kind == NodeDatabase || n.Kind == NodeCache {
		n.ID = strings.Join([]string{string(n.Kind), n.System, n.Name, n.Address}, ":")
		n.Name = cmp.Or(n.Name, n.Address, n.System)
	}
	return n
}

// add puts rows in: of each callee the sum of all callers, and its edges.
func (b *graphBuilder) add(rows []edgeRow) {
	for i := range rows {
		r := &rows[i]
		to := r.to()
		switch {
		case r.FromKind == "" && to.Kind == NodeService: // it measures itself
			continue
		case r.FromKind == "", r.FromKind == fromEntry:
			to.RED = r.red(b.seconds)
			b.nodes[to.ID] = &to
			continue
		}
		from := Node{ID: r.FromKind + ":" + r.FromName, Kind: NodeKind(r.FromKind), Name: r.FromName}
		b.edges = append(b.edges, Edge{From: from.ID, To: to.ID, RED: r.red(b.seconds), Unanswered: r.Unanswered})
		b.ensure(from)
		b.ensure(to)
	}
	// Whoever is only a caller has no calls to it that could be summed.
	for _, e := range b.edges {
		if from := b.nodes[e.From]; from.Kind == NodeUser {
			sums := redRow{Count: from.Count + e.Count, Errors: from.Errors + e.Errors, Total: uint64(from.TotalNs + e.TotalNs), Max: uint64(max(from.MaxNs, e.MaxNs))}
			from.RED = sums.red(b.seconds)
		}
	}
}

// ensure makes a node that has no row of its own: a caller that took in nothing,
// or a queue nobody was seen writing to.
func (b *graphBuilder) ensure(n Node) {
	if b.nodes[n.ID] == nil {
		b.nodes[n.ID] = &n
	}
}

// fill puts into g what q asks for.
func (b *graphBuilder) fill(g *Graph, q *GraphQuery) error {
	if q.Focus != "" {
		if b.nodes[q.Focus] == nil {
			return fault.New(fault.NotFound, "nothing called %s was seen in this range", q.Focus)
		}
		b.keep(b.around(q.Focus, q.Depth))
	}
	nodes := slices.SortedFunc(maps.Values(b.nodes), func(x, y *Node) int {
		return cmp.Or(cmp.Compare(rank(y, q), rank(x, q)), cmp.Compare(y.Count, x.Count), cmp.Compare(x.ID, y.ID))
	})
	g.TotalNodes = len(nodes)
	if len(nodes) > q.Limit {
		g.Truncated = true
		kept := map[string]bool{}
		for _, n := range nodes[:q.Limit] {
			kept[n.ID] = true
		}
		nodes = nodes[:q.Limit]
		b.keep(kept)
	}
	for _, n := range nodes {
		g.Nodes = append(g.Nodes, *n)
	}
	slices.SortFunc(b.edges, func(x, y Edge) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
	g.Edges = append(g.Edges, b.edges...)
	return nil
}

// rank puts the focus first: it stays however quiet it is.
func rank(n *Node, q *GraphQuery) int {
	if n.ID == q.Focus {
		return 1
	}
	return 0
}

// keep drops all other nodes, and the edges that touch them.
func (b *graphBuilder) keep(ids map[string]bool) {
	maps.DeleteFunc(b.nodes, func(id string, _ *Node) bool { return !ids[id] })
	b.edges = slices.DeleteFunc(b.edges, func(e Edge) bool { return !ids[e.From] || !ids[e.To] })
}

// around returns what reaches a node within depth steps, and what it reaches.
func (b *graphBuilder) around(id string, depth int) map[string]bool {
	callees, callers := map[string][]string{}, map[string][]string{}
	for _, e := range b.edges {
		callees[e.From] = append(callees[e.From], e.To)
		callers[e.To] = append(callers[e.To], e.From)
	}
	found := map[string]bool{id: true}
	for _, next := range []map[string][]string{callees, callers} {
		reached, border := map[string]bool{id: true}, []string{id}
		for range depth {
			var beyond []string
			for _, at := range border {
				for _, to := range next[at] {
					if !reached[to] {
						reached[to], found[to] = true, true
						beyond = append(beyond, to)
					}
				}
			}
			border = beyond
		}
	}
	return found
}
